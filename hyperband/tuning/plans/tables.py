"""Exact tables of brackets and rungs: pure functions on integers and rationals, no floating logarithm anywhere."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from hyperband._common.checks import Number, exact, plain, whole_number
from hyperband.errors import InputError
from hyperband.tuning.plans.plan import Bracket, Plan, Rung

#: More brackets than this mean an `eta` too near to 1 to be intended; asynchronous rungs have room for no more.
MAX_BRACKETS = 255

#: Likewise for the steps of a population.
MOST_STEPS = 100_000

#: More repetitions than this are meant to be endless: their plan would be all that memory holds.
MOST_REPETITIONS = 1_000_000

VARIANTS = ("algorithm1", "table1", "ceil")


def hyperband_plan(
    max_resource: Number,
    eta: Number = 3,
    min_resource: Number = 1,
    variant: str = "algorithm1",
    *,
    whole: bool = True,
) -> Plan:
    """Table of Hyperband.

    Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar, JMLR 18.1 (2017), Algorithm 1: ``s_max`` is the largest s with
    ``R / eta^s >= min_resource``; bracket s starts ``n = ceil((s_max + 1) eta^s / (s + 1))`` configurations, and rung i
    holds ``floor(n eta^-i)`` of them at the cumulative resource ``R eta^(i - s)``.

    Parameters
    ----------
    max_resource : number, R
    eta : number > 1
        Need not be whole. A float stands for the shortest decimal that prints it: 2.5 is 5/2.
    min_resource : number > 0, the resource of the lowest rung is at least this
    variant : {"algorithm1", "table1", "ceil"}
        "table1": ``n = ceil(floor((s_max + 1) / (s + 1)) eta^s)``, as the paper's own Table 1 prints (81, 27, 9, 6, 5
        for R = 81, eta = 3), which contradicts its Algorithm 1 (81, 34, 15, 8, 5). "ceil": every rung holds
        ``ceil(n_(i-1) / eta)`` of the one below, as KerasTuner and scikit-learn count.
    whole : bool
        Round every resource to the nearest whole number (halves up). The last rung is R exactly; rungs that round to
        the same number are one rung (this needs eta < 2). False keeps exact fractions.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> [bracket.n_configurations for bracket in hyperband_plan(81, 3).brackets]
    [81, 34, 15, 8, 5]
    """
    _check_variant(variant, VARIANTS)
    top, ratio, s_max = _settings(max_resource, eta, min_resource, whole)
    brackets = []
    for s in range(s_max, -1, -1):
        share = Fraction(s_max + 1, s + 1)
        n = math.ceil((math.floor(share) if variant == "table1" else share) * ratio**s)
        brackets.append(_bracket(_sizes(n, s, ratio, variant), s, top, ratio, whole))
    return Plan(tuple(brackets))


def successive_halving_plan(
    max_resource: Number,
    eta: Number = 3,
    n: int | None = None,
    min_resource: Number = 1,
    *,
    whole: bool = True,
    aggressive: bool = False,
    variant: str = "algorithm1",
) -> Plan:
    """Table of successive halving: a single bracket that ends at ``max_resource``.

    Jamieson & Talwalkar (AISTATS 2016). With ``n=None`` there are ``eta^s`` configurations (rounded up), s being the
    largest with ``R / eta^s >= min_resource``: the classical R = eta^s configurations and s + 1 rungs. With ``n`` free,
    s is further limited by ``n / eta^s >= 1``, so that at least one configuration reaches R; a small ``n`` therefore
    starts above ``min_resource``.

    Parameters
    ----------
    aggressive : bool
        Aggressive elimination: with more than eta^(s + 1) configurations the surplus halvings all happen at the least
        resource, so that a handful reaches R and not ``n / eta^s``. Nothing is trained between them: they are one rung.
    variant : {"algorithm1", "ceil"}

    Other parameters and errors as `hyperband_plan`.

    Examples
    --------
    >>> [(rung.n, rung.r) for rung in successive_halving_plan(27, 3).brackets[0].rungs]
    [(27, 1), (9, 3), (3, 9), (1, 27)]
    >>> [(rung.n, rung.r) for rung in successive_halving_plan(180, 3, n=20, min_resource=20).brackets[0].rungs]
    [(20, 20), (6, 60), (2, 180)]
    >>> plan = successive_halving_plan(180, 3, n=60, min_resource=20, aggressive=True)
    >>> [(rung.n, rung.r) for rung in plan.brackets[0].rungs]
    [(60, 20), (6, 60), (2, 180)]
    """
    _check_variant(variant, ("algorithm1", "ceil"))
    top, ratio, s = _settings(max_resource, eta, min_resource, whole)
    if n is None:
        n = math.ceil(ratio**s)
    n = whole_number(n, "n")
    while ratio**s > n:
        s -= 1
    surplus = 0
    while aggressive and ratio ** (s + surplus + 1) <= n:
        surplus += 1
    sizes = _sizes(n, s + surplus, ratio, variant)
    return Plan((_bracket([n, *sizes[surplus + 1 :]], s, top, ratio, whole),))


def full_plan(n: int, max_resource: Number = 1, *, whole: bool = True) -> Plan:
    """Table without early stopping: ``n`` configurations, each evaluated once, at ``max_resource``.

    Examples
    --------
    >>> full_plan(10, 81).cost
    810
    """
    top = _resource(max_resource, "max_resource", whole)
    return Plan((Bracket(0, (Rung(whole_number(n, "n"), plain(top)),)),))


def async_plan(
    max_resource: Number,
    eta: Number = 3,
    n: int | None = None,
    min_resource: Number = 1,
    *,
    whole: bool = True,
) -> Plan:
    """Rungs of an asynchronous bracket, from ``min_resource`` on, and the least that will run in it.

    With ``n`` configurations a rung gets at least a share 1 / eta of the one below, rounded down (perhaps none); with
    ``n=None`` there are ever more of them, and the table is of the first eta^s. Parameters and errors otherwise as
    `hyperband_plan`.

    Examples
    --------
    >>> [(rung.n, rung.r) for rung in async_plan(27, 3, n=40).brackets[0].rungs]
    [(40, 1), (13, 3), (4, 9), (1, 27)]
    """
    top, ratio, s = _settings(max_resource, eta, min_resource, whole)
    count = math.ceil(ratio**s) if n is None else whole_number(n, "n")
    return Plan((_async_bracket(count, s, top, ratio, whole),), exact=False, endless=n is None)


def async_hyperband_plan(
    max_resource: Number,
    eta: Number = 3,
    min_resource: Number = 1,
    repetitions: int | None = 1,
    *,
    whole: bool = True,
) -> Plan:
    """Asynchronous brackets with as many configurations as those of Hyperband, ``repetitions`` times.

    None: ever more of them; the table is of the first repetition. Parameters and errors otherwise as `hyperband_plan`.

    Examples
    --------
    >>> [bracket.n_configurations for bracket in async_hyperband_plan(81, repetitions=2).brackets]
    [162, 68, 30, 16, 10]
    """
    top, ratio, _ = _settings(max_resource, eta, min_resource, whole)
    times = times_of(repetitions)
    once = hyperband_plan(max_resource, eta, min_resource, whole=whole).brackets
    brackets = tuple(_async_bracket(times * bracket.rungs[0].n, bracket.s, top, ratio, whole) for bracket in once)
    return Plan(brackets, exact=False, endless=repetitions is None)


def population_plan(n: int, max_resource: Number, interval: Number, n_replaced: int, *, whole: bool = True) -> Plan:
    """Table of population-based training.

    ``n`` members are evaluated at every multiple of ``interval`` below ``max_resource`` and there. Each time but the
    last ``n_replaced`` members are replaced by copies of others.

    Examples
    --------
    >>> plan = population_plan(10, max_resource=9, interval=3, n_replaced=2)
    >>> plan.n_configurations, plan.n_evaluations, plan.cost
    (14, 30, 90)
    """
    top, step = _resource(max_resource, "max_resource", whole), _resource(interval, "interval", whole)
    if step > top:
        raise InputError(f"`interval` must be at most `max_resource` ({max_resource!r}); got {interval!r}.")
    if math.ceil(top / step) > MOST_STEPS:
        raise InputError(f"`interval` must leave at most {MOST_STEPS} steps up to max_resource; got {interval!r}.")
    resources = [step * i for i in range(1, math.ceil(top / step))] + [top]
    rungs = [Rung(n, plain(r), n_replaced if i else 0) for i, r in enumerate(resources)]
    return Plan((Bracket(len(rungs) - 1, tuple(rungs), copies=True),))


def repeated(plan: Plan, repetitions: int | None) -> Plan:
    """The brackets of a plan so many times; None: again and again until a budget is spent.

    Examples
    --------
    >>> repeated(hyperband_plan(16, 2), 2).n_evaluations
    144
    """
    if repetitions is None:
        return Plan(plan.brackets, plan.exact, endless=True)
    return Plan(plan.brackets * times_of(repetitions), plan.exact)


def times_of(repetitions: Any) -> int:
    """How often all brackets are planned: once where they go on until a budget is spent.

    Raises
    ------
    InputError
        When ``repetitions`` is neither None nor a whole number from 1 to `MOST_REPETITIONS`.
    """
    return 1 if repetitions is None else whole_number(repetitions, "repetitions", 1, MOST_REPETITIONS)


def _resource(value: Any, name: str, whole: bool) -> Fraction:
    resource = exact(value, name)
    if resource <= 0:
        raise InputError(f"`{name}` must be greater than 0; got {value!r}.")
    if whole and resource.denominator != 1:
        raise InputError(f"`{name}` must be a whole number; got {value!r}. Pass whole=False for fractional resources.")
    return resource


def _settings(max_resource: Any, eta: Any, min_resource: Any, whole: bool) -> tuple[Fraction, Fraction, int]:
    ratio = exact(eta, "eta")
    if ratio <= 1:
        raise InputError(f"`eta` must be greater than 1; got {eta!r}.")
    top, low = _resource(max_resource, "max_resource", whole), _resource(min_resource, "min_resource", whole)
    if top < low:
        raise InputError(f"`max_resource` must be at least `min_resource` ({min_resource!r}); got {max_resource!r}.")
    s_max, power = 0, ratio
    while power * low <= top:
        s_max, power = s_max + 1, power * ratio
        if s_max >= MAX_BRACKETS:
            raise InputError(
                f"`eta` must leave at most {MAX_BRACKETS} rungs between min_resource and max_resource; got {eta!r}. "
                "Use a larger eta, for instance 3."
            )
    return top, ratio, s_max


def _check_variant(variant: str, known: tuple[str, ...]) -> None:
    if variant not in known:
        raise InputError(f"`variant` must be one of {', '.join(known)}; got {variant!r}.")


def _sizes(n: int, s: int, eta: Fraction, variant: str) -> list[int]:
    """Configurations of s + 1 rungs."""
    if variant != "ceil":
        # Directly from n, as in Algorithm 1: flooring twice could leave an empty rung for a fractional eta.
        return [math.floor(n / eta**i) for i in range(s + 1)]
    sizes = [n]
    for _ in range(s):
        sizes.append(math.ceil(sizes[-1] / eta))
    return sizes


def _async_bracket(n: int, s: int, top: Fraction, eta: Fraction, whole: bool) -> Bracket:
    sizes = [n]
    for _ in range(s):
        sizes.append(math.floor(sizes[-1] / eta))
    return _bracket(sizes, s, top, eta, whole)


def _bracket(sizes: list[int], s: int, top: Fraction, eta: Fraction, whole: bool) -> Bracket:
    rungs: list[Rung] = []
    for i, n_i in enumerate(sizes):
        r_i = top / eta ** (s - i)
        if whole:
            # Halves up, not to even: resources at least 1 apart must stay apart (1.5 and 2.5 would both become 2).
            r_i = Fraction(max(1, math.floor(r_i + Fraction(1, 2))))
        if not rungs or r_i > rungs[-1].r:
            rungs.append(Rung(n_i, plain(r_i)))
    return Bracket(s, tuple(rungs))
