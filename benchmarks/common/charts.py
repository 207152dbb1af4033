"""What charts share: the drawing library, colours, and axes without frames."""

from __future__ import annotations

from typing import Any

INK, OURS, OTHERS = "#333333", "#1f77b4", "#c7c7c7"


def pyplot() -> Any:
    """``matplotlib.pyplot``, drawing into files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def without_frame(axes: Any) -> None:
    """Leave the left and the bottom axis."""
    axes.spines[["top", "right"]].set_visible(False)
