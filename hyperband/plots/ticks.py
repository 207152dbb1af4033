"""Ticks of axes at round numbers, and their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axis import Axis

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in a positive range: powers of ten, with 2 and 5 times each where there would be few.

    Examples
    --------
    >>> log_ticks(1e-4, 1.0)
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    >>> log_ticks(8, 64)
    [10.0, 20.0, 50.0]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    eps = 1e-9
    for parts in ((1,), (1, 2, 5), range(1, 10)):
        ticks = [float(f"{part}e{k}") for k in range(first, last + 1) for part in parts]
        ticks = [tick for tick in ticks if low * (1 - eps) <= tick <= high * (1 + eps)]
        if len(ticks) >= 3:
            return ticks[:: math.ceil(len(ticks) / most)]
    return [low, high]


def short(value: float) -> str:
    """A number as the short label of a tick, with three significant digits.

    Examples
    --------
    >>> [short(v) for v in (0.0001, 0.05, 3.0, 81, 100 / 81, 250000)]
    ['10⁻⁴', '0.05', '3', '81', '1.23', '2.5·10⁵']
    """
    if value == 0 or 0.01 <= abs(value) < 100_000:
        return f"{value:.3g}" if value != int(value) else str(int(value))
    digits, power = f"{value:.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    raised = "10" + str(int(power)).translate(_RAISED)
    return raised if digits == "1" else f"{digits}·{raised}"


def fixed_ticks(axis: Axis, ticks: Sequence[float] | NDArray[Any], labels: Sequence[str] | None = None) -> None:
    """Set exactly these ticks; without labels, the numbers themselves are the labels."""
    from matplotlib.ticker import NullLocator

    axis.set_minor_locator(NullLocator())
    # Labels may contain dollar signs, which must not start a formula.
    axis.set_ticks(list(ticks), [short(t) for t in ticks] if labels is None else list(labels), parse_math=False)


def log_axis(axis: Axis, low: float, high: float) -> None:
    """Set the ticks of a logarithmic axis from ``low`` to ``high``."""
    fixed_ticks(axis, log_ticks(low, high))


def thinned(levels: Sequence[float], most: int = 7) -> list[int]:
    """Indices of at most ``most`` (>= 2) evenly spaced levels, always with the last, with the first where that fits.

    Examples
    --------
    >>> thinned([1, 3, 9, 27, 81], 4)
    [0, 2, 4]
    """
    step = max(1, math.ceil((len(levels) - 1) / (most - 1)))
    return sorted(range(len(levels) - 1, -1, -step))
