"""Non-dominated fronts against their definition, with ties and equal rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperband.tuning.pareto import fronts


def by_definition(rows):
    """Front by front: what no row that is left dominates."""
    number, left, front = [0] * len(rows), set(range(len(rows))), 0
    while left:
        found = {
            i
            for i in left
            if not any(all(a <= b for a, b in zip(rows[j], rows[i])) and rows[j] != rows[i] for j in left)
        }
        for i in found:
            number[i] = front
        left, front = left - found, front + 1
    return number


@settings(max_examples=200, derandomize=True)
@given(
    st.integers(1, 3).flatmap(
        lambda m: st.lists(st.tuples(*[st.integers(0, 4).map(float)] * m), min_size=1, max_size=25)
    )
)
def test_fronts_are_those_of_the_definition(rows):
    assert fronts(np.array(rows)).tolist() == by_definition(rows)
