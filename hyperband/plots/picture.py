"""Figures and axes that notebooks display. The only module of this package that imports matplotlib at its top."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure


class Picture(Figure):
    """A figure independent of pyplot: it need not be closed, and pyplot's state does not change."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure to a file, as matplotlib does; PDF and PostScript embed TrueType fonts for journals."""
        with rc_context({"pdf.fonttype": 42, "ps.fonttype": 42}):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


class PictureAxes(Axes):
    """Axes that a notebook displays as their whole figure when they are the last line of a cell."""

    def _repr_png_(self) -> bytes | None:
        figure = self.figure
        return figure._repr_png_() if isinstance(figure, Picture) else None
