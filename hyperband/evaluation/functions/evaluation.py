"""What an objective returns, and what the search gets of it: plain numbers, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hyperband.tuning.trial import Job, Result


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an objective returns when a loss alone is not enough.

    Parameters
    ----------
    loss : float or sequence of float
        What is minimised; NaN for a failure. Several numbers are several objectives, each minimised, as many in every
        evaluation. Batched objectives give an array, shape (n,) or (n, n_objectives).
    state : Any
        Passed to the objective when the trial continues; kept in memory until the trial is dropped. Batched objectives
        return a sequence of ``n`` states.
    cost : float >= 0, optional
        Spent on this call alone; None: the resource that the call added. Batched: shape (n,), or one number for the
        whole call.
    metrics : Mapping[str, float]
        Further figures for the table of trials. Batched: shape (n,) each.
    """

    loss: Any
    state: Any = None
    cost: Any = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Outcome(NamedTuple):
    """One evaluation in plain numbers; it can be sent between processes whatever the objective returned."""

    losses: tuple[float, ...]  #: all objectives, at least one
    metrics: dict[str, float]
    cost: float

    def result(self, job: Job) -> Result:
        """For the search; ``objectives`` is empty when there is only one."""
        objectives = self.losses if len(self.losses) > 1 else ()
        return Result(
            job.trial, job.bracket, job.rung, job.resource, self.losses[0], self.metrics, self.cost, objectives
        )


def failed(job: Job) -> Result:
    """The result of a job that gave no loss."""
    return Result(job.trial, job.bracket, job.rung, job.resource, math.nan)


def outcome_of(returned: Any, spent: float) -> Outcome:
    """Check what an objective returned or yielded.

    Parameters
    ----------
    returned : number, sequence of numbers, or Evaluation
    spent : float
        Cost when the evaluation names none.

    Raises
    ------
    TypeError, ValueError
        When a loss, cost or metric is no number. It fails the trial.

    Examples
    --------
    >>> outcome_of(Evaluation([0.5, 3], metrics={"accuracy": 0.9}), 9)
    Outcome(losses=(0.5, 3.0), metrics={'accuracy': 0.9}, cost=9.0)
    """
    evaluation = returned if isinstance(returned, Evaluation) else Evaluation(returned)
    if not isinstance(evaluation.metrics, Mapping):
        raise TypeError(f"the metrics must be a mapping of names to numbers; got {evaluation.metrics!r}")
    metrics = {str(name): number(value, f"metric {name!r}") for name, value in evaluation.metrics.items()}
    cost = number(spent if evaluation.cost is None else evaluation.cost, "cost")
    if not 0 <= cost < math.inf:
        raise ValueError(f"the cost must be a finite number of at least 0; got {evaluation.cost!r}")
    return Outcome(_losses(evaluation.loss), metrics, cost)


def number(value: Any, name: str) -> float:
    """A float, from anything that `float` takes except text; ``name`` is for the error."""
    try:
        if isinstance(value, str | bytes | bytearray):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"the {name} must be a number; got {value!r}") from None


def _losses(loss: Any) -> tuple[float, ...]:
    # `ndim` tells an array of any library, so that neither NumPy nor PyTorch has to be imported here.
    if getattr(loss, "ndim", 0) > 0:
        loss = loss.tolist()
    if not isinstance(loss, Sequence) or isinstance(loss, str | bytes | bytearray):
        return (number(loss, "loss"),)
    if not loss:
        raise ValueError("several objectives must be at least one number; got none")
    return tuple(number(part, "loss") for part in loss)
