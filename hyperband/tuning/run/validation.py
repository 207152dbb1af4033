"""Results, and states of runs, as they come from outside: checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.tuning.run.job_batch import JobBatch
from hyperband.tuning.schedulers.base import Slot
from hyperband.tuning.trial import Result, is_finite

F64 = NDArray[np.float64]


def as_results(results: Iterable[Result] | Result) -> list[Result]:
    """What `Run.tell` got, as a list; `InputError` when it is anything but results."""
    batch = [results] if isinstance(results, Result) or not isinstance(results, Iterable) else list(results)
    for result in batch:
        if not isinstance(result, Result):
            raise InputError(
                "`tell` takes a Result(job.trial, job.bracket, job.rung, job.resource, loss), or several; "
                f"got {result!r}."
            )
        if type(result.trial) is not int:
            whole_number(result.trial, "trial", 0)
    return batch


def check_same(state: Mapping[str, Any], version: int, identity: Mapping[str, Any]) -> None:
    """`InputError` unless a saved state is of this version and of a run with this identity."""
    if not isinstance(state, Mapping):
        raise InputError(f"The state must be what `state_dict` gave; got {state!r}.")
    if state.get("version") != version:
        raise InputError(f"The state must be of version {version}; got {state.get('version')!r}.")
    for name, mine in identity.items():
        if state.get(name) != mine:
            ours, theirs = _in_short(mine), _in_short(state.get(name))
            raise InputError(f"The state must be of a run with the same {name} ({ours}); got {theirs}.")


def _in_short(value: Any) -> str:
    """A plan by its sums, since its table would fill the screen."""
    if not isinstance(value, Mapping):
        return str(value)
    sums = ("n_configurations", "n_evaluations", "cost")
    return ", ".join(f"{name.removeprefix('n_')} {value.get(name)}" for name in sums)


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


@dataclass(frozen=True, slots=True)
class Told:
    """A checked batch in the order (bracket, rung, trial), as `Records.extend` takes it."""

    whole: NDArray[np.int64]
    real: F64
    metrics: dict[str, F64]
    objectives: F64 | None
    spent: float

    @property
    def losses(self) -> F64:
        """Shape (n,), or (n, n_objectives)."""
        return self.real[1] if self.objectives is None else self.objectives


def checked_batch(
    batch: JobBatch, losses: ArrayLike, costs: ArrayLike | None, metrics: Mapping[str, ArrayLike] | None
) -> Told:
    """Arrays of one entry a job; `InputError` when a shape or a value does not fit."""
    if not isinstance(batch, JobBatch):
        raise InputError(f"`batch` must be what `ask_batch` gave, or a part of it; got {type(batch).__name__}.")
    values = _array(losses, "losses")
    if values.ndim not in (1, 2) or len(values) != len(batch) or (values.ndim == 2 and values.shape[1] < 1):
        raise InputError(f"`losses` must have shape ({len(batch)},) or ({len(batch)}, n); got {values.shape}.")
    several = values.ndim == 2 and values.shape[1] > 1
    first = np.where(np.isfinite(values).all(axis=1), values[:, 0], np.nan) if values.ndim == 2 else values
    resource = batch.resource
    added = resource - batch.previous
    cost = added if costs is None else _column(costs, "costs", len(batch))
    if not ((cost >= 0.0) & (cost < math.inf)).all():
        raise InputError("`costs` must be finite numbers of at least 0; got others among them.")
    if metrics is not None and not isinstance(metrics, Mapping):
        raise InputError(f"`metrics` must be a mapping of name to numbers; got {metrics!r}.")
    columns = {str(name): _column(column, f"metrics[{name!r}]", len(batch)) for name, column in (metrics or {}).items()}
    # In one fixed order, so that what is remembered does not depend on how the batch was put together.
    order = np.lexsort(batch.places[[0, 2, 1]])
    real = np.stack([resource, first, cost])[:, order]
    sorted_metrics = {name: column[order] for name, column in columns.items()}
    objectives = values[order] if several else None
    return Told(batch.places[:, order], real, sorted_metrics, objectives, float(added.sum()))


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
