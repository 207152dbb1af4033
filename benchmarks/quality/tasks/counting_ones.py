"""Counting ones: half of the parameters are bits, half are probabilities of which only samples are seen.

Falkner, Klein, Hutter, "BOHB" (ICML 2018), section 5.1: minimise -(sum of bits + sum of means of z Bernoulli samples),
z from 9 to 729. The noise-free loss is -(sum of bits + sum of probabilities); all ones are best. Losses here are
divided by the number of parameters, so that regret lies in [0, 1] whatever their number.
"""

from __future__ import annotations

import numpy as np

import hyperband as hb
from benchmarks.quality.tasks.base import F64, Columns, SearchTask
from benchmarks.quality.tasks.keys import generator


class CountingOnes(SearchTask):
    """Counting ones; one sample of each probability takes one simulated second.

    Parameters
    ----------
    n : int, parameters of each kind

    Notes
    -----
    Samples are keyed by the configuration, and a larger resource includes the samples of a smaller one: a trial that
    continues draws the rest.
    """

    min_resource, max_resource, seconds_per_evaluation, optimum = 9, 729, 729.0, -1.0

    def __init__(self, n: int) -> None:
        self.name, self._n = f"counting-ones-{2 * n}", n
        bits = {f"bit{i}": hb.Choice([0, 1]) for i in range(n)}
        self.space = hb.Space({**bits, **{f"p{i}": hb.Float(0.0, 1.0) for i in range(n)}})

    def evaluate(self, columns: Columns, resources: F64) -> tuple[F64, F64]:
        """See `SearchTask`."""
        bits, chances = self._split(columns)
        losses = np.empty(len(resources))
        seen: dict[bytes, F64] = {}
        for row, resource in enumerate(resources):
            key = bits[row].tobytes() + chances[row].tobytes()
            if key not in seen:
                # float32: a sample more or less in 10^7 is no matter, and it takes half as long
                draws = generator(bits[row], chances[row]).random((self.max_resource, self._n), dtype=np.float32)
                seen[key] = (draws < chances[row].astype(np.float32)).sum(axis=1).cumsum()
            losses[row] = -(bits[row].sum() + seen[key][int(resource) - 1] / resource) / (2 * self._n)
        return losses, resources

    def true_losses(self, columns: Columns) -> F64:
        """See `SearchTask`."""
        bits, chances = self._split(columns)
        losses: F64 = -(bits.sum(axis=1) + chances.sum(axis=1)) / (2 * self._n)
        return losses

    def _split(self, columns: Columns) -> tuple[F64, F64]:
        values = np.stack([columns[name] for name in self.space.names], axis=1).astype(np.float64)
        return values[:, : self._n], values[:, self._n :]
