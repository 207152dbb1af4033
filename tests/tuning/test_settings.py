"""Settings as plain data: written, read back, and compared when a state is loaded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from toy import Keyed, through_json

import hyperband as hb
from hyperband.errors import InputError
from hyperband.tuning import algorithms, samplers, schedulers
from hyperband.tuning.settings import Settings, difference, identity, register

SPACE = hb.Space({"x": hb.Float(0.0, 1.0), "kind": hb.Choice(["a", "b", None])})
ALGORITHMS = [
    hb.Hyperband(27, 2.5, min_resource=2, sampler=hb.KDESampler(top_fraction=0.3), seed=4, variant="ceil"),
    hb.SuccessiveHalving(27, 3, n=40, aggressive=True, repetitions=None),
    hb.HalvingSequence(27, 2.5, brackets=[(9, 3), (4, Fraction(7, 2), 9)], whole=False, seed=1),
    hb.ASHA(Fraction(10, 3), Decimal("2.5"), min_resource=Fraction(1, 7), n=40, whole=False),
    hb.AsyncHyperband(9, repetitions=2),
    hb.PASHA(27, n=9, epsilon=0.1),
    hb.BOHB(27, sampler=hb.WarmStartSampler(hb.WarmStartSampler(hb.KDESampler()), [({"x": 0.5, "kind": "a"}, 1, 2)])),
    hb.DEHB(27, repetitions=None),
    hb.PriorBand(27, 4),
    hb.RandomSearch(9, n=5, sampler=hb.IterableSampler([{"x": 0.5, "kind": "a"}])),
    hb.AdaptiveSearch(9, n=20, rounds=3),
    hb.GridSearch(9, points_per_axis={"x": 5, "kind": 2}),
    hb.PBT(9, n=8, interval=Fraction(1, 3), fraction=0.5, explore=["x"], whole=False),
]
SAMPLERS = [
    hb.RandomSampler(),
    hb.GridSampler({"x": 3}),
    hb.AdaptiveSampler(n_coarse=5, rounds=2, shrink=0.25),
    hb.KDESampler(min_points=4, random_fraction=1 / 3, batch=2),
    hb.EvolutionSampler(population=8, mutation=0.7),
    hb.PriorSampler(0.5),
    hb.PriorBandSampler(eta=2.5),
    hb.QuasiRandomSampler("halton"),
    hb.IterableSampler(({"x": 0.5}, {"x": np.float64(0.25)})),
    hb.WarmStartSampler(hb.PriorSampler(), {"resource": np.array([1, 9]), "loss": [0.5, math.nan], "x": [0.1, 0.2]}),
]
SCHEDULERS = [
    *(algorithm.scheduler for algorithm in ALGORITHMS if hasattr(algorithm, "scheduler")),
    schedulers.FullScheduler(5, 9),
]
EVERYTHING = [*ALGORITHMS, *SAMPLERS, *SCHEDULERS]
READ = [*[algorithms.from_dict] * len(ALGORITHMS), *[samplers.from_dict] * len(SAMPLERS)]
READ += [schedulers.from_dict] * len(SCHEDULERS)


def test_everything_public_is_here():
    named = [value for room in (algorithms, samplers, schedulers) for value in vars(room).values()]
    public = {kind for kind in named if isinstance(kind, type) and issubclass(kind, Settings)}
    assert public == {type(settings) for settings in EVERYTHING} and len(public) == 13 + 10 + 9


@pytest.mark.parametrize(("settings", "read"), [*zip(EVERYTHING, READ, strict=True)], ids=lambda s: type(s).__name__)
def test_settings_come_back_from_json(settings, read):
    data = through_json(settings.to_dict())
    assert (data["type"], data["version"]) == (type(settings).__name__, 1)
    assert set(data) == {"type", "version"} | {field.name for field in fields(settings) if field.init}
    for back in (read(data), type(settings).from_dict(data)):
        assert type(back) is type(settings) and back.to_dict() == data


@pytest.mark.parametrize("settings", ALGORITHMS, ids=lambda s: type(s).__name__)
def test_an_algorithm_from_json_searches_the_same(settings):
    settings = replace(settings, seed=7)
    back = algorithms.from_dict(through_json(settings.to_dict()))
    assert back.plan(SPACE) == settings.plan(SPACE)
    assert back.start(SPACE).ask(5) == settings.start(SPACE).ask(5)


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ((81, 81.0, np.int64(81), Fraction(81), Decimal(81)), 81),
        ((2.5, np.float64(2.5), Fraction(5, 2), Decimal("2.50")), 2.5),
        ((0.1, Fraction(1, 10), Decimal("0.1")), 0.1),
        ((Fraction(1, 3),), {"number": "1/3"}),
        ((Fraction(10**30 + 1, 2),), {"number": f"{10**30 + 1}/2"}),
        ((2**70, Fraction(2**70)), 2**70),
    ],
    ids=str,
)
def test_numbers_of_the_same_exact_value_are_written_alike(values, written):
    for value in values:
        data = through_json(hb.ASHA(10**40, min_resource=value, eta=10**9, whole=False).to_dict())
        assert data["min_resource"] == written
        assert hb.ASHA.from_dict(data).plan() == hb.ASHA(10**40, min_resource=value, eta=10**9, whole=False).plan()


def test_mappings_with_the_names_of_tags_stay_mappings():
    for points in ({"type": 2, "version": 1}, {"number": 3}, {"mapping": 2, "x": 1}):
        sampler = hb.GridSampler(points)
        assert samplers.from_dict(through_json(sampler.to_dict())) == sampler
    odd = hb.IterableSampler([{"type": "KDESampler", "version": 1}, {"number": "1/3"}, {"x": ["a", None]}])
    assert hb.IterableSampler.from_dict(through_json(odd.to_dict())) == odd


def test_earlier_trials_are_written_in_every_form():
    with pytest.warns(RuntimeWarning, match="gave NaN"):
        result = hb.minimize(lambda c, r: math.nan if c["x"] > 0.8 else c["x"] + 1 / r, SPACE, hb.Hyperband(9), seed=1)
    rows = [(dict(c), 1, v) for c, v in (({"x": 0.5, "kind": None}, (0.5, 1.0)), ({"x": 0.25, "kind": "b"}, math.inf))]
    frames = result.trials.to_pandas(), result.trials.to_pandas().convert_dtypes(), result.trials.to_polars()
    for trials in (result, result.trials, dict(result.trials), *frames, rows, ()):
        before = hb.WarmStartSampler(hb.KDESampler(min_points=3), trials, start_with=[{"x": 0.5, "kind": "a"}])
        after = samplers.from_dict(through_json(before.to_dict()))
        ours, theirs = (sampler.start(SPACE, 0) for sampler in (before, after))
        assert through_json(ours.state_dict()) == through_json(theirs.state_dict())
        np.testing.assert_array_equal(ours.propose(range(5)), theirs.propose(range(5)))


@dataclass(frozen=True)
class Foreign:
    """A sampler of someone else, without `to_dict`."""

    n: int = 3

    def start(self, space, seed):
        return hb.RandomSampler().start(space, seed)


@register
@dataclass(frozen=True)
class ThirdParty(Settings):
    """A sampler of someone else that takes part."""

    n: int = 3

    def start(self, space, seed):
        return hb.RandomSampler().start(space, seed)


def test_a_registered_class_takes_part():
    algorithm = hb.Hyperband(9, sampler=ThirdParty(5))
    assert algorithms.from_dict(through_json(algorithm.to_dict())) == algorithm
    with pytest.raises(InputError, match="names of their own; got another ThirdParty, after that of test_settings"):
        register(type("ThirdParty", (Settings,), {"__module__": "elsewhere"}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (hb.IterableSampler({"x": k / 9} for k in range(9)), "`configurations` must be plain data.*Pass a list"),
        (hb.IterableSampler([{"x": print}]), r"`configurations`\[0\]\['x'\] must be plain data"),
        (hb.WarmStartSampler(hb.RandomSampler(), iter([])), "`trials` must be plain data.*Pass a list"),
        (hb.Hyperband(9, sampler=Foreign()), r"`sampler` must be plain data, or have `to_dict`.*Foreign\(n=3\)"),
        (hb.GridSampler({1: 2}), "`points` must be plain data.*Use texts as keys"),
    ],
)
def test_what_cannot_be_written_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        settings.to_dict()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "must be what `to_dict` wrote, with a `type`; got None"),
        ({"version": 1}, "with a `type`"),
        ({"type": "Nothing", "version": 1}, "`type` must be a registered class; got 'Nothing'"),
        ({**hb.ASHA().to_dict(), "version": 2}, "`version` of ASHA must be 1; got 2"),
        ({**hb.ASHA().to_dict(), "more": 2}, "The data of ASHA must have the settings eta, .*; got .*more"),
        ({"type": "ASHA", "version": 1}, r"got \(none\)"),
        ({**hb.ASHA().to_dict(), "eta": 0.5}, "`eta` must be greater than 1; got 0.5"),
        ({**hb.ASHA().to_dict(), "eta": {"number": "1/0"}}, "A number must be written as 'p/q'"),
        ({**hb.ASHA().to_dict(), "sampler": {"type": "Nothing"}}, "`type` must be a registered class"),
        ({**hb.ASHA().to_dict(), "sampler": 5}, "`sampler` must be a sampler object"),
        ({**hb.PASHA().to_dict(), "epsilon": {}}, "`epsilon` must be at least 0"),
        ({**hb.AdaptiveSearch().to_dict(), "rounds": []}, "`rounds` must be a whole number"),
        (hb.KDESampler().to_dict(), "The data must be of an algorithm; got KDESampler"),
        (hb.ASHA().scheduler.to_dict(), "The data must be of an algorithm; got ASHAScheduler"),
    ],
)
def test_data_of_something_else_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        algorithms.from_dict(data)


def test_from_dict_of_a_class_makes_that_class():
    with pytest.raises(InputError, match="`type` must be Hyperband; got 'ASHA'"):
        hb.Hyperband.from_dict(hb.ASHA().to_dict())
    for read, other in ((samplers.from_dict, hb.ASHA()), (schedulers.from_dict, hb.KDESampler())):
        with pytest.raises(InputError, match="The data must be of a s.*; got"):
            read(other.to_dict())


# States


CHANGED = {
    "n_coarse": 6, "n_per_round": 8, "rounds": 5, "elite": 4, "shrink": 0.75, "min_points": 5, "top_fraction": 0.3,
    "n_draws": 32, "random_fraction": 0.75, "bandwidth_factor": 2.0, "min_bandwidth": 0.01, "batch": 4,
    "population": 9,
    "mutation": 0.6, "crossover": 0.4, "eta": 3.5, "kind": "sobol", "points": {"x": 4},
    "configurations": [{"x": 0.125}], "sampler": hb.PriorSampler(0.25), "trials": [({"x": 0.5}, 1, 0.5)],
    "start_with": [{"x": 0.5}], "outside": "leave out",
}  # fmt: skip
EVERY_SETTING = [(sampler, field.name) for sampler in SAMPLERS for field in fields(sampler) if field.init]


@pytest.mark.parametrize(("sampler", "name"), EVERY_SETTING, ids=str)
def test_another_setting_of_a_sampler_is_noticed(sampler, name):
    space = hb.Space({"x": hb.Float(0.0, 1.0)})
    state = through_json(hb.Hyperband(9, sampler=sampler).start(space).state_dict())
    hb.Hyperband(9.0, sampler=replace(sampler)).start(space).load_state_dict(state)
    other = hb.Hyperband(9, sampler=replace(sampler, **{name: CHANGED[name]})).start(space)
    with pytest.raises(InputError, match=rf"of a run with the same `sampler\.{name}"):
        other.load_state_dict(state)


def test_numbers_are_compared_by_their_value():
    state = hb.Hyperband(81, 2.5, min_resource=Fraction(1, 4), whole=False).start(SPACE).state_dict()
    hb.Hyperband(81.0, Fraction(5, 2), min_resource=0.25, whole=False).start(SPACE).load_state_dict(through_json(state))
    with pytest.raises(InputError, match=r"same `scheduler.min_resource` \(0.5\); got 0.25\. Start the run with"):
        hb.Hyperband(81, 2.5, min_resource=0.5, whole=False).start(SPACE).load_state_dict(through_json(state))


def test_other_parameters_to_explore_are_noticed():
    state = hb.PBT(9, explore=["x"]).start(SPACE).state_dict()
    hb.PBT(9, explore=("x",)).start(SPACE).load_state_dict(through_json(state))
    for other in (None, ["x", "kind"], ["kind"]):
        with pytest.raises(InputError, match="same `explore"):
            hb.PBT(9, explore=other).start(SPACE).load_state_dict(state)


def test_another_bound_of_the_space_is_noticed():
    state = hb.ASHA(9).start(SPACE).state_dict()
    wider = hb.Space({**SPACE.parameters, "x": hb.Float(0.0, 2.0)})
    with pytest.raises(InputError, match=r"same `space\.parameters\.x\.high` \(2\.?0?\); got 1"):
        hb.ASHA(9).start(wider).load_state_dict(state)


def test_a_space_with_a_function_as_constraint_is_compared_without_it():
    space = hb.Space({"x": hb.Float(0.0, 1.0)}, constraints=[lambda c: c["x"] < 0.5])
    run = hb.ASHA(9, n=9).start(space)
    for job in run.ask(4):
        run.tell(job, job.configuration["x"])
    state = through_json(run.state_dict())
    other = hb.ASHA(9, n=9).start(space)
    other.load_state_dict(state)
    assert other.ask(4) == run.ask(4)
    with pytest.raises(InputError, match=r"same `space\.parameters\.x\.high"):
        hb.ASHA(9, n=9).start(hb.Space({"x": hb.Float(0.0, 2.0)}, space.conditions, space.constraints)).load_state_dict(
            state
        )


def test_options_that_cannot_be_written_are_left_out_of_the_comparison():
    space = hb.Space({"f": hb.Choice([len, max]), "x": hb.Float(0.0, 1.0)})
    state = through_json(hb.ASHA(9, n=9).start(space).state_dict())
    hb.ASHA(9, n=9).start(space).load_state_dict(state)
    with pytest.raises(InputError, match=r"same `space\.parameters\.x\.low` \(0\.5\); got 0"):
        hb.ASHA(9, n=9).start(hb.Space({**space.parameters, "x": hb.Float(0.5, 1.0, log=True)})).load_state_dict(state)


class Opaque:
    """A sampler of someone else that is no dataclass."""

    def start(self, space, seed):
        return hb.RandomSampler().start(space, seed)


def test_samplers_of_others_are_compared_as_far_as_they_can_be_written():
    state = through_json(hb.ASHA(9, sampler=Foreign(3)).start(SPACE).state_dict())
    hb.ASHA(9, sampler=Foreign(3)).start(SPACE).load_state_dict(state)
    with pytest.raises(InputError, match=r"same `sampler.n` \(4\); got 3"):
        hb.ASHA(9, sampler=Foreign(4)).start(SPACE).load_state_dict(state)
    with pytest.raises(InputError, match=r"same `sampler.type` \('Opaque'\); got 'Foreign'"):
        hb.ASHA(9, sampler=Opaque()).start(SPACE).load_state_dict(state)
    state = through_json(hb.ASHA(9, sampler=Opaque()).start(SPACE).state_dict())
    hb.ASHA(9, sampler=Opaque()).start(SPACE).load_state_dict(state)


def test_an_iterator_is_left_out_of_the_comparison():
    def sampler():
        return hb.WarmStartSampler(hb.IterableSampler({"x": k / 9, "kind": "a"} for k in range(9)))

    state = through_json(hb.RandomSearch(1, n=4, sampler=sampler()).start(SPACE).state_dict())
    assert state["sampler"]["sampler"] == {"type": "IterableSampler"}
    hb.RandomSearch(1, n=4, sampler=sampler()).start(SPACE).load_state_dict(state)


def test_differences_are_found_at_any_depth():
    assert difference(identity(Keyed(3)), {"type": "Keyed", "limit": 3.0}, "sampler") is None
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "s") == ("s.a[1].b", 2, 3)
    assert difference({"a": [1]}, {"a": [1, 2]}, "s") == ("s.a", [1], [1, 2])
    assert difference({"a": 1}, {"b": 1}, "s") == ("s", ["a"], ["b"])
    assert difference({"type": "A", "x": 1}, {"type": "A"}, "s") is None
    assert difference({"type": "A"}, None, "s") == ("s", {"type": "A"}, None)


def test_the_example_of_the_documentation_runs():
    text = (Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(example, "docs/search.md", "exec"), {"__name__": __name__})
