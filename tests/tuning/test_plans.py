"""Every reference table by hand, then the rules that all tables obey."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import hyperband_81_3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans import (
    Plan,
    async_plan,
    full_plan,
    hyperband_plan,
    population_plan,
    successive_halving_plan,
)

#: (R, eta): rungs of each bracket as (n, r), evaluations, cost restarting, cost continuing
TABLES = {
    (81, 3): (
        hyperband_81_3.RUNGS,
        hyperband_81_3.EVALUATIONS,
        hyperband_81_3.COST_RESTARTING,
        hyperband_81_3.COST,
    ),
    (9, 3): ([[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]], 22, 78, 69),
    (27, 3): (
        [[(27, 1), (9, 3), (3, 9), (1, 27)], [(12, 3), (4, 9), (1, 27)], [(6, 9), (2, 27)], [(4, 27)]],
        69,
        423,
        357,
    ),
    (16, 2): (
        [
            [(16, 1), (8, 2), (4, 4), (2, 8), (1, 16)],
            [(10, 2), (5, 4), (2, 8), (1, 16)],
            [(7, 4), (3, 8), (1, 16)],
            [(5, 8), (2, 16)],
            [(5, 16)],
        ],
        72,
        372,
        278,
    ),
    (64, 4): (
        [[(64, 1), (16, 4), (4, 16), (1, 64)], [(22, 4), (5, 16), (1, 64)], [(8, 16), (2, 64)], [(4, 64)]],
        127,
        1000,
        884,
    ),
    (243, 3): (
        [
            [(243, 1), (81, 3), (27, 9), (9, 27), (3, 81), (1, 243)],
            [(98, 3), (32, 9), (10, 27), (3, 81), (1, 243)],
            [(41, 9), (13, 27), (4, 81), (1, 243)],
            [(18, 27), (6, 81), (2, 243)],
            [(9, 81), (3, 243)],
            [(6, 243)],
        ],
        611,
        8457,
        6831,
    ),
}


def rungs(plan: Plan) -> list[list[tuple[int, int | Fraction]]]:
    return [[(rung.n, rung.r) for rung in bracket.rungs] for bracket in plan.brackets]


@pytest.mark.parametrize(("settings", "expected"), TABLES.items())
def test_hyperband_tables_of_algorithm_1(settings, expected):
    plan = hyperband_plan(*settings)
    table, evaluations, restart, continued = expected
    assert rungs(plan) == table
    assert (plan.n_evaluations, plan.cost_restart, plan.cost) == (evaluations, restart, continued)
    assert plan.n_configurations == sum(bracket[0][0] for bracket in table)
    assert [bracket.s for bracket in plan.brackets] == list(range(len(table) - 1, -1, -1))


def test_table_1_of_the_paper():
    plan = hyperband_plan(81, 3, variant="table1")
    assert rungs(plan) == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(27, 3), (9, 9), (3, 27), (1, 81)],
        [(9, 9), (3, 27), (1, 81)],
        [(6, 27), (2, 81)],
        [(5, 81)],
    ]
    assert (plan.n_evaluations, plan.cost_restart, plan.cost) == (187, 1701, 1404)


MODELS_AND_COSTS = [(9, 17, 69), (27, 49, 357), (81, hyperband_81_3.CONFIGURATIONS, hyperband_81_3.COST)]


@pytest.mark.parametrize(("r", "models", "evaluations"), MODELS_AND_COSTS)
def test_models_and_calls_as_dask_ml_counts_them(r, models, evaluations):
    plan = hyperband_plan(r, 3)
    assert (plan.n_configurations, plan.cost) == (models, evaluations)


@pytest.mark.parametrize(("eta", "power"), [(3, 5), (3, 10), (10, 3), (10, 6), (5, 3), (7, 9), (2, 29), (6, 3)])
def test_no_bracket_is_lost_to_a_floating_logarithm(eta, power):
    assert len(hyperband_plan(eta**power, eta).brackets) == power + 1
    assert len(hyperband_plan(eta**power - 1, eta).brackets) == power


@pytest.mark.parametrize(
    ("max_resource", "eta", "expected"),
    [
        (100, 3, [1, 4, 11, 33, 100]),  # 100/81 = 1.23, 100/27 = 3.70, 11.1, 33.3
        (10, 3, [1, 3, 10]),  # 1.11, 3.33
        (100, 2.5, [1, 3, 6, 16, 40, 100]),  # 1.024, 2.56, 6.4
        (50, 3.5, [1, 4, 14, 50]),  # 1.17, 4.08, 14.3
        (100, math.e, [2, 5, 14, 37, 100]),  # 1.83, 4.98, 13.5, 36.8
        (5, 2, [1, 3, 5]),  # 1.25, 2.5: halves go up
        (1, 3, [1]),
    ],
)
def test_whole_resources_are_rounded_and_end_at_the_maximum(max_resource, eta, expected):
    assert [rung.r for rung in hyperband_plan(max_resource, eta).brackets[0].rungs] == expected


def test_rungs_of_the_same_resource_are_one_rung():
    # Resources 1.05, 1.37, 1.78, 2.31, 3 for 3, 2, 1, 1, 1 configurations.
    assert rungs(successive_halving_plan(3, 1.3)) == [[(3, 1), (1, 2), (1, 3)]]


def test_a_fractional_eta_leaves_somebody_for_the_last_rung():
    # floor(16 / 2.5 / 2.5 / 2.5) is 1, although flooring after each division gives 16, 6, 2, 0.
    assert rungs(successive_halving_plan(15.625, 2.5, n=16, whole=False))[0][-1] == (1, Fraction("15.625"))


def test_fractional_resources_stay_exact():
    plan = hyperband_plan(1, 3, 0.1, whole=False)
    assert rungs(plan) == [
        [(9, Fraction(1, 9)), (3, Fraction(1, 3)), (1, 1)],
        [(5, Fraction(1, 3)), (1, 1)],
        [(3, 1)],
    ]
    assert plan.cost == Fraction(69, 9)


def test_min_resource_cuts_the_cheap_brackets():
    assert rungs(hyperband_plan(81, 3, min_resource=9)) == [[(9, 9), (3, 27), (1, 81)], [(5, 27), (1, 81)], [(3, 81)]]
    assert len(hyperband_plan(81, 3, min_resource=10).brackets) == 2
    assert rungs(hyperband_plan(7, 3, min_resource=7)) == [[(1, 7)]]


@pytest.mark.parametrize("like_two_and_a_half", [2.5, Decimal("2.5"), Fraction(5, 2), np.float32(2.5), np.float64(2.5)])
def test_a_number_is_what_it_prints(like_two_and_a_half):
    assert hyperband_plan(np.int64(100), like_two_and_a_half) == hyperband_plan(100, Fraction(5, 2))
    # 0.1 is a tenth, although the float lies a little above it.
    assert len(hyperband_plan(0.9, 3, 0.1, whole=False).brackets) == 3


def test_successive_halving():
    assert rungs(successive_halving_plan(81, 3)) == [[(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]]
    assert successive_halving_plan(16, 2).n_evaluations == 31
    assert rungs(successive_halving_plan(180, 3, n=20, min_resource=20)) == [[(20, 20), (6, 60), (2, 180)]]
    assert rungs(successive_halving_plan(81, 3, n=10)) == [[(10, 9), (3, 27), (1, 81)]]
    assert rungs(successive_halving_plan(81, 3, n=2)) == [[(2, 81)]]
    assert rungs(successive_halving_plan(9, 3, n=100)) == [[(100, 1), (33, 3), (11, 9)]]


def test_full():
    plan = full_plan(10, 81)
    assert rungs(plan) == [[(10, 81)]]
    assert (plan.n_configurations, plan.n_evaluations, plan.cost, plan.cost_restart) == (10, 10, 810, 810)


def test_the_printed_table():
    assert str(hyperband_plan(9, 3)).splitlines() == [
        "3 brackets, 17 configurations, 22 evaluations",
        "",
        "            configurations at resource",
        "bracket  s  1  3  9  evaluations  cost  restarted",
        "-------------------------------------------------",
        "      0  2  9  3  1           13    21         27",
        "      1  1     5  1            6    21         24",
        "      2  0        3            3    27         27",
        "-------------------------------------------------",
        "  total     9  8  5           22    69         78",
        "",
        "s: times that a bracket discards trials; cost: resource in all, where promoted",
        "trials continue; restarted: what it would be if every rung began at zero.",
    ]


@pytest.mark.parametrize(("max_resource", "eta", "tables"), [(729, 3, 1), (6561, 3, 2), (2**20, 2, 3)])
def test_the_printed_table_fits_a_terminal(max_resource, eta, tables):
    plan = hyperband_plan(max_resource, eta)
    lines = str(plan).splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line.split() for line in lines if line.startswith("bracket")]
    assert len(heads) == tables
    shown = [word for head in heads for word in head[2:]]
    assert shown == [*(str(rung.r) for rung in plan.brackets[0].rungs), "evaluations", "cost", "restarted"]
    rows = [line.split()[2:] for line in lines if line.split()[:2] == ["0", str(plan.brackets[0].s)]]
    counts = [int(cell) for row in rows for cell in row]
    assert counts[:-3] == [rung.n for rung in plan.brackets[0].rungs]
    assert counts[-3:] == [plan.brackets[0].n_evaluations, plan.brackets[0].cost, plan.brackets[0].cost_restart]


def test_plain_data_says_where_trials_begin():
    """Else a state of half a population exchanged would be taken for one of a quarter."""
    brackets = population_plan(8, 2, 1, 2).to_dict()["brackets"]
    assert brackets == [{"bracket": 0, "s": 1, "rungs": [{"n": 8, "r": 1}, {"n": 8, "r": 2, "new": 2}], "copies": True}]


def test_numbers_of_numpy_become_numbers_of_python():
    """Integers of 8 or 64 bits would overflow in the powers of eta, and are no JSON."""
    plan = hyperband_plan(np.int64(243), np.int8(3), np.int16(1))
    assert plan == hyperband_plan(243, 3, 1)
    assert json.loads(json.dumps(plan.to_dict())) == hyperband_plan(243, 3, 1).to_dict()
    assert type(whole_number(np.uint8(7), "n")) is int


def test_plain_data():
    data = json.loads(json.dumps(hyperband_plan(1, 2, 0.5, whole=False).to_dict(), allow_nan=False))
    assert data == {
        "brackets": [
            {"bracket": 0, "s": 1, "rungs": [{"n": 2, "r": 0.5}, {"n": 1, "r": 1}]},
            {"bracket": 1, "s": 0, "rungs": [{"n": 2, "r": 1}]},
        ],
        "n_configurations": 4,
        "n_evaluations": 5,
        "cost": 3.5,
        "cost_restart": 4,
        "exact": True,
        "endless": False,
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hyperband_plan(81, 0.5), "`eta` must be greater than 1; got 0.5."),
        (lambda: hyperband_plan(81, 1), "`eta` must be greater than 1; got 1."),
        (lambda: hyperband_plan(81, math.nan), "`eta` must be a finite number; got nan."),
        (lambda: hyperband_plan(81, "3"), "`eta` must be a finite number; got '3'."),
        (lambda: hyperband_plan(81, True), "`eta` must be a finite number; got True."),
        (lambda: hyperband_plan(81, 1.0001), "`eta` must leave at most 255 rungs"),
        (lambda: async_plan(2.0**255, 2, whole=False), "`eta` must leave at most 255 rungs"),
        (lambda: hyperband_plan(math.inf), "`max_resource` must be a finite number; got inf."),
        (lambda: hyperband_plan(0), "`max_resource` must be greater than 0; got 0."),
        (lambda: hyperband_plan(8.5), "`max_resource` must be a whole number; got 8.5. Pass whole=False"),
        (lambda: hyperband_plan(9, 3, -1), "`min_resource` must be greater than 0; got -1."),
        (lambda: hyperband_plan(9, 3, 10), r"`max_resource` must be at least `min_resource` \(10\); got 9."),
        (
            lambda: hyperband_plan(9, 3, variant="table2"),
            "`variant` must be one of algorithm1, table1, ceil; got 'table2'.",
        ),
        (lambda: successive_halving_plan(9, 3, n=0), "`n` must be a whole number of at least 1; got 0."),
        (lambda: full_plan(2.5, 9), "`n` must be a whole number of at least 1; got 2.5."),
        (lambda: full_plan(None, 9), "`n` must be a whole number of at least 1; got None."),
    ],
)
def test_bad_settings_name_rule_and_value(call, message):
    with pytest.raises(InputError, match=message):
        call()


ETAS = st.one_of(
    st.integers(2, 12),
    st.sampled_from([2.5, 3.5, math.e, 1.5, 1.2]),
    st.fractions(Fraction(6, 5), 9, max_denominator=50),
)


@given(
    max_resource=st.integers(1, 3000),
    eta=ETAS,
    low=st.integers(1, 40),
    variant=st.sampled_from(["algorithm1", "table1"]),
)
def test_rules_of_every_hyperband_table(max_resource, eta, low, variant):
    low = min(low, max_resource)
    plan = hyperband_plan(max_resource, eta, low, variant)
    ratio = Fraction(repr(eta)) if isinstance(eta, float) else Fraction(eta)
    s_max = len(plan.brackets) - 1
    assert ratio**s_max * low <= max_resource < ratio ** (s_max + 1) * low
    for bracket in plan.brackets:
        resources, sizes = [rung.r for rung in bracket.rungs], [rung.n for rung in bracket.rungs]
        assert resources[-1] == max_resource
        assert resources[0] >= low
        assert all(isinstance(r, int) for r in resources)
        assert all(a < b for a, b in pairwise(resources))
        assert sizes[-1] >= 1
        assert all(a >= b for a, b in pairwise(sizes))
        if ratio.denominator == 1:
            assert all(b == a // ratio for a, b in pairwise(sizes))
        assert bracket.cost <= bracket.cost_restart


@given(max_resource=st.integers(1, 3000), eta=ETAS, n=st.integers(1, 2000))
def test_rules_of_every_successive_halving_table(max_resource, eta, n):
    plan = successive_halving_plan(max_resource, eta, n)
    first, last = plan.brackets[0].rungs[0], plan.brackets[0].rungs[-1]
    assert len(plan.brackets) == 1
    assert (first.n, last.r) == (n, max_resource)
    assert last.n >= 1
    resources = [rung.r for rung in plan.brackets[0].rungs]
    assert resources == sorted(set(resources))
