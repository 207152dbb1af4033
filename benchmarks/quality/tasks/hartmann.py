"""Hartmann's functions in three and six dimensions, flatter and noisier with less resource.

Multi-fidelity form: Kandasamy, Dasarathy, Schneider, Poczos (2017), as mf-prior-bench sets it up: the four weights
alpha fall by ``bias * (1 - s)`` and ``noise * (1 - s) * |N(0, 1)|`` is added, where s = log z / log 100 for a resource
z from 3 to 100. "good" correlation is bias 0.5, noise 0.1. At z = 100 it is Hartmann's function.
"""

from __future__ import annotations

import numpy as np

import hyperband as hb
from benchmarks.quality.tasks.base import F64, Columns, SearchTask
from benchmarks.quality.tasks.keys import normal

ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = {
    3: np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]]),
    6: np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14],
                 [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]),
}  # fmt: skip
P = {
    3: 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]),
    6: 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                        [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]),
}  # fmt: skip
#: where the minimum is, and its value
MINIMUM = {
    3: ((0.114614, 0.555649, 0.852547), -3.86278),
    6: ((0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573), -3.32237),
}


class Hartmann(SearchTask):
    """Hartmann's function; one unit of resource takes one simulated second.

    Parameters
    ----------
    dimensions : 3 or 6
    bias, noise : float, what little resource costs: see the top of this file
    """

    min_resource, max_resource, seconds_per_evaluation = 3, 100, 100.0

    def __init__(self, dimensions: int, bias: float = 0.5, noise: float = 0.1) -> None:
        self.name, self.optimum = f"hartmann-{dimensions}", MINIMUM[dimensions][1]
        self._a, self._p, self._bias, self._noise = A[dimensions], P[dimensions], bias, noise
        self.space = hb.Space({f"x{i}": hb.Float(0.0, 1.0) for i in range(dimensions)})

    def evaluate(self, columns: Columns, resources: F64) -> tuple[F64, F64]:
        """See `SearchTask`."""
        x = np.stack([columns[name] for name in self.space.names], axis=1)
        missing = 1.0 - np.log(resources) / np.log(self.max_resource)
        inner = (self._a * (x[:, None, :] - self._p) ** 2).sum(axis=2)
        losses = -((ALPHA - self._bias * missing[:, None]) * np.exp(-inner)).sum(axis=1)
        if missing.any():
            losses += self._noise * missing * np.abs(normal(x, resources))
        return losses, resources
