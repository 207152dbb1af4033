"""What `search-quality` measures: pieces of work, and the regrets that they found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.quality.statistics import F64

#: Full evaluations that a search's budget is worth, and at which regrets are reported.
FULL = 100
MARKS = (5, 10, 20, 25, 50, 100)


@dataclass(frozen=True)
class Work:
    """One contender on one task with some seeds."""

    contender: str
    task: str
    workers: int
    seeds: tuple[int, ...]
    full: int
    grid: tuple[float, ...]  #: in full evaluations


@dataclass
class Outcome:
    """Regrets of a `Work`: axis "resource" or "time" -> (seeds, points of the grid); or why there are none."""

    work: Work
    regrets: dict[str, F64] = field(default_factory=dict)
    seconds: float = 0.0  #: of a processor
    evaluations: float = 0.0  #: mean a seed
    busy: float = 0.0  #: mean share of the simulated workers' time, until the last result
    missing: str = ""
    wrong: str = ""


def grid_of(full: int) -> tuple[float, ...]:
    """Points in units of a full evaluation, `MARKS` among them, four a doubling."""
    fine = 2.0 ** np.arange(0, np.log2(full) + 1e-9, 0.25)
    return tuple(sorted({*fine.tolist(), *(float(mark) for mark in MARKS if mark <= full), float(full)}))
