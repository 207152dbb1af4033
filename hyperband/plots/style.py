"""Colours and sizes of the pictures: light and dark, told apart without red against green, and in grey print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hyperband.errors import InputError

#: Inches: one column of a paper, and both.
COLUMN, PAGE = 3.35, 7.0

#: Points: what is read, and what is looked up.
TEXT, SMALL, TINY = 8.0, 7.0, 5.5

#: Okabe & Ito, "Color Universal Design" (2008), for things without an order; told apart once more by dashes and marks.
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2.5)))
MARKS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture looks.

    Parameters
    ----------
    background, ink, muted, faint : colour
        The paper; what is read; lesser text; lines that only help the eye.
    blank : colour, where a heat map has no value
    surface : colours of a heat map, small losses first
    ramp : colours of the rungs, lowest first; they stand out on the surface where such trials are
    series : colours of things without an order
    """

    name: str
    background: str
    ink: str
    muted: str
    faint: str
    blank: str
    surface: tuple[str, ...]
    ramp: tuple[str, ...]
    series: tuple[str, ...]

    def settings(self) -> dict[Any, Any]:
        """Settings of matplotlib while a picture is made."""
        return {
            "font.size": TEXT,
            "axes.titlesize": TEXT,
            "axes.labelsize": TEXT,
            "legend.fontsize": SMALL,
            "legend.title_fontsize": SMALL,
            "legend.frameon": False,
            "legend.labelcolor": self.ink,
            "text.color": self.ink,
            "axes.labelcolor": self.ink,
            "axes.titlecolor": self.ink,
            "axes.edgecolor": self.muted,
            "axes.facecolor": self.background,
            "axes.linewidth": 0.6,
            "axes.grid": False,
            "figure.facecolor": self.background,
            "text.usetex": False,
        }


LIGHT = Style(
    name="light",
    background="#ffffff",
    ink="#1b1f24",
    muted="#5b6470",
    faint="#d5dae1",
    blank="#ececec",
    surface=("#f6fafd", "#c9dcea", "#93b3cc", "#5f86a8"),
    ramp=("#fdf0bf", "#f7b955", "#dd6b20", "#8c1d18", "#3f0a1a"),
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#1b1f24"),
)
DARK = Style(
    name="dark",
    background="#14181f",
    ink="#e8ebf0",
    muted="#a3adba",
    faint="#38414e",
    blank="#252525",
    surface=("#101a2b", "#203a58", "#37608a", "#5d8bb5"),
    ramp=("#6e2a22", "#b4502a", "#ea8f35", "#ffcf66", "#fff7d1"),
    series=("#56b4e9", "#ff8c42", "#2fc79a", "#e29ac4", "#f2c14e", "#e8ebf0"),
)
_STYLES = {style.name: style for style in (LIGHT, DARK)}


def style_of(name: str) -> Style:
    """The style of this name.

    Raises
    ------
    InputError
        When there is none.

    Examples
    --------
    >>> style_of("dark").background
    '#14181f'
    """
    if name not in _STYLES:
        raise InputError(f"`style` must be one of {', '.join(_STYLES)}; got {name!r}.")
    return _STYLES[name]
