"""From a run and an evaluator to a `SearchResult`: what `search` and `minimize` share."""

from __future__ import annotations

from hyperband.evaluation.base import Evaluator
from hyperband.evaluation.budget import Budget
from hyperband.evaluation.loop import OnEvent, drive
from hyperband.interface.result import SearchResult
from hyperband.tuning.run.run import Run


def carry_out(
    run: Run,
    evaluator: Evaluator,
    budget: Budget | None = None,
    on_event: OnEvent | None = None,
    *,
    comparable: bool = True,
) -> SearchResult:
    """Drive a run to its end, or to that of its budget, and collect what it found.

    Parameters and errors as `hyperband.evaluation.loop.drive`; ``comparable`` as `SearchResult.of`.
    """
    outcome = drive(run, evaluator, budget, on_event)
    failures = dict(sorted(getattr(evaluator, "failures", {}).items()))
    return SearchResult.of(
        run,
        comparable=comparable,
        unit=evaluator.unit,
        seconds=outcome.seconds,
        stopped=outcome.stopped,
        failures=failures,
    )
