"""Where a picture is drawn: axes of its own or somebody else's, in one style, with no setting of matplotlib changed."""

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

#: Dots an inch: one column of a paper is as wide as 670 dots, large enough to be read on a screen.
DOTS = 200


@contextmanager
def canvas(ax: Axes | None, style: str, size: tuple[float, float]) -> Iterator[tuple[Axes, Style]]:
    """Axes to draw on, and the style; everything drawn inside the ``with`` block has it.

    Parameters
    ----------
    ax : Axes or None
        None: on a new figure of its own, made without pyplot. The figure of given axes takes on the background.
    style : {"light", "dark"}
    size : (width, height) of a new figure in inches

    Raises
    ------
    InputError
        When the style is unknown, or ``ax`` is not one Axes.
    ImportError
        When matplotlib is not installed.
    """
    with dressed(style) as look:
        if ax is None:
            from hyperband.plots.picture import PictureAxes

            ax = new_figure(size).add_subplot(axes_class=PictureAxes)
        elif not hasattr(ax, "pcolormesh"):
            raise InputError(f"`ax` must be one Axes of matplotlib, or None for a new figure; got {ax!r}.")
        else:
            ax.figure.figure.set_facecolor(look.background)  # of the whole figure, where it has figures inside
        dress(ax, look)
        yield ax, look


@contextmanager
def dressed(style: str) -> Iterator[Style]:
    """Settings of matplotlib for one style, put back at the end."""
    look = style_of(style)
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            "Pictures are drawn by matplotlib, which is not installed. Install it: pip install hyperband[plot]"
        ) from error
    with matplotlib.rc_context(look.settings()):
        yield look


def new_figure(size: tuple[float, float]) -> Picture:
    """A figure of this size in inches that makes room for what is written around its axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from hyperband.plots.picture import Picture

    return Picture(figsize=size, dpi=DOTS, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))


def dress(ax: Axes, look: Style) -> None:
    """Colours of the frame, also of axes that were made in another style."""
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
    """About how many points the axes are wide and high, before the layout has made room for what is around them."""
    points = 72.0 / ax.figure.figure.dpi
    return points * float(ax.bbox.width), points * float(ax.bbox.height)


def say(ax: Axes, look: Style, text: str) -> None:
    """Why nothing is drawn, in the middle."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=look.muted, parse_math=False)


def open_frame(ax: Axes) -> None:
    """No lines above and to the right."""
    ax.spines[["top", "right"]].set_visible(False)


def colour_map(colours: tuple[str, ...]) -> LinearSegmentedColormap:
    """Colours in between."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("hyperband", colours)


def rung_colours(look: Style, n: int) -> list[Any]:
    """One colour a level of resource, lowest first; a single level has the highest one's neighbour."""
    ramp = colour_map(look.ramp)
    return [ramp(0.55)] if n == 1 else [ramp(k / (n - 1)) for k in range(n)]


def ink_on(colour: Any) -> str:
    """Black or white, whichever is read more easily on a colour (relative luminance of WCAG 2.1)."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"
