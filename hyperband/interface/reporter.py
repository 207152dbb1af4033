"""What a search says while it runs: one line per bracket, live on a terminal, plain and occasional when piped."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from hyperband.tuning.plans import Plan


@dataclass(frozen=True, slots=True)
class BracketStatus:
    """One bracket now.

    Parameters
    ----------
    bracket, rung, n_rungs : int
        ``rung`` is the highest one that was reached.
    alive : int, networks that train or may still go on
    best : float, smallest loss of this bracket so far; NaN before the first
    epochs, planned : float, passes over all training rows, of all networks of the bracket: done, and meant in all
    """

    bracket: int
    rung: int
    n_rungs: int
    alive: int
    best: float
    epochs: float
    planned: float


@dataclass(frozen=True, slots=True)
class Status:
    """The whole search now.

    Parameters
    ----------
    brackets : tuple of BracketStatus
        Of a search without end the last round, and what is not finished.
    seconds : float, since the start
    rate : float, network-epochs per second, over the last seconds
    """

    brackets: tuple[BracketStatus, ...]
    seconds: float
    rate: float

    @property
    def epochs(self) -> float:
        """Network-epochs done, of the brackets that are shown."""
        return sum(b.epochs for b in self.brackets)

    @property
    def planned(self) -> float:
        """Network-epochs meant, of the brackets that are shown."""
        return sum(b.planned for b in self.brackets)


class _Activity(Protocol):
    @property
    def bracket(self) -> int: ...
    @property
    def rung(self) -> int: ...
    @property
    def alive(self) -> int: ...
    @property
    def epochs(self) -> float: ...
    @property
    def best(self) -> float: ...


class Meter:
    """Turns what the evaluator does into a `Status`.

    Parameters
    ----------
    plan : Plan
    passes : float, passes over all rows per unit of resource
    """

    def __init__(self, plan: Plan, passes: float) -> None:
        self._exact, self._endless = plan.exact, plan.endless
        self._planned = [float(bracket.cost) * passes for bracket in plan.brackets]
        self._rungs = [len(bracket.rungs) for bracket in plan.brackets]
        self._start = time.monotonic()
        self._marks: list[tuple[float, float]] = [(0.0, 0.0)]  # (seconds, epochs) of the last seconds

    def status(self, activity: Sequence[_Activity]) -> Status:
        """The newest figures."""
        known = {a.bracket: a for a in activity}
        n = len(self._planned)
        end = max([n, *(k + 1 for k in known)]) if self._endless else n
        # Of a search without end the last round, and what is not finished.
        shown = [k for k in range(end) if k >= end - n or (k in known and known[k].alive)]
        brackets = tuple(self._bracket(k, k % n, known.get(k)) for k in shown)
        # The rate counts brackets that are no longer shown, too.
        seconds, epochs = time.monotonic() - self._start, sum(a.epochs for a in activity)
        self._marks = [mark for mark in self._marks if mark[0] >= seconds - _WINDOW] or self._marks[-1:]
        then, before = self._marks[0]
        self._marks.append((seconds, epochs))
        rate = (epochs - before) / (seconds - then) if seconds > then else 0.0
        return Status(brackets, seconds, rate)

    def _bracket(self, k: int, like: int, a: _Activity | None) -> BracketStatus:
        """Bracket k, planned as bracket ``like``."""
        planned, n_rungs = self._planned[like], self._rungs[like]
        if a is None:
            return BracketStatus(k, 0, n_rungs, 0, math.nan, 0.0, planned)
        if not self._exact:  # at least so much was meant
            planned = max(planned, a.epochs)
        return BracketStatus(k, a.rung, n_rungs, a.alive, a.best, min(a.epochs, planned), planned)


class Reporter:
    """Shows a `Status` as often as people can read: a live table on a terminal, else a line per bracket that moved.

    Parameters
    ----------
    stream : text stream, default stderr
    interval : float, seconds between two looks when not on a terminal
    """

    def __init__(self, stream: IO[str] | None = None, interval: float = 2.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = bool(getattr(self._stream, "isatty", lambda: False)())
        self._interval = 0.1 if self._terminal else interval
        self._next = 0.0
        self._shown: dict[int, str] = {}
        self._live: Any = None
        self._last: Status | None = None

    def __call__(self, status: Status) -> None:
        """Take note, and show it when it is time."""
        self._last = status
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._interval
            self._show(status)

    def close(self) -> None:
        """Show the last state and leave the terminal as it was."""
        if self._last is not None:
            self._show(self._last)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self, status: Status) -> None:
        if self._terminal:
            self._draw(status)
            return
        for bracket in status.brackets:
            line = bracket_line(bracket)
            if self._shown.get(bracket.bracket) != line and (bracket.alive or bracket.epochs):
                self._shown[bracket.bracket] = line
                print(f"[{status.seconds:5.1f} s] {line}, {_rate(status.rate)}", file=self._stream, flush=True)

    def _draw(self, status: Status) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.table import Table

        if self._live is None:
            self._live = Live(console=Console(file=self._stream), auto_refresh=False, transient=False)
            self._live.start()
        table = Table(title=None, box=None, pad_edge=False)
        for name in ("bracket", "rung", "alive", "best loss", "epochs", ""):
            table.add_column(name, justify="right")
        for b in status.brackets:
            bar = _bar(b.epochs / b.planned if b.planned else 1.0)
            best = "-" if math.isnan(b.best) else f"{b.best:.4f}"
            done = f"{b.epochs:,.0f} of {b.planned:,.0f}"
            table.add_row(str(b.bracket), f"{b.rung + 1} of {b.n_rungs}", str(b.alive), best, done, bar)
        table.caption = f"{status.seconds:.1f} s, {_rate(status.rate)}"
        self._live.update(table, refresh=True)


#: Seconds over which the speed is averaged.
_WINDOW = 5.0


def bracket_line(b: BracketStatus) -> str:
    """One bracket as plain text.

    Examples
    --------
    >>> bracket_line(BracketStatus(0, 1, 5, 27, 0.25, 120.0, 405.0))
    'bracket 0: rung 2 of 5, 27 alive, best loss 0.2500, 120 of 405 epochs'
    """
    best = "no loss yet" if math.isnan(b.best) else f"best loss {b.best:.4f}"
    return (
        f"bracket {b.bracket}: rung {b.rung + 1} of {b.n_rungs}, {b.alive} alive, {best}, "
        f"{b.epochs:,.0f} of {b.planned:,.0f} epochs"
    )


def _rate(rate: float) -> str:
    return f"{rate:,.0f} network-epochs/s" if rate >= 10 else f"{rate:.2g} network-epochs/s"


def _bar(fraction: float, width: int = 20) -> str:
    full = round(min(1.0, max(0.0, fraction)) * width)
    return "█" * full + "·" * (width - full)
