"""Statistics of regrets over seeds and tasks: mean ranks with confidence intervals, and when a target is reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
#: contender -> regrets, shape (seeds, points of the axis)
Regrets = Mapping[str, F64]


class Rank(NamedTuple):
    """A mean rank and its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def mean_ranks(tasks: Sequence[Regrets], point: int, replicates: int = 0, seed: int = 0) -> dict[str, Rank]:
    """Mean rank of every contender over tasks at one point of the axis, 1 for the smallest regret.

    Parameters
    ----------
    tasks : sequence of {contender: regrets}, the same contenders in each; numbers of seeds may differ
    point : int, column of the regrets
    replicates : int
        Bootstrap replicates for the interval, each with tasks and, within a task, each contender's seeds drawn with
        replacement; 0: no interval.

    Notes
    -----
    The rank of a contender on a task is the one that it gets on average when every contender comes with one of its
    seeds at random, ties shared: ``1/2 + sum over j of P(j is better) + P(tie) / 2``, j itself included.
    """
    names = list(tasks[0])
    draws = np.random.default_rng(seed)
    chosen = draws.multinomial(len(tasks), np.full(len(tasks), 1 / len(tasks)), replicates).T / len(tasks)
    mean, spread = np.zeros(len(names)), np.zeros((len(names), replicates))
    for task, weight in zip(tasks, chosen, strict=True):
        values = [task[name][:, point] for name in names]
        even = [np.full((len(v), 1), 1 / len(v)) for v in values]
        mean += expected_ranks(values, even)[:, 0] / len(tasks)
        if replicates:
            drawn = [draws.multinomial(len(v), np.full(len(v), 1 / len(v)), replicates).T / len(v) for v in values]
            spread += weight * expected_ranks(values, drawn)
    if not replicates:
        return {name: Rank(float(m), math.nan, math.nan) for name, m in zip(names, mean, strict=True)}
    low, high = np.quantile(spread, [0.025, 0.975], axis=1)
    return {name: Rank(float(m), float(a), float(b)) for name, m, a, b in zip(names, mean, low, high, strict=True)}


def expected_ranks(values: Sequence[F64], weights: Sequence[F64]) -> F64:
    """Expected ranks, shape (contenders, replicates), from values (seeds,) with weights (seeds, replicates)."""
    v, w = np.concatenate(values), np.concatenate(weights)
    better = (v[None, :] < v[:, None]) + 0.5 * (v[None, :] == v[:, None])
    each = w * (better @ w)
    ends = np.cumsum([0, *(len(x) for x in values)])
    return 0.5 + np.add.reduceat(each, ends[:-1], axis=0)


def better_of(tasks: Sequence[Regrets], a: str, b: str, point: int, replicates: int = 1000) -> Rank:
    """How often ``a`` beats ``b``, ties counting half, with its interval: two contenders' ranks, 2 - rank of ``a``."""
    pair = mean_ranks([{a: task[a], b: task[b]} for task in tasks], point, replicates)[a]
    return Rank(2 - pair.mean, 2 - pair.high, 2 - pair.low)


def quartiles(regrets: F64) -> F64:
    """Lower quartile, median and upper quartile over seeds, shape (3, points); inf where nothing was seen."""
    # "lower" and "higher" pick seeds: between a number and infinity there is nothing to interpolate
    low, high = (np.quantile(regrets, (0.25, 0.5, 0.75), axis=0, method=m) for m in ("lower", "higher"))
    with np.errstate(invalid="ignore"):
        middle: F64 = np.where(np.isfinite(high), (low + high) / 2, high)
    return middle


def reached(regrets: F64, grid: F64, target: float) -> float:
    """First point of the grid at which the median over seeds is at most ``target``; inf when it never is."""
    below = np.flatnonzero(quartiles(regrets)[1] <= target)
    return float(grid[below[0]]) if len(below) else math.inf
