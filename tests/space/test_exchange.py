"""Spaces of other libraries: values, conditions and priors agree with what those libraries compute."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hyperband.errors import InputError
from hyperband.space import Choice, Float, Int, Repeat, Space, When
from hyperband.tuning.samplers import RandomSampler

# ConfigSpace


@pytest.fixture
def cs():
    return pytest.importorskip("ConfigSpace", minversion="1.2", reason="ConfigSpace is not installed")


def configuration_space(cs):
    space = cs.ConfigurationSpace(seed=1)
    kind = cs.Categorical("kind", ["x", "y", "z"], weights=[1, 2, 3], default="y")
    n = cs.Integer("n", (1, 10), log=True)
    order = cs.OrdinalHyperparameter("order", ["lo", "mid", "hi"], default_value="mid")
    f = cs.Float("f", (0.1, 1), distribution=cs.Normal(0.5, 0.1))
    b, g, h = (
        cs.Float("b", (0, 1), default=0.9),
        cs.Integer("g", (0, 5), distribution=cs.Normal(2, 1)),
        cs.Float("h", (0, 1)),
    )
    rate = cs.Float("sub:rate", (1e-3, 1), log=True, distribution=cs.Normal(0.05, 0.3))
    only, late = cs.Constant("only", 3), cs.Float("late", (0, 1))
    space.add(kind, n, order, f, b, g, h, rate, only, late)
    space.add(
        cs.EqualsCondition(f, kind, "x"),
        cs.AndConjunction(cs.InCondition(b, kind, ["x", "y"]), cs.GreaterThanCondition(b, n, 3)),
        cs.OrConjunction(cs.EqualsCondition(g, order, "hi"), cs.EqualsCondition(g, order, "lo")),
        cs.NotEqualsCondition(h, kind, "z"),
        cs.LessThanCondition(late, order, "hi"),
    )
    space.add(
        cs.ForbiddenAndConjunction(cs.ForbiddenEqualsClause(kind, "x"), cs.ForbiddenInClause(n, [1, 2])),
        cs.ForbiddenLessThanRelation(b, rate),
        cs.ForbiddenAndConjunction(cs.ForbiddenLessThanClause(order, "mid"), cs.ForbiddenEqualsClause(kind, "z")),
        cs.ForbiddenGreaterThanEqualsClause(n, 9),
    )
    return space


def test_configspace_agrees_on_what_is_allowed(cs):
    theirs = configuration_space(cs)
    ours = Space.from_configspace(theirs)
    assert ours.names == tuple(theirs) and Space.from_json(ours.to_json()) == ours
    for configuration in theirs.sample_configuration(500):
        assert ours.allowed(ours.encode([dict(configuration)])).all()
    for values in ours.decode(RandomSampler().start(ours, 0).propose(range(500))):
        cs.Configuration(theirs, values=values).check_valid_configuration()
    default = ours.defaults()
    assert {
        k: pytest.approx(v) if isinstance(v, float) else v for k, v in theirs.get_default_configuration().items()
    } == default


def test_configspace_is_read_as_expected(cs):
    ours = Space.from_configspace(configuration_space(cs))
    assert ours.parameters["kind"] == Choice(["x", "y", "z"], default="y", prior=[1, 2, 3])
    assert ours.parameters["n"] == Int(1, 10, log=True, default=3)
    assert ours.parameters["order"] == Choice(["lo", "mid", "hi"], default="mid", ordered=True)
    assert ours.parameters["only"] == Choice([3]) and ours.parameters["b"] == Float(0, 1, default=0.9)
    assert set(ours.conditions) == {
        When("f", "kind", ["x"]),
        When("b", "kind", ["x", "y"]),
        When("b", "n", [4, 5, 6, 7, 8, 9, 10]),
        When("g", "order", ["hi", "lo"]),
        When("h", "kind", ["x", "y"]),
        When("late", "order", ["lo", "mid"]),
    }
    assert set(ours.constraints) == {
        "not ((`kind` == 'x') and (`n` == 1 or `n` == 2))",
        "not (`b` < `sub:rate`)",
        "not ((`order` == 'lo') and (`kind` == 'z'))",
        "not (`n` >= 9)",
    }


def test_priors_of_configspace_have_its_quantiles(cs):
    theirs = configuration_space(cs)
    ours = Space.from_configspace(theirs)
    columns = ours.columns(ours.from_prior(np.random.default_rng(0).random((50_000, ours.n_dimensions))))
    for name in ("f", "sub:rate", "b"):
        found = theirs[name].sample_value(50_000, seed=np.random.RandomState(0))
        levels = [0.1, 0.3, 0.5, 0.7, 0.9]
        assert np.quantile(columns[name], levels) == pytest.approx(np.quantile(found, levels), rel=0.05, abs=0.01)
    # Of whole numbers the mass that the normal distribution has around each; ConfigSpace spreads them by a bin more.
    edges = stats.norm(2, 1).cdf(np.arange(7) - 0.5)
    assert np.bincount(columns["g"]) / 50_000 == pytest.approx(np.diff(edges) / (edges[-1] - edges[0]), abs=0.01)
    for option, share in (("x", 1 / 6), ("y", 2 / 6), ("z", 3 / 6)):
        assert (columns["kind"] == option).mean() == pytest.approx(share, abs=0.01)


def refused(cs):
    """Spaces that have no counterpart, and what the error must say."""
    a, f, n = cs.Categorical("a", ["x", "y"]), cs.Float("f", (0, 1)), cs.Integer("n", (0, 5))
    child, other = cs.Float("child", (0, 1)), cs.Integer("many", (0, 10**6))
    yield [cs.Float("beta", (0, 1), distribution=cs.Beta(2, 3))], [], "'beta'.*BetaFloat"
    yield [cs.Float("m", (0, 1), distribution=cs.Normal(0.3, 0.1), default=0.8)], [], "'m'.*must be its mean"
    yield (
        [a, n, child],
        [cs.OrConjunction(cs.EqualsCondition(child, a, "x"), cs.EqualsCondition(child, n, 1))],
        "`or` over",
    )
    yield [f, child], [cs.GreaterThanCondition(child, f, 0.5)], "'child'.*UniformFloat.* 'f'"
    yield [other, child], [cs.GreaterThanCondition(child, other, 5)], "at most 100000 values"
    yield [cs.Categorical("w", ["x", "y"], weights=[1, 0])], [], "'w'.*positive weights"
    yield [cs.Float("a`b", (0, 1), default=0.1)], [("a`b", 0.5)], "backtick"


@pytest.mark.parametrize("number", range(7))
def test_what_configspace_cannot_say_here_is_named(cs, number):
    parameters, rules, message = list(refused(cs))[number]
    space = cs.ConfigurationSpace()
    space.add(*parameters)
    for rule in rules:
        space.add(cs.ForbiddenEqualsClause(space[rule[0]], rule[1]) if isinstance(rule, tuple) else rule)
    with pytest.raises(InputError, match=message):
        Space.from_configspace(space)


@pytest.mark.parametrize("source", [None, 3, {"x": 1}, Space({"x": Float(0, 1)})])
def test_anything_but_a_configuration_space_is_refused(source):
    with pytest.raises(InputError, match="needs a ConfigSpace"):
        Space.from_configspace(source)


# Optuna


@pytest.fixture
def optuna():
    module = pytest.importorskip("optuna", reason="Optuna is not installed")
    module.logging.set_verbosity(module.logging.ERROR)
    return module


def distributions(optuna):
    d = optuna.distributions
    return {
        "rate": d.FloatDistribution(1e-4, 1.0, log=True),
        "tenth": d.FloatDistribution(0.0, 0.7, step=0.1),
        "whole": d.FloatDistribution(0.0, 5.0, step=1.0),
        "odd": d.IntDistribution(1, 9, step=2),
        "width": d.IntDistribution(8, 512, log=True),
        "n": d.IntDistribution(-3, 3),
        "kind": d.CategoricalDistribution(["a", None, 3, True]),
        "one": d.FloatDistribution(2.0, 2.0),
    }


def test_optuna_accepts_our_values_and_we_accept_its(optuna):
    theirs = distributions(optuna)
    ours = Space.from_optuna(theirs)
    for values in ours.decode(RandomSampler().start(ours, 0).propose(range(300))):
        optuna.trial.create_trial(params=values, distributions=theirs, value=0.0)  # refuses what it does not contain
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    asked = [study.ask(theirs).params for _ in range(200)]
    for again, values in zip(ours.decode(ours.encode(asked)), asked, strict=True):
        rate = values.pop("rate")  # a number that no point has to the last place
        assert again.pop("rate") == pytest.approx(rate, rel=1e-12) and again == values


def test_optuna_is_read_as_expected(optuna):
    ours = Space.from_optuna(distributions(optuna))
    assert ours.parameters["rate"] == Float(1e-4, 1.0, log=True) and ours.parameters["width"] == Int(8, 512, log=True)
    assert ours.parameters["whole"] == Int(0, 5) and ours.parameters["n"] == Int(-3, 3)
    assert ours.parameters["odd"] == Choice([1, 3, 5, 7, 9], ordered=True)
    tenths = ours.parameters["tenth"]
    assert (
        tenths.ordered and tenths.options == pytest.approx([0.1 * k for k in range(8)]) and max(tenths.options) <= 0.7
    )
    assert ours.parameters["kind"] == Choice(["a", None, 3, True]) and ours.parameters["one"] == Choice([2.0])


def test_other_things_than_optunas_are_refused(optuna):
    for wrong, message in (
        (3, "mapping of names"),
        ({"x": 3}, "'x' must be a FloatDistribution"),
        ({"x": stats.uniform(0, 1)}, "'x' must be a FloatDistribution"),
        ({"x": optuna.distributions.IntDistribution(0, 10**7, step=2)}, "'x'.*at most 100000"),
        ({"x": optuna.distributions.IntDistribution(0, 2**60)}, "'x'.*within"),
    ):
        with pytest.raises(InputError, match=message):
            Space.from_optuna(wrong)


# scikit-learn


def test_scikit_learn_accepts_our_values_and_we_accept_its():
    from sklearn.model_selection import ParameterSampler

    theirs = {
        "C": stats.loguniform(1e-3, 10),
        "n": stats.randint(1, 5),
        "shift": stats.uniform(loc=1, scale=2),
        "bell": stats.truncnorm(-2, 2, loc=0.5, scale=0.2),
        "kernel": ["rbf", "linear"],
        "power": [1, 2, 4],
        "deep": np.array([0.5, 0.1]),
        "count": range(3),
    }
    ours = Space.from_sklearn(theirs)
    for values in ParameterSampler(theirs, 200, random_state=0):
        assert ours.decode(ours.encode([values]))[0] == pytest.approx(values)
    columns = ours.columns(ours.from_prior(np.random.default_rng(0).random((20_000, ours.n_dimensions))))
    for name in ("C", "n", "shift", "bell"):
        levels = [0.1, 0.3, 0.6, 0.9]
        assert np.quantile(columns[name], levels) == pytest.approx(theirs[name].ppf(levels), rel=0.05)
    assert ours.parameters["C"] == Float(1e-3, 10, log=True) and ours.parameters["n"] == Int(1, 4)
    assert ours.parameters["power"] == Choice([1, 2, 4], ordered=True) and ours.parameters["count"].ordered
    assert ours.parameters["deep"] == Choice([0.5, 0.1]) and not ours.parameters["kernel"].ordered


def test_axes_of_this_package_stay_what_they_are():
    ours = Space.from_sklearn({"x": Float(0, 1, prior="low"), "r": Repeat(1, 2, Int(0, 1))})
    assert ours.parameters["x"].prior == "low" and ours.names == ("x", "r", "r.0", "r.1")


def test_several_mappings_become_a_choice_between_them():
    ours = Space.from_sklearn([{"kernel": ["linear"], "C": [1, 2]}, {"kernel": ["rbf"], "gamma": stats.uniform(0, 1)}])
    found = [ours.nested(c)["which"] for c in ours.decode(RandomSampler().start(ours, 0).propose(range(50)))]
    assert {tuple(c) for c in found} == {(0,), (1,)}
    for c in found:
        ((index, parameters),) = c.items()
        assert set(parameters) == ({"kernel", "C"} if index == 0 else {"kernel", "gamma"})
    assert Space.from_sklearn([{"C": [1, 2]}]).names == ("C",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "mapping of names"),
        ([], "mapping of names"),
        ([{"a": [1]}, 3], "mapping of names"),
        ({"a": 3}, r"'a'.*One value: \[3\]"),
        ({"a": "abc"}, r"'a'.*\['abc'\]"),
        ({"a": {"b": 1}}, "'a'.*list of values"),
        ({"a": []}, "'a'.*at least one"),
        ({"a": [1, 1]}, "'a'.*twice"),
        ({"a": stats.norm()}, "'a'.*got norm.*Float"),
        ({"a": stats.loguniform(1, 2, loc=3)}, "'a'.*loc=0"),
        ({"a": stats.truncnorm(1, 2)}, "'a'.*mean of a truncnorm"),
    ],
)
def test_what_scikit_learn_cannot_say_here_is_named(wrong, message):
    with pytest.raises(InputError, match=message):
        Space.from_sklearn(wrong)
