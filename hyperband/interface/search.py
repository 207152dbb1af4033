"""`search`: a table in, the best network out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hyperband._common.checks import whole_number
from hyperband.engine.backends import registry
from hyperband.engine.backends.device_array import refuse
from hyperband.engine.network_space import CHANGEABLE, default_space
from hyperband.evaluation.budget import Budget, check_ends
from hyperband.evaluation.loop import OnEvent
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.evaluation.networks.training import Training
from hyperband.evaluation.progress import OnProgress
from hyperband.interface.arguments import check_algorithm, check_control, check_record
from hyperband.interface.carry_out import carry_out
from hyperband.interface.network_result import NetworkSearchResult, with_networks
from hyperband.space import Choice, Float, Int, Space
from hyperband.tables import Prepared, TableOptions, prepare
from hyperband.tables.options import VALIDATION
from hyperband.tuning.algorithms import Algorithm, Hyperband

#: The least resource of the default Hyperband is the largest one divided by this.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a search on prepared data runs; every field is an argument of `search`."""

    algorithm: Algorithm | None = None
    space: Space | None = None
    seed: int | None = None
    training: Training = field(default_factory=Training)
    compute: Compute = field(default_factory=Compute)
    budget: Budget | None = None
    progress: bool | OnProgress = False
    on_event: OnEvent | None = None

    def check(self) -> None:
        """Refuse what can be refused before a table is read."""
        if self.algorithm is not None:
            check_algorithm(self.algorithm)
        check_record(self.training, Training, "training")
        check_record(self.compute, Compute, "compute")
        check_control(self.budget, self.progress, self.on_event)
        _ = self.key
        if self.algorithm is not None:
            check_ends(self.algorithm.endless, self.budget or Budget())
            self.algorithm.changing(CHANGEABLE)
        registry.choose(self.compute.backend)

    @property
    def key(self) -> int:
        """The seed: the given one, else that of the algorithm, else 0."""
        given = self.seed
        if given is None and self.algorithm is not None:
            given = self.algorithm.seed
        return 0 if given is None else whole_number(given, "seed", 0)


def search(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    validation: Any = VALIDATION,
    test: Any = None,
    algorithm: Algorithm | None = None,
    space: Space | None = None,
    seed: int | None = None,
    table: TableOptions | None = None,
    training: Training | None = None,
    compute: Compute | None = None,
    budget: Budget | None = None,
    progress: bool | OnProgress = False,
    on_event: OnEvent | None = None,
) -> NetworkSearchResult:
    """Search for the network that predicts ``y`` (or the column ``target``) best.

    Parameters
    ----------
    X : array-like, shape (n_rows, n_features), data frame, or path to a file
    y : array-like, shape (n_rows,) or (n_rows, n_outputs), optional
    target : column of ``X`` that is the target, instead of ``y``; several columns: a regression with several outputs
    validation : fraction, (X, y), or a table
        Rows that rank the networks.
    test : likewise, or None
        Rows that the search never sees; ``result.test`` has the best network's figures on them.
    algorithm : any of `hyperband.tuning.algorithms`, or None
        None: Hyperband with eta 3, up to 81 epochs, all rows or all columns, whatever the resource is. One that has no
        end of its own (ASHA without ``n``, ``repetitions=None``) needs a ``budget``. In a population (PBT) only
        parameters of the optimisation steps can change: rates, dropout, weight decay, clipping.
    space : Space or None
        Parameters named as `hyperband.engine.network_space.to_architecture` says; None: a space for tables of this
        size (for a grid a small one: layers, width, learning rate, activation).
    seed : int or None
        Of splits, configurations and networks; None: that of the algorithm, else 0. The result depends on it and on
        nothing else that changes from run to run.
    table : TableOptions, optional
        How the table is prepared: task, columns to drop, categories, scaling, weights.
    training : Training, optional
        What networks get more of when they are promoted (epochs, rows, features), and by what they are ranked.
    compute : Compute, optional
        Backend, threads, precision, limits of memory.
    budget : Budget, optional
        Limits on seconds, evaluations, resource and cost, a target loss, patience; the best so far is returned.
    progress : bool or callable
        True: a table on stderr while the search runs; a function is called with a
        `hyperband.evaluation.progress.SearchProgress` several times a second.
    on_event : callable (run, results), optional
        Called after every batch of evaluations, in this thread; a true answer stops the search.

    Returns
    -------
    NetworkSearchResult
        ``best.network`` is a `Model` with ``predict``, ``predict_proba`` and ``save``. After Ctrl-C the best so far.

    Raises
    ------
    DataError
        When the table cannot be used; it says which column and why.
    InputError
        When another argument breaks a rule.
    InsufficientMemory
        When the rows, or not even one network, fit in memory.
    BackendUnavailable
        When the backend cannot be used here; it says why.

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

    At most a minute, on two threads, ranked by the error where classes are weighted:

    >>> result = hb.search(
    ...     X,
    ...     y,
    ...     algorithm=hb.Hyperband(9),
    ...     table=hb.TableOptions(class_weight="balanced"),
    ...     training=hb.Training(rank_by="error"),
    ...     compute=hb.Compute(threads=2),
    ...     budget=hb.Budget(seconds=60),
    ... )
    >>> result.stopped
    'finished'
    """
    settings = Settings(
        algorithm=algorithm,
        space=space,
        seed=seed,
        training=Training() if training is None else training,
        compute=Compute() if compute is None else compute,
        budget=budget,
        progress=progress,
        on_event=on_event,
    )
    settings.check()
    options = TableOptions() if table is None else table
    check_record(options, TableOptions, "table")
    refuse(
        "search prepares tables on the host",
        X=X,
        y=y,
        validation=validation,
        test=test,
        sample_weight=options.sample_weight,
    )
    prepared = prepare(X, y, target=target, validation=validation, test=test, seed=settings.key, options=options)
    return search_prepared(prepared, settings)


def resource_range(resource: str, prepared: Prepared) -> tuple[int, int]:
    """Least and largest resource of the default algorithm on this data."""
    n_rows, n_features = prepared.x_train.shape
    largest = {"epochs": SPREAD, "rows": n_rows, "features": n_features}[resource]
    return max(1, largest // SPREAD), largest


def search_prepared(prepared: Prepared, settings: Settings) -> NetworkSearchResult:
    """`search` on data that is prepared already."""
    algorithm, space = settings.algorithm, settings.space
    if algorithm is None:
        least, largest = resource_range(settings.training.resource, prepared)
        algorithm = Hyperband(largest, 3, min_resource=least)
    if space is None:
        space = GRID_SPACE if algorithm.small_space else _space_for(prepared)
    algorithm = algorithm.changing([name for name in space.names if name in CHANGEABLE])
    run = algorithm.start(space, settings.key)
    evaluator = NetworkEvaluator(
        prepared,
        registry.get(settings.compute.backend),
        max_resource=float(run.plan.max_resource),
        training=settings.training,
        compute=settings.compute,
        seed=settings.key,
    )
    try:
        result = carry_out(
            run,
            evaluator,
            settings.budget,
            progress=settings.progress,
            on_event=settings.on_event,
            comparable=settings.training.resource == "epochs",
        )
    finally:
        evaluator.close()
    return with_networks(result, run, evaluator, prepared, settings.compute.backend)


def _space_for(prepared: Prepared) -> Space:
    n_rows, n_features = prepared.x_train.shape
    return default_space(n_rows, n_features, prepared.n_outputs, prepared.loss)
