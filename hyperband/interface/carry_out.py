"""From a run and an evaluator to a `SearchResult`: what `search` and `minimize` share."""

from __future__ import annotations

from hyperband.evaluation.base import Evaluator
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.loop import Extend, OnEvent, drive
from hyperband.evaluation.progress import OnProgress
from hyperband.interface.reporter import Reporter
from hyperband.interface.result import SearchResult
from hyperband.tuning.run.run import Run


def carry_out(
    run: Run,
    evaluator: Evaluator,
    budget: Budget | None = None,
    *,
    progress: bool | OnProgress = False,
    on_event: OnEvent | None = None,
    comparable: bool = True,
    extend: Extend | None = None,
) -> SearchResult:
    """Carry out a run to its end, or to that of its budget, and collect what it found.

    Parameters
    ----------
    progress : bool or callable
        True: a `Reporter` on stderr; a function is called with a `hyperband.evaluation.progress.SearchProgress`.
    comparable : bool, see `SearchResult.of`

    Other parameters and errors as `hyperband.evaluation.loop.drive`.
    """
    if isinstance(progress, bool):
        reporter = Reporter() if progress else None
        show: OnProgress | None = reporter
    else:
        reporter, show = None, progress
    try:
        outcome = drive(run, evaluator, budget, on_event, show, extend)
    finally:
        if reporter is not None:
            reporter.close()
    return SearchResult.of(
        run,
        comparable=comparable,
        unit=evaluator.unit,
        seconds=outcome.seconds,
        stopped=outcome.stopped,
        failures=dict(sorted(evaluator.failures.items())),
    )
