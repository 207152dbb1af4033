"""What `search` and `minimize` share: budget, progress, events, and algorithms that are not of this package."""

from __future__ import annotations

import inspect

import pytest
from sklearn.datasets import load_iris

import hyperband as hb
from hyperband.evaluation.progress import SearchProgress
from hyperband.tuning.algorithms import Algorithm, AlgorithmBase

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})
IRIS = load_iris(return_X_y=True)


def minimize(**options):
    return hb.minimize(lambda c, r: c["x"] + 1 / r, SPACE, options.pop("algorithm", hb.Hyperband(9)), **options)


def search(**options):
    return hb.search(*IRIS, algorithm=options.pop("algorithm", hb.Hyperband(9)), validation=0.2, **options)


both = pytest.mark.parametrize("run", [minimize, search])


def test_arguments_are_few_and_named_alike():
    names = {function: list(inspect.signature(function).parameters) for function in (hb.search, hb.minimize)}
    assert len(names[hb.search]) <= 17 and len(names[hb.minimize]) <= 11
    shared = [name for name in names[hb.search] if name in names[hb.minimize]]
    assert shared == ["algorithm", "space", "seed", "budget", "progress", "on_event"]


@both
def test_a_budget_stops_both(run):
    result = run(budget=hb.Budget(evaluations=5))
    assert (result.stopped, result.n_evaluations) == ("evaluations", 5)


@both
def test_an_event_stops_both(run):
    assert run(on_event=lambda run, results: run.n_evaluations >= 3).stopped == "callback"


@both
def test_progress_is_a_function_or_lines_on_stderr(run, capsys):
    seen: list[SearchProgress] = []
    run(progress=seen.append)
    last = seen[-1]
    cost = 69 if run is search else 78  # the objective starts again in every rung
    assert (last.planned, last.done, [b.n_rungs for b in last.brackets]) == (cost, cost, [3, 2, 1])
    assert (last.seconds_left, {b.trials_left for b in last.brackets}) == (0.0, {0})
    assert capsys.readouterr() == ("", "")
    run(progress=True)
    out, err = capsys.readouterr()
    unit = "epochs" if run is search else "resource"
    assert (
        out == "" and "bracket 2: rung 1 of 1, 0 trials left, best loss" in err and f"{cost} of {cost} {unit}, " in err
    )


def test_progress_changes_nothing():
    plain, shown = (minimize(progress=progress) for progress in (False, lambda now: None))
    assert plain.trials["loss"].tolist() == shown.trials["loss"].tolist()
    for workers in (hb.Workers(3), hb.Workers(2, timeout=60)):
        assert minimize(workers=workers, progress=lambda now: None).best == plain.best


def test_slow_evaluations_are_shown_while_they_run():
    import time

    seen = []
    hb.minimize(
        lambda c, r: time.sleep(0.5) or c["x"],
        SPACE,
        hb.RandomSearch(1, n=2),
        workers=2,
        progress=lambda now: seen.append((now.done, now.seconds)),
    )
    assert len([done for done, _ in seen if done == 0]) >= 3, "several reports before the first result"
    assert seen[-1][0] == 2


class Twice(AlgorithmBase):
    """No settings, no dataclass: only what it must have."""

    def plan(self, space=None):
        return hb.RandomSearch(3, n=2).plan()

    def start(self, space, seed=None):
        return hb.RandomSearch(3, n=2).start(space, seed)


class Seeded(Twice):
    def __init__(self, seed):
        self.seed = seed


@both
def test_an_algorithm_of_ones_own_needs_two_methods(run):
    assert isinstance(Twice(), Algorithm)
    result = run(algorithm=Twice())
    assert (result.n_evaluations, result.plan.n_evaluations) == (2, 2)


def test_the_seed_of_an_algorithm_of_ones_own_counts():
    one, two, same = (search(algorithm=Seeded(seed)).trials["loss"].tolist() for seed in (1, 2, 1))
    assert one == same != two


@both
def test_what_lacks_a_member_is_refused_with_the_way_out(run):
    class Half:
        def start(self, space, seed=None):
            raise AssertionError("never asked")

    with pytest.raises(hb.InputError, match="`algorithm` must be .* inherits .*[.]AlgorithmBase"):
        run(algorithm=Half())


@pytest.mark.parametrize(
    "algorithm", [hb.GridSearch(n=4), hb.Hyperband(9), hb.PBT(n=4)], ids=lambda a: type(a).__name__
)
def test_what_algorithms_say_of_themselves(algorithm):
    assert algorithm.small_space is isinstance(algorithm, hb.GridSearch)
    assert not algorithm.endless
    changed = algorithm.changing(["rate"])
    assert changed == (hb.PBT(n=4, explore=["rate"]) if isinstance(algorithm, hb.PBT) else algorithm)


def test_only_a_budget_ends_these():
    assert hb.ASHA(9).endless and hb.Hyperband(9, repetitions=None).endless
    assert not hb.ASHA(9, n=5).endless


OF_ONE = {
    "hyperband": hb.Hyperband(2),
    "min_resource": hb.Hyperband(81, min_resource=81),
    "fractions": hb.Hyperband(2.4, 2.5, whole=False),
    "halving": hb.SuccessiveHalving(2),
    "bohb": hb.BOHB(2),
    "dehb": hb.DEHB(2),
    "priorband": hb.PriorBand(2),
    "asynchronous": hb.AsyncHyperband(2),
}
SILENT = {
    "enough": hb.Hyperband(3),
    "fractions": hb.Hyperband(2.5, 2.5, whole=False),
    "repeated": hb.Hyperband(2, repetitions=3),
    "endless": hb.Hyperband(2, repetitions=None),
    "asha": hb.ASHA(2),
    "n is free": hb.SuccessiveHalving(2, n=5),
    "one is meant": hb.SuccessiveHalving(2, n=1),
    "one of asha": hb.ASHA(2, n=1),
    "one at random": hb.RandomSearch(2, n=1),
    "a sequence": hb.HalvingSequence(9, brackets=[(1, 9)]),
    "population": hb.PBT(n=4),
}


@pytest.mark.parametrize("algorithm", OF_ONE.values(), ids=OF_ONE)
def test_a_plan_of_one_configuration_that_nobody_asked_for_has_a_note(algorithm):
    assert algorithm.plan().n_configurations == 1
    assert algorithm.note.startswith("The plan has one configuration, which is compared with none")
    with pytest.warns(UserWarning, match="`max_resource` must be at least .*, eta times min_resource;") as seen:
        result = minimize(algorithm=algorithm)
    assert (len(seen), result.n_evaluations) == (1, 1)


@pytest.mark.parametrize("algorithm", SILENT.values(), ids=SILENT)
def test_other_plans_have_none(algorithm):
    assert algorithm.note is None


def test_the_note_names_the_numbers_and_the_line():
    for call in (
        lambda: hb.minimize(lambda c, r: c["x"], SPACE, hb.Hyperband(81, min_resource=81)),
        lambda: hb.search(*IRIS, algorithm=hb.Hyperband(2), validation=0.2),
    ):
        with pytest.warns(UserWarning, match=r"must be at least (243|3), eta times min_resource; got (81|2)\.") as seen:
            assert call().n_configurations == 1
        assert [one.filename for one in seen] == [__file__]


def test_a_default_search_on_few_columns_has_the_note_too():
    with pytest.warns(UserWarning, match="The plan has one configuration"):
        result = hb.search(IRIS[0][:, :2], IRIS[1], validation=0.2, training=hb.Training(resource="features"))
    assert result.n_configurations == 1
