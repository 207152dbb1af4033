"""Means over seeds with intervals, and mean ranks over tables on which not every contender ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.quality.statistics import F64, expected_ranks

REPLICATES = 2000
INTERVAL = (0.025, 0.975)
#: table -> contender -> regrets by seed; less is better
Found = Mapping[str, Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval; the same number three times where there is one seed."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Rank:
    """Mean rank of a contender over its tables, and its rank on each."""

    mean: Interval
    by_set: Mapping[str, float]

    @property
    def worse_than_third(self) -> int:
        """Tables with a rank worse than 3."""
        return sum(rank > 3.0 for rank in self.by_set.values())


def mean_of(values: Sequence[float], seed: int = 0) -> Interval:
    """Mean over seeds, with an interval by the bootstrap.

    Examples
    --------
    >>> mean_of([2.0])
    Interval(mean=2.0, low=2.0, high=2.0)
    """
    v = np.asarray(values, np.float64)
    drawn = v[np.random.default_rng(seed).integers(0, len(v), (REPLICATES, len(v)))].mean(axis=1)
    low, high = np.quantile(drawn, INTERVAL)
    return Interval(float(v.mean()), float(low), float(high))


def ranks(found: Found, seed: int = 0) -> dict[str, Rank]:
    """Rank 1 is the smallest regret; ties share their ranks. Best mean first.

    Notes
    -----
    The rank on a table is the one that a contender gets on average when everyone who ran there comes with one of the
    seeds at random. The interval draws tables and, within a table, seeds of each contender, with replacement; a
    replicate without any table of a contender does not count for it.

    Examples
    --------
    >>> found = ranks({"t": {"a": [1.0], "b": [1.0], "c": [2.0]}, "u": {"a": [1.0], "c": [0.5]}})
    >>> {name: (rank.mean.mean, dict(rank.by_set)) for name, rank in found.items()}
    {'b': (1.5, {'t': 1.5}), 'a': (1.75, {'t': 1.5, 'u': 2.0}), 'c': (2.0, {'t': 3.0, 'u': 1.0})}
    """
    names = list(dict.fromkeys(name for by_contender in found.values() for name in by_contender))
    draws = np.random.default_rng(seed)
    times = draws.multinomial(len(found), np.full(len(found), 1 / len(found)), REPLICATES) if found else None
    by_set: dict[str, dict[str, float]] = {name: {} for name in names}
    total, count = np.zeros((len(names), REPLICATES)), np.zeros((len(names), REPLICATES))
    for i, (table, by_contender) in enumerate(found.items()):
        values = [np.asarray(v, np.float64) for v in by_contender.values()]
        rows = [names.index(name) for name in by_contender]
        even = [np.full((len(v), 1), 1 / len(v)) for v in values]
        for name, rank in zip(by_contender, expected_ranks(values, even)[:, 0], strict=True):
            by_set[name][table] = float(rank)
        assert times is not None
        drawn = [draws.multinomial(len(v), np.full(len(v), 1 / len(v)), REPLICATES).T / len(v) for v in values]
        total[rows] += times[:, i] * expected_ranks(values, drawn)
        count[rows] += times[:, i]
    result = {name: Rank(_mean(by_set[name], total[i], count[i]), by_set[name]) for i, name in enumerate(names)}
    return dict(sorted(result.items(), key=lambda item: item[1].mean.mean))


def _mean(by_set: Mapping[str, float], total: F64, count: F64) -> Interval:
    low, high = np.quantile(total[count > 0] / count[count > 0], INTERVAL)
    return Interval(float(np.mean(list(by_set.values()))), float(low), float(high))
