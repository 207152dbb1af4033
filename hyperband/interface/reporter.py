"""What a search shows while it runs: a live table on a terminal, else a plain line per bracket from time to time."""

from __future__ import annotations

import math
import sys
import time
from typing import IO, Any

from hyperband.evaluation.progress import BracketProgress, SearchProgress


class Reporter:
    """Shows a `SearchProgress` as often as people can read it.

    Parameters
    ----------
    stream : text stream, default stderr
        On a terminal it gets one table, redrawn in place; else a line for each bracket that has moved.
    interval : float, seconds between two looks when the stream is no terminal
    """

    def __init__(self, stream: IO[str] | None = None, interval: float = 2.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = self._stream.isatty()
        self._interval = 0.1 if self._terminal else interval
        self._next = 0.0
        self._shown: dict[int, str] = {}
        self._live: Any = None
        self._last: SearchProgress | None = None

    def __call__(self, progress: SearchProgress) -> None:
        """Remember the progress, and show it when it is time."""
        self._last = progress
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._interval
            self._show(progress)

    def close(self) -> None:
        """Show the last progress, and leave the terminal as it was."""
        if self._last is not None:
            self._show(self._last)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show(self, progress: SearchProgress) -> None:
        if self._terminal:
            self._draw(progress)
            return
        for bracket in progress.brackets:
            line = bracket_line(bracket, progress.unit, progress.exact)
            if self._shown.get(bracket.bracket) != line and (bracket.alive or bracket.done):
                self._shown[bracket.bracket] = line
                print(f"[{progress.seconds:5.1f} s] {line}, {_pace(progress)}", file=self._stream, flush=True)

    def _draw(self, progress: SearchProgress) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.table import Table

        if self._live is None:
            self._live = Live(console=Console(file=self._stream), auto_refresh=False, transient=False)
            self._live.start()
        table = Table(title=None, box=None, pad_edge=False)
        for name in ("bracket", "rung", "alive", "best loss", progress.unit, ""):
            table.add_column(name, justify="right")
        for b in progress.brackets:
            best = "-" if math.isnan(b.best) else f"{b.best:.4f}"
            cells = [str(b.bracket), f"{b.rung + 1} of {b.n_rungs}", str(b.alive), best]
            table.add_row(*cells, _done(b, progress.exact), _bar(b, progress.exact))
        table.caption = f"{progress.seconds:.1f} s, {_pace(progress)}"
        self._live.update(table, refresh=True)


def bracket_line(b: BracketProgress, unit: str, exact: bool = True) -> str:
    """One bracket as plain text.

    Examples
    --------
    >>> bracket_line(BracketProgress(0, 1, 5, 27, 0.25, 120.0, 405.0), "epochs")
    'bracket 0: rung 2 of 5, 27 alive, best loss 0.2500, 120 of 405 epochs'
    >>> bracket_line(BracketProgress(0, 1, 5, 27, 0.25, 120.0, 405.0), "epochs", exact=False)
    'bracket 0: rung 2 of 5, 27 alive, best loss 0.2500, 120 of at least 405 epochs'
    """
    best = "no loss yet" if math.isnan(b.best) else f"best loss {b.best:.4f}"
    return f"bracket {b.bracket}: rung {b.rung + 1} of {b.n_rungs}, {b.alive} alive, {best}, {_done(b, exact)} {unit}"


def duration(seconds: float) -> str:
    """A time for people.

    Examples
    --------
    >>> duration(7.4), duration(190), duration(7300)
    ('7 s', '3 min', '2 h 02 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _pace(progress: SearchProgress) -> str:
    rate = f"{_resource(progress.rate)} {progress.unit}/s"
    left = progress.seconds_left
    return rate if not left else f"{rate}, about {duration(left)} left"


def _resource(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _done(b: BracketProgress, exact: bool) -> str:
    if exact:
        return f"{_resource(b.done)} of {_resource(b.planned)}"
    # An asynchronous bracket continues beyond what is planned at least: then nobody knows how far.
    return f"{_resource(b.done)} of at least {_resource(b.planned)}" if b.done < b.planned else _resource(b.done)


def _bar(b: BracketProgress, exact: bool, width: int = 20) -> str:
    if not exact and b.done >= b.planned:
        return ""
    full = round(min(1.0, b.done / b.planned if b.planned else 1.0) * width)
    return "█" * full + "·" * (width - full)
