"""What a search shows while it runs: a live table on a terminal, else a plain line from time to time."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from typing import IO, Any

from hyperband.evaluation.progress import BracketProgress, SearchProgress

#: Seconds between two drawings on a terminal.
REDRAWN = 0.1
#: Lines wait at least this share of the time since the start: a search of hours writes some two hundred.
SHARE = 0.02
#: Columns of a terminal from which on the bars are long.
WIDE = 100


class Reporter:
    """Shows a `SearchProgress` as often as people can read it.

    Parameters
    ----------
    stream : text stream, default stderr
        On a terminal it gets one table, redrawn in place; else a line from time to time.
    interval : float, seconds
        Between two lines when the stream is no terminal; longer searches write them less often.
    """

    def __init__(self, stream: IO[str] | None = None, interval: float = 2.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._terminal = self._stream.isatty()
        self._interval = REDRAWN if self._terminal else interval
        self._next = 0.0
        self._shown = ""
        self._live: Any = None
        self._last: SearchProgress | None = None

    def __call__(self, progress: SearchProgress) -> None:
        """Remember the progress, and show it when it is time."""
        self._last = progress
        if time.monotonic() >= self._next:
            wait = self._interval if self._terminal else max(self._interval, SHARE * progress.seconds)
            self._next = time.monotonic() + wait
            self._show(progress)

    def close(self) -> None:
        """Show the last progress, and leave the terminal as it was."""
        if self._last is not None:
            self._show(self._last)
        if self._live is not None:
            with suppress(OSError, ValueError):
                self._live.stop()
            self._live = None

    def _show(self, progress: SearchProgress) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more, or its disk is full: the search goes on
            if self._terminal:
                self._draw(progress)
            elif (line := progress_line(progress)) != self._shown:
                self._shown = line
                print(f"[{progress.seconds:5.1f} s] {line}", file=self._stream, flush=True)

    def _draw(self, progress: SearchProgress) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.table import Table

        if self._live is None:
            self._live = Live(console=Console(file=self._stream), auto_refresh=False, transient=False)
            self._live.start()
        table = Table(title=None, box=None, pad_edge=False)
        for name in ("bracket", "rung", "trials left", "best loss", progress.unit, ""):
            table.add_column(name, justify="right", no_wrap=True)
        bar = 20 if self._live.console.width >= WIDE else 10
        for b in progress.brackets:
            cells = [str(b.bracket), f"{b.rung + 1} of {b.n_rungs}", str(b.trials_left), _best(b.best) or "-"]
            table.add_row(*cells, _done(b, progress.exact, "≥ "), _bar(b, progress.exact, bar))
        table.caption = f"{progress.seconds:.1f} s, {_pace(progress)}"
        self._live.update(table, refresh=True)


def progress_line(progress: SearchProgress) -> str:
    """The whole search as one line of plain text.

    Examples
    --------
    >>> first, second = BracketProgress(0, 1, 5, 27, 0.25, 120.0, 405.0), BracketProgress(1, 0, 4, 0, 0.0, 0.0, 363.0)
    >>> progress_line(SearchProgress((first, second), "epochs", 3.0, rate=40.0, seconds_left=16.2))
    'bracket 0: rung 2 of 5, 27 trials left, best loss 0.2500, 120 of 768 epochs, 40 epochs/s, about 16 s left'
    """
    begun = [b for b in progress.brackets if b.done or b.trials_left]
    now = [b for b in begun if b.trials_left] or begun[-1:]
    where = [f"bracket {b.bracket}: rung {b.rung + 1} of {b.n_rungs}" for b in now[:1]]
    if len(now) > 1:
        where.append(f"{len(now) - 1} more open")
    left = sum(b.trials_left for b in now)
    best = min((b.best for b in begun if not math.isnan(b.best)), default=math.nan)
    return ", ".join(
        [
            *where,
            f"{left} trial{'' if left == 1 else 's'} left",
            f"best loss {_best(best)}" if _best(best) else "no loss yet",
            f"{_done(progress, progress.exact, 'at least ')} {progress.unit}",
            _pace(progress),
        ]
    )


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


def _best(loss: float) -> str:
    return "" if math.isnan(loss) else f"{loss:.4f}"


def _done(of: BracketProgress | SearchProgress, exact: bool, at_least: str) -> str:
    if exact:
        return f"{_resource(of.done)} of {_resource(of.planned)}"
    # An asynchronous bracket continues beyond what is planned at least: then nobody knows how far.
    return f"{_resource(of.done)} of {at_least}{_resource(of.planned)}" if of.done < of.planned else _resource(of.done)


def _bar(b: BracketProgress, exact: bool, width: int) -> str:
    if not exact and b.done >= b.planned:
        return ""
    full = round(min(1.0, b.done / b.planned if b.planned else 1.0) * width)
    return "█" * full + "·" * (width - full)
