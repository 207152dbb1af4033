"""Brackets one after another, added while a run goes on: the plan equals the run at every moment."""

from __future__ import annotations

import json

import pytest

import hyperband as hb

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})
PAIRS = [(9, 3), (4, 9), (2, 27)]


def carry_out(run, pairs=()):
    """All jobs, bracket after bracket; the resources of every trial, in order."""
    waiting, seen = list(pairs), []
    while not run.done:
        for job in run.ask():
            seen.append((job.bracket, job.rung, job.trial, job.resource))
            run.tell(job, job.configuration["x"] + 1 / job.resource)
        if run.done and waiting:
            run.extend([waiting.pop(0)])
    return seen


def test_the_plan_equals_the_run():
    run = hb.HalvingSequence(27, brackets=PAIRS).start(SPACE, seed=1)
    seen = carry_out(run)
    planned = [(k, i, rung.n) for k, bracket in enumerate(run.plan.brackets) for i, rung in enumerate(bracket.rungs)]
    assert planned == [(k, i, sum((b, r) == (k, i) for b, r, *_ in seen)) for k, i, _ in planned]
    assert seen == sorted(seen, key=lambda row: row[:2]), "a bracket began before the one before had ended"
    assert run.spent == run.plan.cost == 63 + 54 + 54


def test_brackets_that_are_added_are_those_of_a_plan_that_had_them_from_the_start():
    whole = hb.HalvingSequence(27, brackets=PAIRS).start(SPACE, seed=1)
    growing = hb.HalvingSequence(27, brackets=PAIRS[:1]).start(SPACE, seed=1)
    assert carry_out(growing, PAIRS[1:]) == carry_out(whole)
    assert growing.plan == whole.plan
    assert growing.best == whole.best


def test_a_state_is_of_the_brackets_that_were_added():
    growing = hb.HalvingSequence(27, brackets=PAIRS[:1]).start(SPACE, seed=1)
    carry_out(growing, PAIRS[1:2])
    state = json.loads(json.dumps(growing.state_dict()))
    same = hb.HalvingSequence(27, brackets=PAIRS[:2]).start(SPACE, seed=1)
    same.load_state_dict(state)
    same.extend(PAIRS[2:])
    growing.extend(PAIRS[2:])
    assert carry_out(same) == carry_out(growing)
    with pytest.raises(hb.InputError, match="same `scheduler.brackets"):
        hb.HalvingSequence(27, brackets=PAIRS[:1]).start(SPACE, seed=1).load_state_dict(state)


def test_a_bracket_may_end_below_the_largest_resource():
    run = hb.HalvingSequence(27, brackets=[(2, 27), (9, 1, 9)]).start(SPACE, seed=1)
    seen = carry_out(run)
    assert [(k, i, resource) for k, i, _, resource in seen if k == 1] == [
        (1, i, r) for i, (n, r) in enumerate([(9, 1), (3, 3), (1, 9)]) for _ in range(n)
    ]
    assert run.plan.max_resource == 27
    assert run.spent == run.plan.cost == 54 + 21


def test_a_later_bracket_may_end_above_all_others():
    growing = hb.HalvingSequence(9, brackets=[(9, 1)]).start(SPACE, seed=1)
    whole = hb.HalvingSequence(27, brackets=[(9, 1, 9), (3, 9)]).start(SPACE, seed=1)
    assert carry_out(growing, [(3, 9, 27)]) == carry_out(whole)
    assert growing.plan == whole.plan and growing.plan.max_resource == 27
    assert growing.best_at_full == whole.best_at_full and growing.best_at_full.resource == 27


def test_other_plans_are_fixed():
    run = hb.Hyperband(9).start(SPACE, seed=0)
    with pytest.raises(hb.InputError, match=r"Only a sequence of brackets can be extended; got a run of Hyperband"):
        run.extend([(3, 3)])


@pytest.mark.parametrize(
    "brackets, message",
    [
        ([], "at least one bracket"),
        ([9], "must list \\(n, min_resource\\) or"),
        (9, "must list \\(n, min_resource\\) or"),
        ([(0, 1)], "`n` must be"),
        ([(3, 99)], "`max_resource` must be at least `min_resource`"),
        ([(3, 1, 9), (3, 1, 3)], "The highest of `brackets` must end at `max_resource` \\(27\\)"),
        ([(3, 1), (3, 1, 81)], "The highest of `brackets` must end at"),
        ([(3, 1), (3, 1, 27, 81)], "must list"),
    ],
)
def test_bad_brackets_name_the_rule(brackets, message):
    with pytest.raises(hb.InputError, match=message):
        hb.HalvingSequence(27, brackets=brackets)


def test_a_bad_extension_leaves_the_run_as_it_was():
    run = hb.HalvingSequence(27, brackets=PAIRS[:1]).start(SPACE, seed=1)
    plan = run.plan
    with pytest.raises(hb.InputError):
        run.extend([(2, 9), (0, 9)])
    assert run.plan == plan
    carry_out(run)
    assert run.spent == plan.cost
