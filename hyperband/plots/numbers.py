"""The numbers of the trials in a landscape: which number a trial has, and where it can be read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.plots.canvas import extent, ink_on
from hyperband.plots.marks import BIG, DrawnTrials
from hyperband.plots.plotted_result import Outcomes, PlottedResult
from hyperband.plots.style import SMALL, TINY, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: What the numbers count, and how a legend says so.
NUMBERS = {"order": "numbers: order of drawing", "discarded": "numbers: order of discarding"}

#: Width and height of a digit in ems (DejaVu Sans, in which matplotlib writes unless told otherwise).
DIGIT, TALL = 0.64, 0.76
#: Directions in which a number may stand beside its mark, the most readable first.
_AROUND = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0)])
#: So many trials are tried for a number: those that received the most resource.
_TRIED = 600


def check_numbers(numbers: str) -> None:
    """Check what the numbers are to count; raises `InputError` when that is unknown."""
    if not isinstance(numbers, str) or numbers not in NUMBERS:
        raise InputError(f"`numbers` must be one of {', '.join(NUMBERS)}; got {numbers!r}.")


def discards(result: PlottedResult) -> bool:
    """Whether the plan of a result drops trials: whether a bracket has several rungs."""
    return any(len(bracket.rungs) > 1 for bracket in result.plan.brackets)


def numbers_of(result: PlottedResult, outcomes: Outcomes, numbers: str) -> I64:
    """The number of each trial, shape (n_trials,).

    "order" is the number of the trial, from 0 in the order in which configurations were drawn. "discarded" counts from
    1 in the order in which a bracket after the other drops its trials: rung by rung, failed trials first, then the
    largest loss first. The trials that were never dropped come last in their bracket, the best of them at the end.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0)})
    >>> result = hb.minimize(lambda c, resource: c["x"], space, hb.SuccessiveHalving(3, n=3))
    >>> outcomes = Outcomes.of(result)
    >>> numbers_of(result, outcomes, "discarded")[outcomes.best].item()
    3
    """
    if numbers == "order":
        return outcomes.trial
    bracket = np.asarray(result.trials["bracket"])[outcomes.row]
    loss = np.where(outcomes.failed, np.inf, outcomes.loss)
    found = np.empty(len(outcomes.trial), dtype=np.int64)
    found[np.lexsort((outcomes.trial, -loss, outcomes.level, bracket))] = np.arange(1, len(found) + 1)
    return found


def _size_inside(text: str, widest: float) -> float:
    """Font size at which digits fit into a mark of this diameter, at most 5.5 points; 0 where that is illegible."""
    size = min(5.5, 0.86 * widest / (DIGIT * len(text)))
    return size if size >= 4.2 else 0.0


class Room:
    """What is drawn in axes, in points, and whether there is still room for a number.

    Parameters
    ----------
    marks : float64 array, shape (n, 2), centres of all marks
    radii : float64 array, shape (n,)
    size : (width, height) of the axes
    """

    def __init__(self, marks: F64, radii: F64, size: tuple[float, float]) -> None:
        self._marks, self._radii, self._size = marks, radii.astype(np.float64), np.array(size)
        self._low, self._high = np.empty((0, 2)), np.empty((0, 2))  # corners of the texts

    def grow(self, i: int, radius: float) -> bool:
        """Enlarge mark i, if it then touches no other mark and no text; returns whether it does not."""
        away = np.hypot(*(self._marks - self._marks[i]).T) - self._radii
        away[i] = np.inf
        centre = self._marks[i]
        to_texts = np.hypot(*(centre - np.clip(centre, self._low, self._high)).T)
        if min(away.min(initial=np.inf), to_texts.min(initial=np.inf)) < radius - 0.4:  # borders may touch
            return False
        self._radii[i] = radius
        return True

    def beside(self, i: int, size: tuple[float, float], *, needed: bool = False) -> F64 | None:
        """The offset from mark i of the centre of a text beside it; None where each covers something.

        With ``needed`` there is always one: that which covers the least.
        """
        found = [(self._covered(i, offset, size), offset) for offset in self._offsets(i, size)]
        least = min(range(len(found)), key=lambda k: found[k][0])
        covered, offset = found[least]
        if covered > 0 and not needed:
            return None
        centre = self._marks[i] + offset
        self._low = np.vstack([self._low, centre - np.array(size) / 2])
        self._high = np.vstack([self._high, centre + np.array(size) / 2])
        return offset

    def _offsets(self, i: int, size: ArrayLike) -> Iterator[F64]:
        half = np.asarray(size, dtype=np.float64) / 2
        for direction in _AROUND:
            gap = self._radii[i] * (0.6 if direction.all() else 1.0)  # at a corner the mark itself is farther away
            yield direction * (gap + half + 0.4)

    def _covered(self, i: int, offset: F64, size: ArrayLike) -> float:
        """How many marks and texts a text would cover; one outside the axes covers a little more than all."""
        half = np.asarray(size, dtype=np.float64) / 2
        centre = self._marks[i] + offset
        nearest = np.clip(self._marks, centre - half, centre + half)
        marks = np.hypot(*(self._marks - nearest).T) < self._radii
        marks[i] = False
        texts = ((self._low < centre + half) & (centre - half < self._high)).all(axis=1)
        outside = ((centre - half < 0) | (centre + half > self._size)).any()
        return float(marks.sum() + 3 * texts.sum() + (len(marks) + 1) * outside)


def _priority(outcomes: Outcomes, shown: NDArray[np.bool_]) -> list[int]:
    """The trials that may have a number, in the order in which they get one: those of the most resource first.

    The best trial, whose number stands beside its star, and failed trials are not among them.
    """
    chosen = shown & ~outcomes.failed
    if outcomes.best is not None:
        chosen[outcomes.best] = False
    order: list[int] = np.lexsort((outcomes.trial, -outcomes.level))[:_TRIED].tolist()
    return [i for i in order if chosen[i]]


def write_numbers(ax: Axes, look: Style, trials: DrawnTrials, numbers: I64) -> None:
    """Write the numbers of the trials where nothing hides them: in their marks, which grow, or beside them.

    The layout of the figure must be final: room is measured in points.
    """
    outcomes, shown = trials.outcomes, trials.shown
    room, index = _room(ax, trials)
    if outcomes.best is not None and shown[outcomes.best]:
        text = str(numbers[outcomes.best])
        offset = room.beside(index[outcomes.best], _text_size(text, SMALL, 1.1), needed=True)
        assert offset is not None
        _beside(ax, look, trials.where[outcomes.best], text, offset, fontsize=SMALL, fontweight="bold", zorder=101)
    radius = math.sqrt(BIG) / 2
    for i in _priority(outcomes, shown):
        text, level = str(numbers[i]), int(outcomes.level[i])
        inside = _size_inside(text, 2 * radius)
        if inside and room.grow(index[i], radius):
            trials.enlarge(i)
            ax.annotate(
                text, (trials.where[i, 0], trials.where[i, 1]), ha="center", va="center_baseline", fontsize=inside,
                color=ink_on(trials.colours[level]), zorder=3 + level, annotation_clip=False, in_layout=False,
            )  # fmt: skip
        elif (offset := room.beside(index[i], _text_size(text, TINY))) is not None:
            _beside(ax, look, trials.where[i], text, offset, fontsize=TINY, zorder=90)


def _room(ax: Axes, trials: DrawnTrials) -> tuple[Room, I64]:
    """What is drawn, in points from the lower left corner of the axes; and the number of each trial's mark there."""
    points = 72.0 / ax.figure.figure.dpi
    centres = (ax.transData.transform(trials.where[trials.shown]) - ax.bbox.min) * points
    return Room(centres, trials.radii()[trials.shown], extent(ax)), np.cumsum(trials.shown) - 1


def _text_size(text: str, fontsize: float, stretch: float = 1.0) -> tuple[float, float]:
    """Width and height of digits in points, with the line of the background around them."""
    return stretch * DIGIT * fontsize * len(text) + 1.0, TALL * fontsize + 1.0


def _beside(ax: Axes, look: Style, spot: F64, text: str, offset: F64, **how: Any) -> None:
    from matplotlib.patheffects import withStroke

    ax.annotate(
        text, (spot[0], spot[1]), xytext=(offset[0], offset[1]), textcoords="offset points", ha="center",
        va="center_baseline", color=look.ink, annotation_clip=False, in_layout=False,
        path_effects=[withStroke(linewidth=1.6, foreground=look.background)], **how,
    )  # fmt: skip
