"""A population run from Python: epochs, validation, snapshots, pauses and threads, once for every Python backend.

The arithmetic is a backend's `Kernels`; this module only schedules. Members share nothing: one
thread at a time works on each, in pieces whose ends do not change the results.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import F32, F64, I64, HostSplit, Member, Split, TrainingProgress
from hyperband.engine.backends.device_array import DeviceMatrix
from hyperband.engine.backends.layout import Layout, has_average, has_first_moment, has_second_moment
from hyperband.engine.backends.philox import initial_values
from hyperband.engine.backends.state import MemberState, State, export_state, import_state
from hyperband.errors import InputError

#: Work of one piece, in floating-point operations: some 10 ms, so that Ctrl-C and ``seconds`` take effect soon.
_PIECE = 2e8


class Kernels(Protocol):
    """The arithmetic of one backend on one problem (loss, number of outputs), safe to call from several threads."""

    dtype: Any

    def stride(self, width: int) -> int:
        """Row length in memory of a matrix of this many outputs."""

    def zeros(self, size: int) -> NDArray[Any]:
        """A flat array for `Layout`."""

    def steps(self, state: MemberState, train: HostSplit, count: int) -> tuple[int, float]:
        """Up to ``count`` optimiser steps within the epoch, from ``state.step`` and ``state.position``.

        Returns how many were done (fewer: the next one's loss is not finite) and the new ``running``. Changes the
        arrays of ``state`` only.
        """

    def evaluate(self, state: MemberState, weights: NDArray[Any], split: HostSplit) -> tuple[float, float]:
        """Loss and error on the whole split."""

    def outputs(self, state: MemberState, weights: NDArray[Any], x: F32) -> F32:
        """Raw outputs, shape (n_rows, n_outputs)."""


class HostEngine:
    """`hyperband.engine.backends.base.Engine` over some `Kernels`. Its methods are for one calling thread at a time."""

    def __init__(
        self, kernels: Kernels, train: Split, validation: Split | None, loss: str, n_outputs: int, threads: int
    ) -> None:
        self._kernels, self._loss, self._n_outputs, self._threads = kernels, loss, n_outputs, threads
        self._train = _own(checks.check_split(train, None, loss, n_outputs, "train"))
        self._n_rows, self._n_inputs = self._train.x.shape
        self._numbers = checks.check_numbers(train, self._n_inputs)
        self._validation: HostSplit | None = None
        if validation is not None:
            self._validation = _own(checks.check_split(validation, self._n_inputs, loss, n_outputs, "validation"))
        self._states: dict[int, MemberState] = {}
        self._next = 0

    def add(self, members: Sequence[Member]) -> I64:
        for member in members:
            checks.check_member(member)
        needed = sum(self.bytes_per_member(member.architecture) for member in members)
        memory.require(needed + self._reserved(), f"{len(members)} members", checks.FEWER)
        ids = np.arange(self._next, self._next + len(members), dtype=np.int64)
        for identity, member in zip(ids.tolist(), members, strict=True):
            self._states[identity] = self._initialised(member)
        self._next += len(members)
        return ids

    def train(
        self,
        members: I64,
        until_step: I64,
        *,
        rows: int | None = None,
        inputs: int | None = None,
        evaluate: bool = True,
        seconds: float | None = None,
    ) -> NDArray[np.bool_]:
        states = self._listed(members)
        until = checks.check_until(until_step, len(states))
        n_rows = checks.check_range(rows, self._n_rows, "rows")
        n_inputs = checks.check_range(inputs, self._n_inputs, "inputs")
        checks.check_all_seen((state.member.architecture for state in states), n_inputs, self._n_inputs)
        deadline = time.monotonic() + seconds if seconds is not None else np.inf
        arrived = np.array([s.diverged or s.step >= goal for s, goal in zip(states, until, strict=True)], np.bool_)

        def work(index: int, stop: threading.Event) -> None:
            arrived[index] = self._advance(states[index], int(until[index]), evaluate, deadline, stop)

        for state in states:
            state.begin_epoch(n_rows, n_inputs)
        cost = [(int(goal) - s.step) * _step_work(s, n_inputs) for s, goal in zip(states, until, strict=True)]
        self._share_out(work, sorted(np.flatnonzero(~arrived).tolist(), key=lambda index: -cost[index]), deadline)
        return arrived

    def progress(self, members: I64) -> TrainingProgress:
        states = self._listed(members)

        def column(name: str, dtype: Any) -> Any:
            return np.array([getattr(state, name) for state in states], dtype)

        counts = {name: column(name, np.int64) for name in ("step", "epoch", "best_step")}
        scores = {name: column(name, np.float64) for name in _SCORES}
        return TrainingProgress(**counts, **scores, diverged=column("diverged", np.bool_))

    def evaluate(self, members: I64, split: Split, *, weights: str = "current") -> tuple[F64, F64]:
        states = self._listed(members)
        numbers = [_which(state, weights) for state in states]
        split = checks.check_split(split, self._n_inputs, self._loss, self._n_outputs, "split")
        loss, error = np.empty(len(states)), np.empty(len(states))

        def work(index: int, stop: threading.Event) -> None:
            loss[index], error[index] = self._kernels.evaluate(states[index], numbers[index], split)

        self._share_out(work, list(range(len(states))), np.inf)
        return loss, error

    def predict(self, member: int, x: F32 | DeviceMatrix, *, weights: str = "current") -> F32:
        state = self._state(member)
        return self._kernels.outputs(state, _which(state, weights), checks.check_inputs(x, self._n_inputs, "x"))

    def forget_best(self, members: I64) -> None:
        for state in self._listed(members):
            state.forget_best()

    def release(self, members: I64) -> None:
        self._listed(members)
        for identity in checks.check_ids(members).tolist():
            del self._states[identity]

    def export_state(self, member: int) -> State:
        return export_state(self._state(member))

    def import_state(self, member: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        import_state(self._state(member), state, self._n_rows)

    def capacity(self) -> int | None:
        return memory.usable_bytes()

    def bytes_per_member(self, architecture: Architecture) -> int:
        more = has_first_moment(architecture) + has_second_moment(architecture) + has_average(architecture)
        size = self._layout(architecture).size
        return size * int(np.dtype(self._kernels.dtype).itemsize) * (2 + more)

    def _layout(self, architecture: Architecture) -> Layout:
        return Layout.of(architecture, self._n_inputs, self._n_outputs, self._kernels.stride, self._numbers)

    def _initialised(self, member: Member) -> MemberState:
        architecture, zeros = member.architecture, self._kernels.zeros
        layout = self._layout(architecture)
        first = zeros(layout.size) if has_first_moment(architecture) else None
        second = zeros(layout.size) if has_second_moment(architecture) else None
        state = MemberState(member, layout, zeros(layout.size), first, second)
        for parameter, view in zip(layout.parameters, layout.views(state.weights), strict=True):
            view[...] = initial_values(member.seed, architecture, parameter)
        if has_average(architecture):
            state.average = zeros(layout.size)
            state.average[:] = state.weights
        return state

    def _reserved(self) -> int:
        """Bytes that living members will take although the system still counts them as free."""
        total = 0
        for state in self._states.values():
            whole = self.bytes_per_member(state.member.architecture)
            total += whole - state.weights.nbytes if state.step == 0 else state.weights.nbytes * (state.best is None)
        return total

    def _advance(self, state: MemberState, goal: int, evaluate: bool, deadline: float, stop: threading.Event) -> bool:
        """Train one member until ``goal``, the deadline or a stop; at least one piece of work. True: arrived."""
        batch = state.member.architecture.batch_size
        while state.step < goal and not state.diverged:
            in_epoch = -(-state.rows // batch)
            piece = max(1, int(_PIECE / _step_work(state, state.inputs)))
            count = min(goal - state.step, in_epoch - state.position, piece)
            done, state.running = self._kernels.steps(state, self._train, count)
            state.step += done
            state.position += done
            if done < count:
                state.diverge()
                break
            if state.position == in_epoch:
                state.train_loss = state.running / state.rows
                state.position, state.running, state.epoch = 0, 0.0, state.epoch + 1
            if evaluate and (state.position == 0 or state.step == goal):
                self._validate(state)
            if state.step < goal and (stop.is_set() or time.monotonic() >= deadline):
                return False
        return True

    def _validate(self, state: MemberState) -> None:
        if self._validation is not None:
            state.record_validation(*self._kernels.evaluate(state, state.current, self._validation))

    def _share_out(self, work: Callable[[int, threading.Event], None], indices: list[int], deadline: float) -> None:
        """Do ``work`` for every index, in order, on this engine's threads.

        The calling thread only waits: it alone receives Ctrl-C, and a member is never left in the middle of a step.
        """
        todo, stop = deque(indices), threading.Event()

        def worker() -> None:
            first = True
            while todo and not stop.is_set() and (first or time.monotonic() < deadline):
                first = False
                try:
                    index = todo.popleft()
                except IndexError:  # another thread took the last one
                    return
                work(index, stop)

        with ThreadPoolExecutor(max(1, min(self._threads, len(indices)))) as pool:
            pending = {pool.submit(worker) for _ in range(min(self._threads, len(indices)))}
            try:
                while pending:  # a signal is handled between two waits, on every platform
                    done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                    for future in done:
                        future.result()
            finally:
                stop.set()

    def _listed(self, members: I64) -> list[MemberState]:
        return [self._state(identity) for identity in checks.check_ids(members).tolist()]

    def _state(self, member: int) -> MemberState:
        try:
            return self._states[int(member)]
        except KeyError:
            raise InputError(f"`members` must name living members of this engine; got {member!r}.") from None


def _own(split: HostSplit) -> HostSplit:
    """A copy: later changes of the caller's arrays must not matter."""
    return HostSplit(split.x.copy(), split.y.copy(), None if split.weight is None else split.weight.copy())


_SCORES = ("loss", "error", "best_loss", "best_error", "train_loss")


def _which(state: MemberState, weights: str) -> NDArray[Any]:
    if weights == "current":
        return state.current
    if weights != "best":
        raise InputError(f'`weights` must be "current" or "best"; got {weights!r}.')
    if state.best is None:
        raise InputError('`weights` = "best" needs a validated member; got one without a snapshot. Use "current".')
    return state.best


def _step_work(state: MemberState, inputs: int) -> float:
    """Floating-point operations of one step, roughly: for the order of work and the size of pieces."""
    a = state.member.architecture
    n = a.n_parameters(max(1, inputs), state.layout.dims[-1])
    return 6.0 * n * a.batch_size + 20.0 * n + 2e4
