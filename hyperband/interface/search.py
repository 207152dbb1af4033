"""`search`: a table in, the best model out."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hyperband._common.checks import positive, whole_number
from hyperband.engine.backends import registry
from hyperband.engine.backends.device_array import refuse
from hyperband.engine.network_space import CHANGEABLE
from hyperband.errors import InputError
from hyperband.evaluation.budget import Budget, check_ends
from hyperband.evaluation.loop import OnEvent
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Datasets
from hyperband.evaluation.networks.ensemble import SIZE
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.evaluation.networks.library import CandidateLibrary
from hyperband.evaluation.networks.refit import refit_work
from hyperband.evaluation.networks.training import Training
from hyperband.evaluation.progress import OnProgress
from hyperband.interface.arguments import check_algorithm, check_control, check_record
from hyperband.interface.assemble import candidate_library
from hyperband.interface.carry_out import carry_out
from hyperband.interface.defaults import refit_trials, resource_range, space_for, validation_for
from hyperband.interface.network_result import Finished, NetworkSearchResult
from hyperband.interface.planned_search import END_PART, PlannedSearch, planned_search
from hyperband.interface.warn import warn_of_losses, warn_of_plan
from hyperband.space import Space
from hyperband.tables import PreparedTable, TableOptions, prepare_table
from hyperband.tables.validation import AUTO
from hyperband.tuning.algorithms import Algorithm, HalvingSequence, Hyperband


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a search on prepared data runs; every field is an argument of `search`."""

    algorithm: Algorithm | None = None
    space: Space | None = None
    seed: int | None = None
    training: Training = field(default_factory=Training)
    compute: Compute = field(default_factory=Compute)
    metric: Any = None
    ensemble: int = SIZE
    time_limit: float | None = None
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
        whole_number(self.ensemble, "ensemble")
        if self.time_limit is not None:
            positive(self.time_limit, "time_limit")
            if self.budget is not None and self.budget.seconds is not None:
                raise InputError(
                    f"Only one of `time_limit` and `seconds` of `budget` must be given; got {self.time_limit!r} and "
                    f"{self.budget.seconds!r}."
                )
        _ = self.key
        if self.algorithm is not None:
            check_ends(self.algorithm.endless, self.limits)
            self.algorithm.changing(CHANGEABLE)
        registry.choose(self.compute.backend)

    @property
    def limits(self) -> Budget:
        """The budget, the time limit among it."""
        budget = self.budget or Budget()
        return budget if self.time_limit is None else replace(budget, seconds=self.time_limit)

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
    validation: Any = AUTO,
    test: Any = None,
    algorithm: Algorithm | None = None,
    space: Space | None = None,
    seed: int | None = None,
    table: TableOptions | None = None,
    training: Training | None = None,
    compute: Compute | None = None,
    metric: Any = None,
    ensemble: int = SIZE,
    time_limit: float | None = None,
    budget: Budget | None = None,
    progress: bool | OnProgress = False,
    on_event: OnEvent | None = None,
) -> NetworkSearchResult:
    """Search for the networks that predict ``y`` (or the column ``target``) best.

    With nothing but a ``time_limit`` the search plans itself: it measures how fast networks train here, decides how
    many epochs a network gets at most and how many networks are tried, and runs brackets of successive halving until
    the time is used. Without one the plan depends on the size of the table alone.

    Parameters
    ----------
    X : array-like, shape (n_rows, n_features), data frame, or path to a file
    y : array-like, shape (n_rows,) or (n_rows, n_outputs), optional
    target : column of ``X`` that is the target, instead of ``y``; several columns: a regression with several outputs
    validation : "auto", fraction, int, splitter, (X, y), or a table; see `hyperband.tables.prepare_table`
        Rows that rank the networks. A whole number k, `KFold`, `GroupSplit` or `TimeSplit`: every configuration is
        trained once per fold. "auto": folds on small tables, a tenth to a fifth of the rows on others.
    test : fraction, (X, y), a table, or None
        Rows that the search never sees; ``result.test`` has the model's figures on them.
    algorithm : any of `hyperband.tuning.algorithms`, or None
        None: `HalvingSequence`, planned as above; for resource "rows" and "features" Hyperband with eta 3. One that has
        no end of its own (ASHA without ``n``, ``repetitions=None``) needs a limit. In a population (PBT) only
        parameters of the optimisation steps can change: rates, dropout, weight decay, clipping.
    space : Space or None
        Parameters named as `hyperband.engine.network_space.to_architecture` says; None: a space for tables of this
        size (for a grid a small one: layers, width, learning rate, activation).
    seed : int or None
        Of splits, configurations and networks; None: that of the algorithm, else 0. Without a limit on seconds the
        result depends on it and on nothing else that changes from run to run.
    table : TableOptions, optional
        How the table is prepared: task, columns to drop, categories, scaling, weights.
    training : Training, optional
        What networks minimise, what they get more of when they are promoted (epochs, rows, features), by what they are
        ranked, and whether those of the model are trained again on all rows in the end.
    compute : Compute, optional
        Backend, threads, precision, limits of memory.
    metric : str, scorer or callable, optional; see `hyperband.metrics.metric`
        By what the ensemble is chosen and reported: "accuracy", "log_loss", "auc", "rmse", ... or any scorer of
        scikit-learn. None: accuracy, RMSE, or the quantile loss where ``training.loss`` is one. Only resource "epochs"
        has an ensemble. Rungs are ranked by ``training.rank_by``, which is smooth.
    ensemble : int >= 1
        Networks that the model may average, repetitions and folds counted; 1: the best configuration alone.
    time_limit : float > 0, optional
        Seconds for everything, from the call to the result.
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
        ``model`` is a `Model` with ``predict``, ``predict_proba`` and ``save``. After Ctrl-C the best so far. A network
        that diverges is never the best; ``result.not_finite`` lists such evaluations. Where all of them did, a warning
        says so, and there is no model.

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
    >>> result.model.predict(X[:2]).shape
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
    started = time.monotonic()
    settings = Settings(
        algorithm=algorithm,
        space=space,
        seed=seed,
        training=Training() if training is None else training,
        compute=Compute() if compute is None else compute,
        metric=metric,
        ensemble=ensemble,
        time_limit=time_limit,
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
    validation = validation_for(settings.training.resource, validation)
    prepared = prepare_table(X, y, target=target, validation=validation, test=test, seed=settings.key, options=options)
    result = search_prepared(prepared, settings, started)
    if result.model is None:  # networks that diverge are usual, a search without any other is not
        warn_of_losses(result)
    return result


def search_prepared(table: PreparedTable, settings: Settings, started: float | None = None) -> NetworkSearchResult:
    """`search` on a table that is prepared already.

    Parameters
    ----------
    started : float, optional
        Monotonic seconds from which the time limit counts; None: now.
    """
    started = time.monotonic() if started is None else started
    training = settings.training
    if training.rank_by == "auto":
        plans_itself = settings.algorithm is None and training.resource == "epochs"
        training = replace(training, rank_by="metric" if plans_itself else "loss")
    chosen = planned(table, settings, started)
    warn_of_plan(chosen.algorithm, stacklevel=4)
    run = chosen.algorithm.start(chosen.space, settings.key)
    comparable = settings.training.resource == "epochs"
    library: CandidateLibrary | None = None

    def make_library(datasets: Datasets) -> CandidateLibrary:
        nonlocal library
        library = candidate_library(table, datasets, settings.metric)
        return library

    def highest(bracket: int) -> float:
        return float(run.plan.brackets[bracket].rungs[-1].r)

    evaluator = NetworkEvaluator(
        table,
        registry.get(settings.compute.backend),
        max_resource=float(run.plan.max_resource),
        training=training,
        compute=settings.compute,
        seed=settings.key,
        library=make_library if comparable else None,
        highest=highest if isinstance(chosen.algorithm, HalvingSequence) else None,
    )
    size = max(1, settings.ensemble // table.n_folds)
    again, seconds, deadline = refit_trials(training.refit, table, size), settings.limits.seconds, math.inf
    if seconds is not None:
        deadline = started + (1.0 - END_PART / 2) * seconds
        if again:
            chosen.leave_time(seconds, lambda: _refit_work(library, evaluator, size)[:again])
    try:
        result = carry_out(
            run,
            evaluator,
            chosen.budget,
            progress=settings.progress,
            on_event=settings.on_event,
            comparable=comparable,
            extend=chosen.extend,
        )
        if result.stopped in ("time", "cut"):  # what other ends leave open depends on the clock, and they do not
            if comparable and run.plan.exact:  # what comes next was not begun either
                evaluator.submit(run.ask(None))
            training = replace(training, cut=evaluator.offer_open() if comparable else ())
    finally:
        evaluator.close()
    if settings.training.cut and result.stopped == "finished":
        warnings.warn(
            "`cut` of the training names trials that did not come so far: it is of another search. Pass the table, "
            "space, seed and algorithm as there.",
            stacklevel=3,
        )
    if result.stopped in ("interrupted", "callback"):
        again = 0
    finished = Finished(
        result, run, evaluator, table, library, chosen.executed, training, size, again, settings.compute, started,
        deadline, chosen.speed(run, result.seconds),
    )  # fmt: skip
    return finished.with_networks()


def planned(table: PreparedTable, settings: Settings, started: float) -> PlannedSearch:
    """What a search with these settings runs; of its time some has passed since ``started``, in monotonic seconds."""
    algorithm, space, budget = settings.algorithm, settings.space, settings.limits
    if space is None:
        space = space_for(table, settings.training.resource, algorithm, budget.seconds)
    if algorithm is None:
        if settings.training.resource == "epochs":
            backend = registry.get(settings.compute.backend)
            return planned_search(table, space, backend, settings.compute, budget, started, settings.key)
        least, largest = resource_range(settings.training.resource, table)
        algorithm = Hyperband(largest, 3, min_resource=least)
    algorithm = algorithm.changing([name for name in space.names if name in CHANGEABLE])
    if budget.seconds is not None:
        budget = replace(budget, seconds=max(1e-3, started + budget.seconds - time.monotonic()))
    return PlannedSearch(algorithm, space, budget)


def _refit_work(library: CandidateLibrary | None, evaluator: NetworkEvaluator, size: int) -> list[tuple[float, float]]:
    """Of the ensemble as it is now."""
    chosen = None if library is None else library.ensemble(size)
    return [] if chosen is None else refit_work(chosen, evaluator.datasets)
