"""Axes to draw on, new or given, in one style; matplotlib's global settings stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hyperband.errors import InputError
from hyperband.plots.style import SMALL, TEXT, Style, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap

    from hyperband.plots.picture import Picture

#: Dots per inch: one column of a paper is 670 dots wide, which is readable on a screen.
DOTS = 200


@contextmanager
def canvas(ax: Axes | None, style: str, size: tuple[float, float]) -> Iterator[tuple[Axes, Style]]:
    """Axes to draw on, and the style, which applies to everything drawn inside the ``with`` block.

    Parameters
    ----------
    ax : Axes or None
        None makes a new figure, without pyplot. The figure of given axes gets the background of the style.
    style : {"light", "dark"}
    size : (width, height) of a new figure, in inches

    Raises
    ------
    InputError
        When the style is unknown, or ``ax`` is not one Axes.
    ImportError
        When matplotlib is not installed.
    """
    with styled(style) as look:
        from matplotlib.axes import Axes

        if ax is None:
            from hyperband.plots.picture import PictureAxes

            ax = new_figure(size).add_subplot(axes_class=PictureAxes)
        elif not isinstance(ax, Axes):
            raise InputError(f"`ax` must be one Axes of matplotlib, or None for a new figure; got {ax!r}.")
        else:
            ax.figure.figure.set_facecolor(look.background)  # of the whole figure, also where `ax` is in a subfigure
        apply_colours(ax, look)
        yield ax, look


@contextmanager
def styled(style: str) -> Iterator[Style]:
    """matplotlib's settings for one style, restored at the end.

    Raises
    ------
    InputError
        When the style is unknown.
    ImportError
        When matplotlib is not installed.
    """
    look = style_of(style)
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            "Pictures need matplotlib, which is not installed. Install it: pip install hyperband[plot]"
        ) from error
    with matplotlib.rc_context(look.settings()):
        yield look


def new_figure(size: tuple[float, float]) -> Picture:
    """A figure of this size in inches whose layout leaves room for the texts around its axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from hyperband.plots.picture import Picture

    return Picture(figsize=size, dpi=DOTS, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))


def apply_colours(ax: Axes, look: Style) -> None:
    """Apply the colours and sizes of a style to the frame of axes, also of axes made in another style."""
    ax.set_facecolor(look.background)
    for spine in ax.spines.values():
        spine.set_color(look.muted)
    ax.tick_params(which="both", color=look.muted, labelcolor=look.ink, labelsize=SMALL, width=0.6)
    ax.tick_params(which="major", length=3)
    ax.tick_params(which="minor", length=1.5)
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_color(look.ink)
        text.set_fontsize(TEXT)


def extent(ax: Axes) -> tuple[float, float]:
    """Approximate width and height of the axes in points, before the layout leaves room for texts around them."""
    points = 72.0 / ax.figure.figure.dpi
    return points * float(ax.bbox.width), points * float(ax.bbox.height)


def write_in_the_middle(ax: Axes, look: Style, text: str) -> None:
    """Write in the middle of the axes why nothing is drawn."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=look.muted, parse_math=False)


def hide_top_and_right(ax: Axes) -> None:
    """Hide the top and right lines of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


def colour_map(colours: tuple[str, ...]) -> LinearSegmentedColormap:
    """A colour map that interpolates between these colours."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("hyperband", colours)


def rung_colours(look: Style, n: int) -> list[Any]:
    """One colour for each of n levels of resource, lowest first; a single level gets a colour from the middle."""
    ramp = colour_map(look.ramp)
    return [ramp(0.55)] if n == 1 else [ramp(k / (n - 1)) for k in range(n)]


def ink_on(colour: Any) -> str:
    """Black or white, whichever has more contrast on a colour (relative luminance of WCAG 2.1).

    Examples
    --------
    >>> ink_on("#ffff00"), ink_on("#000080")
    ('#000000', '#ffffff')
    """
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
