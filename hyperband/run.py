"""Ask and tell: joins who is tried (a sampler) with who goes on (a scheduler), and remembers every evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.records import Records
from hyperband.rungs import pack, unpack
from hyperband.schedule import Plan, as_float, whole_number
from hyperband.schedulers.base import Scheduler, Slot
from hyperband.trial import Job, Result

if TYPE_CHECKING:
    from hyperband.samplers.base import Sampler
    from hyperband.space import Space

STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The evaluation with the smallest loss so far, and the configuration that gave it.

    ``network`` is the trained model, where the evaluator keeps one.
    """

    trial: int
    configuration: Mapping[str, Any]
    loss: float
    resource: float
    bracket: int = 0
    rung: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    network: Any = None


class Run:
    """One run of an algorithm on a space; made by ``algorithm.start(space, seed)``.

    Parameters
    ----------
    space : Space
    scheduler : Scheduler
    sampler : Sampler
    seed : int >= 0
        Key of all draws. The same seed gives the same trials, in whatever order results arrive.

    Notes
    -----
    ``ask`` hands out jobs, of all brackets at once; ``tell`` takes their results, in any order and any grouping. All
    losses are minimised. A NaN or infinite loss is a failed trial: it is never promoted and never the best.
    """

    def __init__(self, space: Space, scheduler: Scheduler, sampler: Sampler, seed: int = 0) -> None:
        self.space, self.seed = space, whole_number(seed, "seed", 0)
        self.plan: Plan = scheduler.plan()
        self._allocation, self._proposer = scheduler.start(), sampler.start(space, self.seed)
        self._points = _Points(space.n_dimensions)
        self._open: dict[int, Slot] = {}
        self._waiting: list[Slot] = []  # new trials whose configuration the sampler has not yet proposed
        self._records = Records()
        self._full = as_float(self.plan.max_resource)
        self._best: Result | None = None
        self._best_at_full: Result | None = None

    @property
    def done(self) -> bool:
        """Nothing is open and nothing will be asked for."""
        return self._allocation.done

    @property
    def open_jobs(self) -> list[Job]:
        """Jobs handed out and not yet told, in the order of their trials; a resumed search does these first."""
        return self._jobs([self._open[trial] for trial in sorted(self._open)])

    @property
    def n_evaluations(self) -> int:
        """Results told so far."""
        return len(self._records)

    @property
    def n_configurations(self) -> int:
        """Configurations handed out so far."""
        return len(self._points)

    @property
    def spent(self) -> float:
        """Resource of the results told so far, when trials go on from where they were paused."""
        return self._records.spent

    @property
    def best(self) -> Incumbent | None:
        """Smallest loss seen, at any resource; ties by trial number, then rung. None before the first finite one."""
        return None if self._best is None else self._incumbent(self._best)

    @property
    def best_at_full(self) -> Incumbent | None:
        """Smallest loss seen at the maximal resource; None before the first finite one."""
        return None if self._best_at_full is None else self._incumbent(self._best_at_full)

    @property
    def results(self) -> list[Result]:
        """All results told so far in the order (bracket, rung, trial)."""
        return [self._records.result(row) for row in self._records.order()]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The same as arrays: trial, bracket, rung, resource, loss, cost and one column a metric (NaN where absent)."""
        order = self._records.order()
        return {name: values[order] for name, values in self._records.columns().items()}

    @property
    def order(self) -> NDArray[np.int64]:
        """Rows of `columns` in the order in which they were told."""
        return np.argsort(self._records.order(), kind="stable").astype(np.int64)

    def configuration(self, trial: int) -> dict[str, Any]:
        """Parameter values of a trial."""
        return self.configurations([trial])[0]

    def configurations(self, trials: Sequence[int]) -> list[dict[str, Any]]:
        """Parameter values of trials, decoded together."""
        return self.space.decode(self._points.of(trials)) if len(trials) else []

    def ask(self, n: int | None = None) -> list[Job]:
        """Jobs that can start now: up to ``n``, or all of them.

        An empty answer means that results are awaited, or that the run is done.
        """
        limit = math.inf if n is None else whole_number(n, "n")
        ready: list[Slot] = []
        while len(ready) < limit:
            asked = self._allocation.ask(None if n is None else int(limit) - len(ready))
            ready += [slot for slot in asked if slot.rung > 0]
            self._waiting += [slot for slot in asked if slot.rung == 0]
            room = len(self._waiting) if n is None else int(limit) - len(ready)
            placed = self._place(room)
            ready += placed
            # A sampler that waits for results although nothing is open would wait for ever: it has run dry too.
            dry = self._proposer.exhausted or not (placed or ready or self._open)
            withdrawn = bool(self._waiting) and dry and len(ready) < limit
            if withdrawn:
                self._allocation.withdraw([slot.trial for slot in self._waiting])
                self._waiting = []
            if not (asked or placed or withdrawn):
                break
        self._open.update((slot.trial, slot) for slot in ready)
        return self._jobs(ready)

    def tell(self, results: Iterable[Result] | Result) -> None:
        """Enter results of open jobs, in any order; all of them, or none when one is refused.

        Raises
        ------
        InputError
            When a result is of a trial that has no open job, or of another bracket, rung or resource than its job,
            when a trial occurs twice, or when a loss, cost or metric is not a number.
        """
        batch = [results] if isinstance(results, Result) else list(results)
        seen: set[int] = set()
        checked = [self._check(result, seen) for result in batch]
        # Samplers that learn see a batch in one fixed order, however it was shuffled on the way.
        for result in sorted(checked, key=lambda r: (r.bracket, r.rung, r.trial)):
            slot = self._open.pop(result.trial)
            self._allocation.tell(result.trial, result.rung, result.loss)
            self._proposer.tell(result.trial, result.resource, result.loss)
            self._records.append(result, slot.resource - slot.previous)
            self._rank(result)

    def dropped(self) -> list[int]:
        """Trials that will never go on, each named once, since the last call: what they hold can be freed."""
        return self._allocation.dropped()

    def state_dict(self) -> dict[str, Any]:
        """The whole state as plain JSON-able data, open jobs included; exact at any point."""
        return {
            "version": STATE_VERSION,
            **self._identity(),
            "allocation": self._allocation.state_dict(),
            "proposer": self._proposer.state_dict(),
            "points": self._points.state_dict(),
            "open": [list(self._open[trial]) for trial in sorted(self._open)],
            "waiting": [list(slot) for slot in self._waiting],
            "records": self._records.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was taken, of a run with the same algorithm, space and seed."""
        if state.get("version") != STATE_VERSION:
            raise InputError(f"The state must be of version {STATE_VERSION}; got {state.get('version')!r}.")
        for name, mine in self._identity().items():
            if state[name] != mine:
                raise InputError(f"The state must be of a run with the same {name} ({mine}); got {state[name]}.")
        points, records = (
            _Points.from_state(state["points"], self.space.n_dimensions),
            Records.from_state(state["records"]),
        )
        self._allocation.load_state_dict(state["allocation"])
        self._proposer.load_state_dict(state["proposer"])
        self._points, self._records = points, records
        self._open = {slot[0]: Slot(*slot) for slot in state["open"]}
        self._waiting = [Slot(*slot) for slot in state["waiting"]]
        self._best = self._best_at_full = None
        for row in range(len(self._records)):
            self._rank(self._records.result(row))

    def _identity(self) -> dict[str, Any]:
        return {"seed": self.seed, "plan": self.plan.to_dict(), "space": self.space.to_json()}

    def _place(self, room: int) -> list[Slot]:
        """Ask the sampler for the configurations of the first waiting trials; in order, so that ids mean the same."""
        chosen = self._waiting[:room]
        if not chosen:
            return []
        points = self._proposer.propose([slot.trial for slot in chosen], [slot.resource for slot in chosen])
        placed = chosen[: len(points)]
        self._points.add([slot.trial for slot in placed], points)
        self._waiting = self._waiting[len(placed) :]
        return placed

    def _jobs(self, slots: Sequence[Slot]) -> list[Job]:
        known = self.configurations([slot.trial for slot in slots])
        return [
            Job(slot.trial, slot.bracket, slot.rung, configuration, slot.resource, slot.previous)
            for slot, configuration in zip(slots, known, strict=True)
        ]

    def _check(self, result: Result, seen: set[int]) -> Result:
        slot = self._open.get(result.trial)
        if slot is None or result.trial in seen:
            raise InputError(
                f"A result must be of a trial with an open job; got trial {result.trial}. Ask for it first."
            )
        place = (result.bracket, result.rung, result.resource)
        if place != (slot.bracket, slot.rung, slot.resource):
            raise InputError(
                f"The result of trial {result.trial} must be of bracket {slot.bracket}, rung {slot.rung}, resource "
                f"{slot.resource}; got {place[0]}, {place[1]}, {place[2]}."
            )
        seen.add(result.trial)
        metrics = {str(name): _number(value, f"metrics[{name!r}]") for name, value in result.metrics.items()}
        loss, cost = _number(result.loss, "loss"), _number(result.cost, "cost")
        return Result(slot.trial, slot.bracket, slot.rung, slot.resource, loss, metrics, cost)

    def _rank(self, result: Result) -> None:
        if math.isfinite(result.loss):
            self._best = _better(result, self._best)
            if result.resource == self._full:
                self._best_at_full = _better(result, self._best_at_full)

    def _incumbent(self, r: Result) -> Incumbent:
        return Incumbent(r.trial, self.configuration(r.trial), r.loss, r.resource, r.bracket, r.rung, r.metrics)


class _Points:
    """Points of the unit cube by trial number: one growing matrix, 8 bytes a value."""

    def __init__(self, n_dimensions: int) -> None:
        self._values = np.zeros((0, n_dimensions))
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, trials: Sequence[int], points: NDArray[np.float64]) -> None:
        start, stop = len(self._rows), len(self._rows) + len(trials)
        if stop > len(self._values):
            room = np.zeros((max(stop, 2 * len(self._values)) - start, self._values.shape[1]))
            self._values = np.concatenate([self._values[:start], room])
        self._values[start:stop] = points
        self._rows.update(zip(trials, range(start, stop), strict=True))

    def of(self, trials: Sequence[int]) -> NDArray[np.float64]:
        try:
            return self._values[[self._rows[trial] for trial in trials]]
        except KeyError as missing:
            raise InputError(f"A trial must have been handed out; got {missing}.") from None

    def state_dict(self) -> dict[str, Any]:
        return {"trials": list(self._rows), "values": pack(self._values[: len(self)].ravel())}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_dimensions: int) -> _Points:
        points = cls(n_dimensions)
        values = unpack(state["values"])
        if len(values) != len(state["trials"]) * n_dimensions:
            raise InputError(f"The state must be of a space with {n_dimensions} dimensions. Use the space of that run.")
        points.add(state["trials"], values.reshape(-1, n_dimensions))
        return points


def _better(a: Result, b: Result | None) -> Result:
    return a if b is None or (a.loss, a.trial, a.rung) < (b.loss, b.trial, b.rung) else b


def _number(value: Any, name: str) -> float:
    try:
        if isinstance(value, str | bytes | complex):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"`{name}` must be a number (NaN for a failed trial); got {value!r}.") from None
