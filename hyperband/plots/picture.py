"""Figures and axes that notebooks display. The only module of this package that imports matplotlib at its top."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperband._common.files import write_bytes


class Picture(Figure):
    """A figure independent of pyplot: it need not be closed, and pyplot's state does not change."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure to a file, as matplotlib does; PDF and PostScript embed TrueType fonts for journals.

        A file is written completely or not at all, and a pipe or a device (``"/dev/stdout"``, with ``format=``) is
        written through.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        with rc_context({"pdf.fonttype": 42, "ps.fonttype": 42}):
            if not isinstance(fname, (str, os.PathLike)):
                super().savefig(fname, **options)
                return
            path = Path(fname)
            kind = options.pop("format", None) or path.suffix[1:]
            if not kind:  # matplotlib appends the ending of its usual format
                kind = self.canvas.get_default_filetype()
                path = path.with_name(f"{path.name.rstrip('.')}.{kind}")
            file = BytesIO()
            super().savefig(file, format=kind, **options)
        write_bytes(path, file.getvalue(), "The figure")

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


class PictureAxes(Axes):
    """Axes that a notebook displays as their whole figure when they are the last line of a cell."""

    def _repr_png_(self) -> bytes | None:
        figure = self.figure
        return figure._repr_png_() if isinstance(figure, Picture) else None
