"""A parameter as an axis of a picture: linear, logarithmic, or cells for options and few whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hyperband.plots.ticks import fixed_ticks, log_axis
from hyperband.space import Choice, Float, Int
from hyperband.space.parameters import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperband.space import Space

F64 = NDArray[np.float64]

#: Up to this many whole numbers are cells, in which points are spread so that none hides another.
FEW = 12
#: Cells of a heat map along a continuous parameter.
_CELLS = 96


@dataclass(frozen=True, slots=True)
class Scale:
    """A parameter along the x or y axis of a picture.

    Parameters
    ----------
    name : str
    parameter : Float, Int or Choice

    Examples
    --------
    >>> scale = Scale("rate", Float(0.01, 1.0, log=True))
    >>> scale.log, scale.positions(np.array([0.0, 0.5, 1.0])).round(6).tolist()
    (True, [0.01, 0.1, 1.0])
    """

    name: str
    parameter: Parameter

    @classmethod
    def of(cls, space: Space, name: str, where: str) -> Scale:
        """The scale of a parameter by name; raises `InputError`, with ``where`` as its subject, when there is none."""
        space.column_of(name, where)
        return cls(name, space.parameters[name])

    @property
    def log(self) -> bool:
        """Whether the axis is logarithmic."""
        return isinstance(self.parameter, Float | Int) and self.parameter.log

    @property
    def cells(self) -> bool:
        """Whether the values are few and distinct, so that each has a cell of the axis."""
        return isinstance(self.parameter, Choice) or self.parameter.n_values <= FEW

    def positions(self, u: F64) -> F64:
        """Data coordinates of points of [0, 1]: the value, or the index of the option; NaN stays NaN."""
        inactive = np.isnan(u)
        inside = np.where(inactive, 0.5, u)
        if isinstance(self.parameter, Choice):
            found = self.parameter.indices(inside).astype(np.float64)
        else:
            found = np.asarray(self.parameter.decode(inside), dtype=np.float64)
        return np.where(inactive, np.nan, found)

    def fractions(self, positions: F64) -> F64:
        """Data coordinates as fractions of the length of the axis."""
        edges, _ = self.edges()
        low, high = float(edges[0]), float(edges[-1])
        if self.log:
            found: F64 = np.log(positions / low) / np.log(high / low)
            return found
        return (positions - low) / (high - low)

    def edges(self) -> tuple[F64, F64]:
        """Borders of the cells of a heat map, shape (n + 1,), and the point of [0, 1] of each cell, shape (n,)."""
        p = self.parameter
        if isinstance(p, Float):
            middles = (np.arange(_CELLS) + 0.5) / _CELLS
            return p.decode(np.linspace(0.0, 1.0, _CELLS + 1)).astype(np.float64), middles
        if isinstance(p, Choice):
            n = len(p.options)
            return np.arange(n + 1.0) - 0.5, (np.arange(n) + 0.5) / n
        middles = p.grid(int(min(p.n_values, _CELLS)))
        if len(middles) == 1:
            middles = np.array([0.5])
        values = np.asarray(p.decode(middles), dtype=np.float64)
        between = np.sqrt(values[1:] * values[:-1]) if self.log else (values[1:] + values[:-1]) / 2
        if p.n_values <= _CELLS:
            between = values[:-1] + 0.5
        return np.concatenate([[values[0] - 0.5], between, [values[-1] + 0.5]]), middles

    def set_up(self, ax: Axes, along: str) -> None:
        """Set scale, limits, ticks and label of one axis of a picture; ``along`` is "x" or "y"."""
        axis = ax.xaxis if along == "x" else ax.yaxis
        edges, _ = self.edges()
        low, high = float(edges[0]), float(edges[-1])
        (ax.set_xscale if along == "x" else ax.set_yscale)("log" if self.log else "linear")
        (ax.set_xlim if along == "x" else ax.set_ylim)(low, high)
        p = self.parameter
        if isinstance(p, Choice):
            labels = [str(option) for option in p.options]
            fixed_ticks(axis, range(len(labels)), labels)
            if along == "x" and sum(map(len, labels)) + len(labels) > 24:
                ax.tick_params(axis="x", rotation=30)
                for label in axis.get_ticklabels():
                    label.set_horizontalalignment("right")
                    label.set_rotation_mode("anchor")
        elif isinstance(p, Int) and p.n_values <= FEW:
            step = -(-int(p.n_values) // 8)
            fixed_ticks(axis, range(p.low, p.high + 1, step))
        elif self.log:
            log_axis(axis, low, high)
        elif isinstance(p, Int):
            from matplotlib.ticker import MaxNLocator

            axis.set_major_locator(MaxNLocator(6, integer=True))
        axis.set_label_text(self.name, parse_math=False)


def spread(order: NDArray[np.int64]) -> tuple[F64, F64]:
    """Offsets in (-0.5, 0.5)² of the points of one cell, two arrays of shape (n,).

    Point number ``order`` of the additive recurrence R₂ with the plastic number (Roberts 2018, "The unreasonable
    effectiveness of quasirandom sequences"), a low-discrepancy sequence: every drawing is the same.
    """
    plastic = 1.32471795724474602596
    k = order + 1
    return (0.5 + k / plastic) % 1.0 - 0.5, (0.5 + k / plastic**2) % 1.0 - 0.5
