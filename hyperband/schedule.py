"""Exact tables of brackets and rungs: pure functions on integers and rationals, no floating logarithm anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any, TypeAlias

from hyperband.errors import InputError

Exact: TypeAlias = int | Fraction
Number: TypeAlias = int | float | Fraction | Decimal

#: More brackets than this mean an `eta` so near to 1 that nobody meant it.
MAX_BRACKETS = 256

VARIANTS = ("algorithm1", "table1")


@dataclass(frozen=True, slots=True)
class Rung:
    """``n`` configurations that each reach the cumulative resource ``r`` (int when it is whole)."""

    n: int
    r: Exact


@dataclass(frozen=True, slots=True)
class Bracket:
    """One run of successive halving: its rungs, least resource first; ``s`` is the number of halvings meant."""

    s: int
    rungs: tuple[Rung, ...]

    @property
    def n_configurations(self) -> int:
        """Configurations that start in this bracket."""
        return self.rungs[0].n

    @property
    def n_evaluations(self) -> int:
        """Losses that this bracket asks for."""
        return sum(rung.n for rung in self.rungs)

    @property
    def cost(self) -> Exact:
        """Resource spent when a promoted trial goes on from where it was paused."""
        before = (Rung(0, 0), *self.rungs[:-1])
        return plain(sum((Fraction(b.n * (b.r - a.r)) for a, b in zip(before, self.rungs, strict=True)), Fraction()))

    @property
    def cost_restart(self) -> Exact:
        """Resource spent when every rung starts again from zero."""
        return plain(sum((Fraction(rung.n * rung.r) for rung in self.rungs), Fraction()))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search will do, to the unit: brackets in order, bracket 0 being the one with the most rungs.

    ``str(plan)`` is the table for people: a line per bracket, a column per resource.

    Examples
    --------
    >>> plan = hyperband_plan(9, 3)
    >>> [[(rung.n, rung.r) for rung in bracket.rungs] for bracket in plan.brackets]
    [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]]
    >>> plan.n_configurations, plan.n_evaluations, plan.cost, plan.cost_restart
    (17, 22, 69, 78)
    """

    brackets: tuple[Bracket, ...]

    @property
    def n_configurations(self) -> int:
        """Configurations tried, over all brackets."""
        return sum(bracket.n_configurations for bracket in self.brackets)

    @property
    def n_evaluations(self) -> int:
        """Losses asked for, over all brackets and rungs."""
        return sum(bracket.n_evaluations for bracket in self.brackets)

    @property
    def cost(self) -> Exact:
        """Resource spent when promoted trials go on from where they were paused."""
        return plain(sum((Fraction(bracket.cost) for bracket in self.brackets), Fraction()))

    @property
    def cost_restart(self) -> Exact:
        """Resource spent when every rung starts again from zero."""
        return plain(sum((Fraction(bracket.cost_restart) for bracket in self.brackets), Fraction()))

    @property
    def max_resource(self) -> Exact:
        """Resource of the highest rung; every bracket ends there."""
        return self.brackets[0].rungs[-1].r

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        brackets = [
            {"bracket": k, "s": bracket.s, "rungs": [{"n": rung.n, "r": as_float(rung.r)} for rung in bracket.rungs]}
            for k, bracket in enumerate(self.brackets)
        ]
        return {
            "brackets": brackets,
            "n_configurations": self.n_configurations,
            "n_evaluations": self.n_evaluations,
            "cost": as_float(self.cost),
            "cost_restart": as_float(self.cost_restart),
        }

    def __str__(self) -> str:
        return _table(self)


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
    min_resource : number > 0, the least that a configuration is judged on
    variant : {"algorithm1", "table1"}
        "table1": ``n = ceil(floor((s_max + 1) / (s + 1)) eta^s)``, as the paper's own Table 1 prints (81, 27, 9, 6, 5
        for R = 81, eta = 3), which contradicts its Algorithm 1 (81, 34, 15, 8, 5).
    whole : bool
        Round every resource to the nearest whole number (halves up). The last rung is R exactly; rungs that round to
        the same amount are one rung (this needs eta < 2). False keeps exact fractions.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> [bracket.n_configurations for bracket in hyperband_plan(81, 3).brackets]
    [81, 34, 15, 8, 5]
    """
    if variant not in VARIANTS:
        raise InputError(f"`variant` must be one of {', '.join(VARIANTS)}; got {variant!r}.")
    top, ratio, s_max = _settings(max_resource, eta, min_resource, whole)
    brackets = []
    for s in range(s_max, -1, -1):
        share = Fraction(s_max + 1, s + 1)
        n = math.ceil((share if variant == "algorithm1" else math.floor(share)) * ratio**s)
        brackets.append(_bracket(n, s, top, ratio, whole))
    return Plan(tuple(brackets))


def successive_halving_plan(
    max_resource: Number,
    eta: Number = 3,
    n: int | None = None,
    min_resource: Number = 1,
    *,
    whole: bool = True,
) -> Plan:
    """Table of successive halving: a single bracket that ends at ``max_resource``.

    Jamieson & Talwalkar (AISTATS 2016). With ``n=None`` there are ``eta^s`` configurations (rounded up), s being the
    largest with ``R / eta^s >= min_resource``: the classical R = eta^s configurations and s + 1 rungs. With ``n`` free,
    s is further limited by ``n / eta^s >= 1``, so that at least one configuration reaches R; a small ``n`` therefore
    starts above ``min_resource``. Parameters and errors otherwise as `hyperband_plan`.

    Examples
    --------
    >>> [(rung.n, rung.r) for rung in successive_halving_plan(27, 3).brackets[0].rungs]
    [(27, 1), (9, 3), (3, 9), (1, 27)]
    >>> [(rung.n, rung.r) for rung in successive_halving_plan(180, 3, n=20, min_resource=20).brackets[0].rungs]
    [(20, 20), (6, 60), (2, 180)]
    """
    top, ratio, s = _settings(max_resource, eta, min_resource, whole)
    if n is None:
        n = math.ceil(ratio**s)
    n = whole_number(n, "n")
    while ratio**s > n:
        s -= 1
    return Plan((_bracket(n, s, top, ratio, whole),))


def full_plan(n: int, max_resource: Number = 1, *, whole: bool = True) -> Plan:
    """Table without early stopping: ``n`` configurations, each judged once, at ``max_resource``.

    Examples
    --------
    >>> full_plan(10, 81).cost
    810
    """
    top = _resource(max_resource, "max_resource", whole)
    return Plan((Bracket(0, (Rung(whole_number(n, "n"), plain(top)),)),))


def plain(value: Exact) -> Exact:
    """The same number, an int when it is whole."""
    return value.numerator if value.denominator == 1 else value


def as_float(value: Exact) -> int | float:
    """For jobs, arrays and JSON: an int when it is whole, else the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)


def exact(value: Any, name: str) -> Fraction:
    """A finite number as a rational; a float as the shortest decimal that prints it (0.1 is 1/10, not 2**-55 off)."""
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        if isinstance(value, Rational | Decimal):
            return Fraction(value)
        return Fraction(int(value)) if hasattr(value, "__index__") else Fraction(repr(float(value)))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"`{name}` must be a finite number; got {value!r}.") from None


def whole_number(value: Any, name: str, low: int = 1) -> int:
    """A whole number of at least ``low``; 8.0 and NumPy integers count."""
    try:
        number = exact(value, name)
    except InputError:
        number = Fraction(low - 1)
    if number.denominator != 1 or number < low:
        raise InputError(f"`{name}` must be a whole number of at least {low}; got {value!r}.")
    return number.numerator


def _resource(value: Any, name: str, whole: bool) -> Fraction:
    amount = exact(value, name)
    if amount <= 0:
        raise InputError(f"`{name}` must be greater than 0; got {value!r}.")
    if whole and amount.denominator != 1:
        raise InputError(f"`{name}` must be a whole number; got {value!r}. Pass whole=False for fractional resources.")
    return amount


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


def _bracket(n: int, s: int, top: Fraction, eta: Fraction, whole: bool) -> Bracket:
    rungs: list[Rung] = []
    for i in range(s + 1):
        # Directly from n, as in Algorithm 1: halving the floored numbers again could leave nobody for a fractional eta.
        n_i = math.floor(n / eta**i)
        r_i = top / eta ** (s - i)
        if whole:
            # Halves up, not to even: amounts at least 1 apart must stay apart (1.5 and 2.5 would both become 2).
            r_i = Fraction(max(1, math.floor(r_i + Fraction(1, 2))))
        if not rungs or r_i > rungs[-1].r:
            rungs.append(Rung(n_i, plain(r_i)))
    return Bracket(s, tuple(rungs))


def _table(plan: Plan) -> str:
    """Lines of equal columns: bracket, s, configurations at each resource, evaluations, cost."""
    resources = sorted({rung.r for bracket in plan.brackets for rung in bracket.rungs})
    rows = [["bracket", "s", *(_show(r) for r in resources), "evaluations", "cost", "restarted"]]
    for k, bracket in enumerate(plan.brackets):
        at = {rung.r: str(rung.n) for rung in bracket.rungs}
        costs = [_show(bracket.cost), _show(bracket.cost_restart)]
        rows.append([str(k), str(bracket.s), *(at.get(r, "") for r in resources), str(bracket.n_evaluations), *costs])
    sums = [str(sum(g.n for b in plan.brackets for g in b.rungs if g.r == r)) for r in resources]
    rows.append(["total", "", *sums, str(plan.n_evaluations), _show(plan.cost), _show(plan.cost_restart)])
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    title = (
        f"{_count(len(plan.brackets), 'bracket')}, {_count(plan.n_configurations, 'configuration')}, "
        f"{_count(plan.n_evaluations, 'evaluation')}"
    )
    head = " " * (widths[0] + 2 + widths[1] + 2) + "configurations at resource"
    rule = "-" * len(lines[0])
    return "\n".join([title, "", head, lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _show(value: Exact) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.4g}"
