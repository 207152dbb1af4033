"""Figures and axes that a notebook shows by themselves; the one file that needs matplotlib when it is imported."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure


class Picture(Figure):
    """A figure outside pyplot: nobody has to close it, and nothing of pyplot's state changes."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """As matplotlib's; PDF and PostScript get TrueType fonts, which journals ask for."""
        with rc_context({"pdf.fonttype": 42, "ps.fonttype": 42}):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


class PictureAxes(Axes):
    """Axes that a notebook shows as their whole figure, when they are the last line of a cell."""

    def _repr_png_(self) -> bytes | None:
        figure = self.figure
        return figure._repr_png_() if isinstance(figure, Picture) else None
