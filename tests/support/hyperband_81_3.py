"""Hyperband with R = 81 and eta = 3, the example of Li et al. (JMLR 18, 2018), with its schedule written out by hand.

Every test that speaks of this search takes the numbers from here.
"""

from __future__ import annotations

from itertools import pairwise

#: Rungs of each bracket as (trials, resource).
RUNGS = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(34, 3), (11, 9), (3, 27), (1, 81)],
    [(15, 9), (5, 27), (1, 81)],
    [(8, 27), (2, 81)],
    [(5, 81)],
]
EVALUATIONS = sum(n for bracket in RUNGS for n, _ in bracket)
CONFIGURATIONS = sum(bracket[0][0] for bracket in RUNGS)
#: Resource when trials continue from where they were paused, and when each evaluation begins anew.
COST = sum(
    bracket[0][0] * bracket[0][1] + sum(n * (r - before) for (_, before), (n, r) in pairwise(bracket))
    for bracket in RUNGS
)
COST_RESTARTING = sum(n * r for bracket in RUNGS for n, r in bracket)

assert (EVALUATIONS, CONFIGURATIONS, COST, COST_RESTARTING) == (206, 143, 1581, 1902)
TOTALS = (EVALUATIONS, CONFIGURATIONS, COST)
