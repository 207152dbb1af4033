"""One member's whole state, exported and imported as named arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.backends.base import Member
from hyperband.engine.backends.layout import Layout
from hyperband.engine.parameters import Parameter
from hyperband.errors import InputError

State = dict[str, NDArray[np.generic]]


@dataclass(slots=True)
class MemberState:
    """A member's state; the arrays are flat, see `Layout`.

    ``position`` counts the steps done within the unfinished epoch, ``rows`` and ``inputs`` are those of that epoch
    (0 before the first step). ``running`` is the sum of its steps' mean losses times their row counts.
    """

    member: Member
    layout: Layout
    weights: NDArray[Any]
    m: NDArray[Any] | None
    v: NDArray[Any] | None
    average: NDArray[Any] | None = None
    best: NDArray[Any] | None = None
    step: int = 0
    epoch: int = 0
    position: int = 0
    rows: int = 0
    inputs: int = 0
    best_step: int = -1
    diverged: bool = False
    loss: float = math.nan
    error: float = math.nan
    best_loss: float = math.inf
    best_error: float = math.nan
    train_loss: float = math.nan
    running: float = 0.0

    @property
    def current(self) -> NDArray[Any]:
        """What is validated and predicted with: the average where there is one, else the weights."""
        return self.weights if self.average is None else self.average

    def begin_epoch(self, rows: int, inputs: int) -> None:
        """Continue with this many rows and columns: a change starts a new epoch."""
        if (rows, inputs) == (self.rows, self.inputs):
            return
        if self.position > 0:
            self.epoch += 1
        self.rows, self.inputs, self.position, self.running = rows, inputs, 0, 0.0

    def diverge(self) -> None:
        self.diverged = True
        self.loss = self.error = math.nan

    def record_validation(self, loss: float, error: float) -> None:
        """Keep a validation; the snapshot is replaced by a strictly smaller loss only, never by NaN."""
        self.loss, self.error = loss, error
        if loss < self.best_loss:
            self.best_loss, self.best_error, self.best_step = loss, error, self.step
            if self.best is None:
                self.best = np.empty_like(self.weights)
            self.best[:] = self.current

    def forget_best(self) -> None:
        self.best, self.best_loss, self.best_error, self.best_step = None, math.inf, math.nan, -1


_COUNTERS = ("step", "epoch", "position", "rows", "inputs", "best_step", "diverged")
_SCORES = ("loss", "error", "best_loss", "best_error", "train_loss", "running")
_ARENAS = {"": "weights", "m.": "m", "v.": "v", "average.": "average", "best.": "best"}


def export_state(state: MemberState) -> State:
    """Copies of everything; names as in `Engine.export_state`."""
    out: State = {
        "counters": np.array([int(getattr(state, name)) for name in _COUNTERS], np.int64),
        "scores": np.array([getattr(state, name) for name in _SCORES], np.float64),
    }
    for prefix, name in _ARENAS.items():
        numbers = getattr(state, name)
        if numbers is not None:
            out.update((prefix + parameter.name, view.copy()) for parameter, view in _kept(state.layout, name, numbers))
    return out


def import_state(state: MemberState, given: Mapping[str, NDArray[np.generic]], n_rows: int) -> None:
    """Overwrite ``state``; everything is checked first, so that a refused import changes nothing.

    Raises
    ------
    InputError
        When a name is missing or unknown, a shape or kind of number is wrong, or a counter is impossible.
    """
    counters, scores = _array(given, "counters", (7,), "iu"), _array(given, "scores", (6,), "f")
    _check_counters([int(c) for c in counters], state, n_rows)
    arenas: dict[str, NDArray[Any] | None] = {}
    known = {"counters", "scores"}
    for prefix, name in _ARENAS.items():
        first = prefix + state.layout.parameters[0].name
        if not (first in given if name == "best" else getattr(state, name) is not None):
            arenas[name] = None
            continue
        numbers = arenas[name] = np.zeros_like(state.weights)
        for parameter, view in _kept(state.layout, name, numbers):
            key = prefix + parameter.name
            view[...] = _array(given, key, view.shape, "f")
            known.add(key)
    unknown = sorted(set(given) - known)
    if unknown:
        raise InputError(
            f"A state must hold only what this architecture has; got also {', '.join(map(repr, unknown))}. "
            "Import it into a member of the architecture that it was exported from."
        )
    if (arenas["best"] is None) != (int(counters[5]) < 0):
        raise InputError(
            "A state must hold a best snapshot exactly when its best_step is >= 0; "
            f"got best_step {int(counters[5])} and {'no' if arenas['best'] is None else 'a'} snapshot."
        )
    for name, arena in arenas.items():
        setattr(state, name, arena)
    for name, counter in zip(_COUNTERS, counters, strict=True):
        setattr(state, name, int(counter))
    state.diverged = bool(state.diverged)
    for name, score in zip(_SCORES, scores, strict=True):
        setattr(state, name, float(score))


def _kept(layout: Layout, arena: str, numbers: NDArray[Any]) -> Iterator[tuple[Parameter, NDArray[Any]]]:
    """The parameters that have this kind of state, with their views in the flat array."""
    for parameter, view in zip(layout.parameters, layout.views(numbers), strict=True):
        if arena in ("weights", "average", "best", *parameter.kind.moments):
            yield parameter, view


def _array(given: Mapping[str, NDArray[np.generic]], key: str, shape: tuple[int, ...], kinds: str) -> NDArray[Any]:
    if key not in given:
        raise InputError(f"A state must hold the array {key!r} for this architecture; it is missing.")
    array = np.asarray(given[key])
    if array.shape != shape or array.dtype.kind not in kinds:
        kind = "whole" if kinds == "iu" else "floating-point"
        raise InputError(
            f"The state's array {key!r} must hold {kind} numbers of shape {shape}; "
            f"got {array.dtype} of shape {array.shape}."
        )
    return array


def _check_counters(counters: list[int], state: MemberState, n_rows: int) -> None:
    step, epoch, position, rows, inputs, best_step, diverged = counters
    batch = state.member.architecture.batch_size
    possible = (
        min(step, epoch, position, rows, inputs) >= 0
        and rows <= n_rows
        and inputs <= state.layout.dims[0]
        and position <= step
        and (position < -(-rows // batch) or position == 0)
        and -1 <= best_step <= step
        and diverged in (0, 1)
    )
    if not possible:
        raise InputError(
            "A state's counters must be possible for this member (step, epoch, position, rows, inputs, best_step, "
            f"diverged; {n_rows} rows, {state.layout.dims[0]} inputs, batches of {batch}); got {counters}."
        )
