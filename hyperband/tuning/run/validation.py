"""Results of the user: checked, and put into columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.tuning.run.job_batch import JobBatch
from hyperband.tuning.schedulers.base import Slot
from hyperband.tuning.trial import Job, Result, is_finite

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Missing:
    """Stands for a loss that was not given; None is a mistake of its own."""


MISSING: Final = Missing()


def as_results(told: Any, loss: Any, metrics: Any, cost: Any) -> list[Result]:
    """The arguments of `Run.tell` as a list of results; `InputError` for anything else."""
    if isinstance(told, Job):
        if loss is MISSING:
            raise InputError("`loss` must be given with a job: run.tell(job, loss); got none. A failure is math.nan.")
        return [_result_of(told, loss, {} if metrics is None else metrics, cost)]
    if loss is not MISSING or metrics is not None or cost is not None:
        raise InputError(
            f"`loss`, `metrics` and `cost` must come with one job: run.tell(job, loss); got them with {told!r}. "
            f"{'Use run.tell_batch(batch, losses).' if isinstance(told, JobBatch) else 'Pass a list of Results.'}"
        )
    alone = isinstance(told, Result) or not isinstance(told, Iterable)
    return [_as_result(entry) for entry in ([told] if alone else told)]


def _as_result(entry: Any) -> Result:
    if isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], Job):
        return _result_of(entry[0], entry[1], {}, None)
    if not isinstance(entry, Result):
        raise InputError(
            f"`tell` takes a job and its loss, run.tell(job, loss), a list of such pairs, or Results; got {entry!r}."
        )
    if type(entry.trial) is not int:
        whole_number(entry.trial, "trial", 0)
    return entry


def _result_of(job: Job, loss: Any, metrics: Any, cost: Any) -> Result:
    if isinstance(loss, np.ndarray) and loss.ndim == 1:
        loss = loss.tolist()
    objectives: Any = ()
    if isinstance(loss, tuple | list):
        if not loss:
            raise InputError(f"`loss` must be a number, or a number for each of several objectives; got {loss!r}.")
        loss, objectives = loss[0], tuple(loss)
    return Result(job.trial, job.bracket, job.rung, job.resource, loss, metrics, cost, objectives)


def numbered(trials: Iterable[int] | int) -> list[int]:
    """One trial number, or many; `InputError` when something else is among them."""
    found = trials if isinstance(trials, Iterable) else [trials]
    return [trial if type(trial) is int else whole_number(trial, "trial", 0) for trial in found]


def checked(result: Result, slot: Slot) -> Result:
    """A result of the open job ``slot``, its figures as floats; `InputError` when it is of another or no number.

    Numbers of NumPy become those of Python, which states on disk need; a single objective is a plain loss.
    """
    if (result.bracket, result.rung, result.resource) != (slot.bracket, slot.rung, slot.resource):
        raise InputError(
            f"The result of trial {result.trial} must be of bracket {slot.bracket}, rung {slot.rung}, resource "
            f"{slot.resource}; got {result.bracket}, {result.rung}, {result.resource}."
        )
    added = float(slot.resource - slot.previous)
    plain = type(result.trial) is int is type(result.rung) and type(result.resource) is type(slot.resource)
    if plain and type(result.loss) is float and not result.metrics and not result.objectives:
        if type(result.cost) is float and 0.0 <= result.cost < math.inf:
            return result
        if result.cost is None:
            return Result(slot.trial, slot.bracket, slot.rung, slot.resource, result.loss, {}, added)
    if not isinstance(result.metrics, Mapping) or not isinstance(result.objectives, Sequence):
        raise InputError(
            f"`metrics` must be a mapping and `objectives` a tuple; got {result.metrics!r}, {result.objectives!r}."
        )
    metrics = {str(name): _number(value, f"metrics[{name!r}]") for name, value in result.metrics.items()}
    objectives = tuple(_number(value, "objectives") for value in result.objectives)
    loss = _number(result.loss, "loss")
    cost = added if result.cost is None else _number(result.cost, "cost")
    if not 0.0 <= cost < math.inf:
        raise InputError(f"`cost` must be a finite number of at least 0; got {result.cost!r}.")
    if objectives and loss != objectives[0] and not (math.isnan(loss) and not is_finite(objectives)):
        raise InputError(f"`loss` must be the first of `objectives` ({objectives[0]!r}); got {loss!r}.")
    if not is_finite(objectives):
        loss = math.nan  # one objective that failed is a failed trial
    several = objectives if len(objectives) > 1 else ()
    return Result(slot.trial, slot.bracket, slot.rung, slot.resource, loss, metrics, cost, several)


def n_objectives(results: Iterable[Result]) -> set[int]:
    """The numbers of objectives that occur; a failure without objectives does not count."""
    return {len(result.objectives) or 1 for result in results if result.objectives or math.isfinite(result.loss)}


def check_objectives(numbers: set[int]) -> None:
    """`InputError` unless all these numbers of objectives are the same."""
    if len(numbers) > 1:
        raise InputError(f"All results must have as many objectives; got {sorted(numbers)}.")


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """Checked results in the order (bracket, rung, trial), as `EvaluationLog.extend` takes them.

    Parameters
    ----------
    whole : int64 array, shape (3, n): trial, bracket, rung
    real : float64 array, shape (3, n): resource, loss, cost
    metrics : name -> float64 array, shape (n,), NaN where absent
    objectives : float64 array, shape (n, n_objectives), or None when there is only one
    spent : float, the resource that all of them added
    """

    whole: I64
    real: F64
    metrics: dict[str, F64]
    objectives: F64 | None
    spent: float

    @property
    def losses(self) -> F64:
        """Shape (n,), or (n, n_objectives)."""
        return self.real[1] if self.objectives is None else self.objectives

    @property
    def n_objectives(self) -> set[int]:
        """The number of objectives; an empty set when all are failures without objectives."""
        if self.objectives is not None:
            return {self.objectives.shape[1]}
        return {1} if np.isfinite(self.real[1]).any() else set()

    @classmethod
    def of_results(cls, results: Sequence[Result], slots: Sequence[Slot]) -> ResultColumns:
        """Results of these open jobs; `InputError` when one is of another job, or has other objectives."""
        rows = [checked(result, slot) for result, slot in zip(results, slots, strict=True)]
        numbers = n_objectives(rows)
        check_objectives(numbers)
        rows.sort(key=_order)
        whole = np.array([[r.trial for r in rows], [r.bracket for r in rows], [r.rung for r in rows]], dtype=np.int64)
        real = np.array([[r.resource for r in rows], [r.loss for r in rows], [r.cost for r in rows]], dtype=np.float64)
        names = dict.fromkeys(name for r in rows for name in r.metrics)
        metrics = {name: np.array([r.metrics.get(name, math.nan) for r in rows]) for name in names}
        several = max(numbers, default=1)
        nothing = (math.nan,) * several
        objectives = np.array([r.objectives or nothing for r in rows]) if several > 1 else None
        spent = sum(slot.resource - slot.previous for slot in slots)
        return cls(whole, real, metrics, objectives, spent)

    @classmethod
    def of_batch(
        cls, batch: JobBatch, losses: ArrayLike, costs: ArrayLike | None, metrics: Mapping[str, ArrayLike] | None
    ) -> ResultColumns:
        """Arrays of one entry a job; `InputError` when a shape or a value does not fit."""
        if not isinstance(batch, JobBatch):
            raise InputError(f"`batch` must be what `ask_batch` gave, or a part of it; got {type(batch).__name__}.")
        values = _array(losses, "losses")
        if values.ndim not in (1, 2) or len(values) != len(batch) or (values.ndim == 2 and values.shape[1] < 1):
            raise InputError(f"`losses` must have shape ({len(batch)},) or ({len(batch)}, n); got {values.shape}.")
        several = values.ndim == 2 and values.shape[1] > 1
        first = np.where(np.isfinite(values).all(axis=1), values[:, 0], np.nan) if values.ndim == 2 else values
        added = batch.resource - batch.previous
        cost = added if costs is None else _column(costs, "costs", len(batch))
        if not ((cost >= 0.0) & (cost < math.inf)).all():
            raise InputError("`costs` must be finite numbers of at least 0; got others among them.")
        if metrics is not None and not isinstance(metrics, Mapping):
            raise InputError(f"`metrics` must be a mapping of name to numbers; got {metrics!r}.")
        named = {
            str(name): _column(values, f"metrics[{name!r}]", len(batch)) for name, values in (metrics or {}).items()
        }
        # In one fixed order, so that what is remembered does not depend on how the batch was put together.
        order = np.lexsort(batch.identities[[0, 2, 1]])
        real = np.stack([batch.resource, first, cost])[:, order]
        objectives = values[order] if several else None
        return cls(
            batch.identities[:, order],
            real,
            {name: column[order] for name, column in named.items()},
            objectives,
            float(added.sum()),
        )


def _order(result: Result) -> tuple[int, int, int]:
    return result.bracket, result.rung, result.trial


def _column(values: ArrayLike, name: str, n: int) -> F64:
    column = _array(values, name)
    if column.shape != (n,):
        raise InputError(f"`{name}` must have shape ({n},); got {column.shape}.")
    return column


def _array(values: ArrayLike, name: str) -> F64:
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "fiub" and raw.size:
            raise TypeError
        return raw.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"`{name}` must be numbers (NaN for failed trials); got {values!r}.") from None


def _number(value: Any, name: str) -> float:
    try:
        if isinstance(value, str | bytes | complex):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"`{name}` must be a number (NaN for a failed trial); got {value!r}.") from None
