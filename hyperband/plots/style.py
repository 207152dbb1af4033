"""Colours and sizes of the pictures, light and dark: distinguishable with red-green blindness and in grey print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hyperband.errors import InputError

#: Widths in inches: one column of a paper, and a page with two columns.
COLUMN, PAGE = 3.35, 7.0

#: Font sizes in points.
TEXT, SMALL, TINY = 8.0, 7.0, 5.5

#: Lines differ in dashes and marks as well as in colour; the colours are Okabe & Ito, "Color Universal Design" (2008).
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2.5)))
MARKS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True, slots=True)
class Style:
    """The colours of a picture.

    Parameters
    ----------
    name : str
    background, ink, muted, faint : str, colours
        Background, main text, secondary text, guide lines.
    blank : str, colour of the cells of a heat map that have no value
    surface : tuple of str
        Colours of a heat map, smallest losses first: red is better, and its luminance changes in one direction.
    ranks : tuple of str, colours of lines by rank, the best first: red is better here too
    ramp : tuple of str
        Colours of the levels of resource, lowest first: blue, so that none is taken for a colour of the surface.
    series : tuple of str, colours of categories without an order
    """

    name: str
    background: str
    ink: str
    muted: str
    faint: str
    blank: str
    surface: tuple[str, ...]
    ranks: tuple[str, ...]
    ramp: tuple[str, ...]
    series: tuple[str, ...]

    def settings(self) -> dict[Any, Any]:
        """matplotlib's settings (rcParams) while a picture is drawn."""
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
    surface=("#c23b2e", "#e57b60", "#f4b497", "#f9dfcf", "#f7f4f1"),
    ranks=("#b3261e", "#dd6a52", "#dfa893", "#c4c7cc"),
    ramp=("#cfe3f3", "#7db3dc", "#3c82bd", "#1d4f8c", "#0b2450"),
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#1b1f24"),
)
DARK = Style(
    name="dark",
    background="#14181f",
    ink="#e8ebf0",
    muted="#a3adba",
    faint="#38414e",
    blank="#252525",
    surface=("#d8473a", "#a23430", "#6c292b", "#412228", "#221c25"),
    ranks=("#ff6a58", "#c9503f", "#85443f", "#4a4d57"),
    ramp=("#21486e", "#2f74ab", "#4fa3dc", "#9bd0f5", "#f0f9ff"),
    series=("#56b4e9", "#ff8c42", "#2fc79a", "#e29ac4", "#f2c14e", "#e8ebf0"),
)
_STYLES = {style.name: style for style in (LIGHT, DARK)}


def style_of(name: str) -> Style:
    """The style with this name.

    Raises
    ------
    InputError
        When there is no such style.

    Examples
    --------
    >>> style_of("dark").background
    '#14181f'
    """
    if name not in _STYLES:
        raise InputError(f"`style` must be one of {', '.join(_STYLES)}; got {name!r}.")
    return _STYLES[name]
