"""`search`: a table in, the best network out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hyperband._common.checks import whole_number
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import PRECISIONS
from hyperband.engine.backends.device_array import refuse
from hyperband.engine.network_space import CHANGEABLE, default_space, to_architecture
from hyperband.errors import InputError
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.networks.evaluator import PopulationEvaluator
from hyperband.evaluation.networks.resources import KINDS
from hyperband.interface.carry_out import carry_out
from hyperband.interface.reporter import Meter, Reporter, Status
from hyperband.interface.result import SearchResult
from hyperband.model import Model
from hyperband.space import Choice, Float, Int, Space
from hyperband.tables import Prepared, prepare
from hyperband.tuning.algorithms import Algorithm, Hyperband
from hyperband.tuning.run.run import Incumbent

OnStatus = Callable[[Status], object]

#: The default Hyperband halves so often: its least resource is the largest divided by this.
SPREAD = 81

#: The default space of grids: two points on each axis of `default_space` are more networks than anyone trains.
GRID_SPACE = Space(
    {
        "n_layers": Int(1, 3),
        "width": Int(16, 128, log=True),
        "learning_rate": Float(1e-3, 2e-2, log=True),
        "activation": Choice(["relu", "tanh"]),
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How networks are judged and where they run; every field is an argument of `search`."""

    backend: str = "auto"
    seed: int | None = None
    resource: str = "epochs"
    epochs: float | None = None
    rank_by: str = "loss"
    time_limit: float | None = None
    threads: int | None = None
    precision: str = "float32"
    memory_limit: int | None = None
    device_memory: int | None = None
    progress: bool | OnStatus = False


@dataclass(frozen=True, slots=True, repr=False)
class NetworkSearchResult(SearchResult):
    """A `SearchResult` whose ``best.network`` is a `Model`.

    Parameters
    ----------
    test : dict or None
        `Model.evaluate` of the best network on the test rows, when there are any: ``accuracy`` and ``loss``, or
        ``rmse``, ``mae``, ``r2`` and ``loss``.
    notes : tuple of str, what was done to the table
    configurations : mapping of trial to configuration, of all trials
    """

    test: dict[str, float] | None = None
    notes: tuple[str, ...] = field(default=())
    configurations: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def architecture(self, trial: int) -> Architecture:
        """The network of any trial."""
        return to_architecture(self.configurations[trial])


def search(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    algorithm: Algorithm | None = None,
    space: Space | None = None,
    backend: str = "auto",
    seed: int | None = None,
    validation: Any = 0.2,
    test: Any = None,
    task: str = "auto",
    resource: str = "epochs",
    epochs: float | None = None,
    rank_by: str = "loss",
    class_weight: Any = None,
    sample_weight: Any = None,
    scaling: str = "auto",
    drop: Collection[str | int] = (),
    categorical: Collection[str | int] = (),
    missing_target: str = "error",
    time_limit: float | None = None,
    threads: int | None = None,
    precision: str = "float32",
    memory_limit: int | None = None,
    device_memory: int | None = None,
    progress: bool | OnStatus = False,
    study: None = None,
) -> NetworkSearchResult:
    """Search for the network that predicts ``y`` (or the column ``target``) best.

    Parameters
    ----------
    X, y, target, task, validation, test, scaling, class_weight, sample_weight, drop, categorical, missing_target
        The data: arrays, a data frame, or a path; see `hyperband.tables.prepare`. The search judges networks on the
        validation rows; it never sees the test rows.
    algorithm : any of `hyperband.tuning.algorithms`, or None
        None: Hyperband up to 81 epochs, to all rows or to all columns, whatever ``resource`` is, with eta 3. One that
        has no end of its own (ASHA without ``n``, repetitions without a number) needs a ``time_limit``. In a
        population (PBT) only what says how steps are taken can change: rates, dropout, weight decay, clipping.
    space : Space or None
        Parameters named as `hyperband.engine.network_space.to_architecture` says; None: a space for tables of this
        size (for a grid a small one: layers, width, learning rate, activation).
    backend : {"auto", "cuda", "cuda:0", "cuda:1", ..., "native", "numba", "numpy"}
    seed : int or None
        Of splits, configurations and networks; None: that of the algorithm, else 0. The result depends on it and on
        nothing else that changes from run to run.
    resource : {"epochs", "rows", "features"}
        What networks get more of when they go on; see `hyperband.evaluation.networks.resources.Resource`.
    epochs : float or None
        Passes over the rows at the maximal resource, for "rows" and "features" (default 50).
    rank_by : {"loss", "error"}
        "error" ranks by misclassified rows (or mean squared error) where sample or class weights shape the loss.
    time_limit : float or None, seconds; the best so far is returned
    threads : int or None (``HYPERBAND_THREADS``, else every processor); no figure depends on it
    precision : {"float32", "tf32", "bf16"}
        "bf16" rounds the factors of matrix products in training to 8 bits, for speed on processors with AMX or
        AVX512_BF16 and on GPUs; "tf32" to 11 bits, on GPUs. Weights stay float32. Such curves differ from those in
        float32, and between devices and instructions.
    memory_limit : int or None
        Bytes that networks may take; None: 80 % of what is free. More networks than fit train in waves.
    device_memory : int or None
        Bytes of each GPU that data and networks may take; None: 80 % of what is free there.
    progress : bool or callable
        True: lines on stderr; a function is called with a `hyperband.interface.reporter.Status` several times a second.
    study : None
        Belongs to a later version.

    Returns
    -------
    NetworkSearchResult
        ``best.network`` is a `Model` with ``predict``, ``predict_proba`` and ``save``. After Ctrl-C the best so far.

    Raises
    ------
    DataError, InputError, InsufficientMemory, BackendUnavailable

    Examples
    --------
    >>> import hyperband as hb
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> result = hb.search(X, y, algorithm=hb.Hyperband(9), test=0.2, seed=1)
    >>> result.n_evaluations, result.n_configurations
    (22, 17)
    >>> result.best.network.predict(X[:2]).shape
    (2,)
    """
    if study is not None:
        raise InputError(f"`study` must be None: studies on disk come with a later version; got {study!r}.")
    settings = Settings(
        backend, seed, resource, epochs, rank_by, time_limit, threads, precision, memory_limit, device_memory, progress
    )
    check(settings, algorithm)
    refuse(
        "search prepares tables on the host", X=X, y=y, validation=validation, test=test, sample_weight=sample_weight
    )
    key = _seed(seed, algorithm)
    prepared = prepare(
        X,
        y,
        target=target,
        task=task,
        validation=validation,
        test=test,
        seed=key,
        scaling=scaling,
        class_weight=class_weight,
        sample_weight=sample_weight,
        drop=drop,
        categorical=categorical,
        missing_target=missing_target,
    )
    return search_prepared(prepared, algorithm, space, replace(settings, seed=key))


def check(settings: Settings, algorithm: Algorithm | None = None) -> None:
    """Refuse what can be refused before a table is read."""
    if settings.resource not in KINDS:
        raise InputError(f"`resource` must be one of {', '.join(KINDS)}; got {settings.resource!r}.")
    if algorithm is not None and (isinstance(algorithm, type) or not isinstance(algorithm, Algorithm)):
        raise InputError(f"`algorithm` must be an algorithm such as hyperband.Hyperband(81); got {algorithm!r}.")
    if not isinstance(settings.progress, bool) and not callable(settings.progress):
        raise InputError(f"`progress` must be True, False or a function; got {settings.progress!r}.")
    _seed(settings.seed, algorithm)
    Budget(seconds=settings.time_limit)
    if algorithm is not None and algorithm.endless and settings.time_limit is None:
        raise InputError(
            "An algorithm without an end needs a time limit; got none. Set `time_limit` (--time), or say how many "
            "configurations (`n`) or `repetitions`."
        )
    if algorithm is not None:
        algorithm.changing(CHANGEABLE)
    registry.choose(settings.backend)
    if settings.precision not in PRECISIONS:
        raise InputError(f"`precision` must be one of {', '.join(PRECISIONS)}; got {settings.precision!r}.")


def resource_range(resource: str, prepared: Prepared) -> tuple[int, int]:
    """Least and largest resource of the default algorithm on this data."""
    n_rows, n_features = prepared.x_train.shape
    largest = {"epochs": SPREAD, "rows": n_rows, "features": n_features}[resource]
    return max(1, largest // SPREAD), largest


def search_prepared(
    prepared: Prepared, algorithm: Algorithm | None, space: Space | None, settings: Settings
) -> NetworkSearchResult:
    """`search` on data that is prepared already."""
    backend = registry.get(settings.backend)
    least, largest = resource_range(settings.resource, prepared)
    chosen = algorithm if algorithm is not None else Hyperband(largest, 3, min_resource=least)
    n_rows, n_features = prepared.x_train.shape
    if space is None:
        usual = default_space(n_rows, n_features, prepared.n_outputs, prepared.loss)
        space = GRID_SPACE if chosen.small_space else usual
    chosen = chosen.changing([name for name in space.names if name in CHANGEABLE])
    key = _seed(settings.seed, chosen)
    run = chosen.start(space, key)
    evaluator = PopulationEvaluator(
        prepared,
        backend,
        resource=settings.resource,
        max_resource=float(run.plan.max_resource),
        epochs=settings.epochs,
        seed=key,
        rank_by=settings.rank_by,
        threads=settings.threads,
        precision=settings.precision,
        memory_limit=settings.memory_limit,
        device_memory=settings.device_memory,
    )
    meter = Meter(run.plan, evaluator.resource.passes / evaluator.resource.maximum)
    show: OnStatus | None = Reporter() if settings.progress is True else settings.progress or None
    if show is not None:
        evaluator.on_work = lambda activity: show(meter.status(activity))
    try:
        budget = Budget(seconds=settings.time_limit)
        result = carry_out(run, evaluator, budget, comparable=settings.resource == "epochs")
        if evaluator.on_work is not None and not result.interrupted:
            evaluator.on_work(evaluator.activity())  # the last word: who was dropped at the end
    finally:
        if isinstance(show, Reporter):
            show.close()
        evaluator.close()
    trials = sorted({int(trial) for trial in result.trials["trial"].tolist()})
    configurations = dict(zip(trials, run.configurations(trials), strict=True))
    return _with_networks(result, evaluator, prepared, replace(settings, seed=key), configurations)


def _with_networks(
    result: SearchResult,
    evaluator: PopulationEvaluator,
    prepared: Prepared,
    settings: Settings,
    configurations: Mapping[int, Mapping[str, Any]],
) -> NetworkSearchResult:
    fields = {name: getattr(result, name) for name in SearchResult.__dataclass_fields__}
    for name in ("best", "best_at_full"):
        fields[name] = _with_network(fields[name], evaluator, prepared, settings)
    best, test = fields["best"], None
    if best is not None and prepared.x_test is not None and prepared.y_test is not None:
        test = best.network.score(prepared.x_test, prepared.y_test, backend=settings.backend)
    return NetworkSearchResult(**fields, test=test, notes=prepared.notes, configurations=configurations)


def _with_network(
    incumbent: Incumbent | None, evaluator: PopulationEvaluator, prepared: Prepared, settings: Settings
) -> Incumbent | None:
    if incumbent is None:
        return None
    architecture, layers = evaluator.network(incumbent.trial, incumbent.resource)
    provenance = {
        "configuration": dict(incumbent.configuration),
        "trial": incumbent.trial,
        "resource": incumbent.resource,
        "unit": evaluator.unit,
        "loss": incumbent.loss,
        "metrics": dict(incumbent.metrics),
        "seed": settings.seed,
    }
    return replace(incumbent, network=Model(prepared.preprocessing, architecture, tuple(layers), provenance))


def _seed(seed: int | None, algorithm: Algorithm | None) -> int:
    if seed is None and algorithm is not None:
        seed = algorithm.seed
    return 0 if seed is None else whole_number(seed, "seed", 0)
