"""A space of ConfigSpace (1.2 or newer) in the words of this package; that package itself is not needed.

Ranges keep their logarithm; a normal distribution becomes a prior around its mean, weights one of a choice. Conditions
become lists of the parent's values, forbidden clauses texts. What has no counterpart is refused by name: beta
distributions, conditions on real numbers, "or" between conditions on different parents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hyperband.errors import InputError
from hyperband.space.choice import Choice, plain
from hyperband.space.expression import quoted
from hyperband.space.numbers import Float, Int
from hyperband.space.rules import When

#: Most values of a parent that a condition lists.
MOST_VALUES = 100_000

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "EqualsCondition": lambda a, b: bool(a == b),
    "NotEqualsCondition": lambda a, b: bool(a != b),
    "LessThanCondition": lambda a, b: bool(a < b),
    "GreaterThanCondition": lambda a, b: bool(a > b),
}
_SIGNS = {
    "ForbiddenEquals": "==",
    "ForbiddenLessThan": "<",
    "ForbiddenLessThanEquals": "<=",
    "ForbiddenGreaterThan": ">",
    "ForbiddenGreaterThanEquals": ">=",
}


def parts(source: Any) -> tuple[dict[str, Any], list[When], list[str]]:
    """Parameters, conditions and constraints of a ``ConfigSpace.ConfigurationSpace``.

    Raises
    ------
    InputError
        When it is no such space, or something in it has no counterpart.
    """
    if not (isinstance(source, Mapping) and hasattr(source, "forbidden_clauses") and hasattr(source, "conditions")):
        raise InputError(f"`from_configspace` needs a ConfigSpace.ConfigurationSpace; got {source!r}.")
    parameters = {str(name): _axis(str(name), axis) for name, axis in source.items()}
    conditions = [when for condition in source.conditions for when in _conditions(condition)]
    constraints = [f"not ({_forbidden(clause)})" for clause in source.forbidden_clauses]
    return parameters, conditions, constraints


def _kind(thing: Any) -> str:
    return type(thing).__name__


def _axis(name: str, axis: Any) -> Any:
    kind = _kind(axis).removesuffix("Hyperparameter")
    try:
        if kind == "Constant":
            return Choice([axis.value])
        if kind == "Ordinal":
            return Choice(axis.sequence, default=axis.default_value, ordered=True)
        if kind == "Categorical":
            weights = None if axis.weights is None else [float(weight) for weight in axis.weights]
            return Choice(axis.choices, default=axis.default_value, prior=weights)
        make = Int if kind.endswith("Integer") else Float
        if kind in ("UniformFloat", "UniformInteger"):
            return make(plain(axis.lower), plain(axis.upper), log=axis.log, default=plain(axis.default_value))
        if kind in ("NormalFloat", "NormalInteger"):
            return _normal(make, axis)
    except InputError as error:
        raise InputError(f"Parameter {name!r} of the ConfigSpace: {error}") from None
    raise InputError(
        f"Parameter {name!r} of the ConfigSpace must be uniform, normal, categorical, ordinal or a constant; got "
        f"{_kind(axis)}. Give it a normal distribution there, or write the Space yourself."
    )


def _normal(make: Any, axis: Any) -> Float | Int:
    """A mean and a standard deviation as a default and its prior."""
    lower, upper, default = plain(axis.lower), plain(axis.upper), plain(axis.default_value)
    if not math.isclose(default, round(axis.mu) if make is Int else axis.mu, rel_tol=1e-6, abs_tol=1e-9):
        raise InputError(
            f"the default of a normal distribution must be its mean, a number in [{lower}, {upper}]; got {default!r} "
            f"and {axis.mu!r}. Priors lie around defaults."
        )
    if axis.log:  # so it is scaled there: the distance of `sigma` from 0 on the logarithmic axis that starts at `lower`
        spread = abs(math.log(lower + axis.sigma)) / (math.log(upper) - math.log(lower))
    else:
        spread = axis.sigma / (upper - lower + (make is Int))
    axis_here: Float | Int = make(lower, upper, log=axis.log, default=default, prior=float(spread))
    return axis_here


def _values(parent: Any, why: str) -> list[Any]:
    """All values of a parent, in their order."""
    kind = _kind(parent).removesuffix("Hyperparameter")
    if kind in ("Categorical", "Ordinal"):
        return list(parent.choices if kind == "Categorical" else parent.sequence)
    if kind == "Constant":
        return [parent.value]
    if not kind.endswith("Integer") or parent.upper - parent.lower >= MOST_VALUES:
        raise InputError(
            f"{why} must depend on a parameter with at most {MOST_VALUES} values; got {_kind(parent)} "
            f"{parent.name!r}. Make it an integer or a category there."
        )
    return list(range(int(parent.lower), int(parent.upper) + 1))


def _conditions(condition: Any) -> list[When]:
    kind, child = _kind(condition), str(condition.child.name)
    if kind == "AndConjunction":
        return [when for part in condition.components for when in _conditions(part)]
    if kind == "OrConjunction":
        branches = [_conditions(part) for part in condition.components]
        parents = {when.parent for branch in branches for when in branch}
        if len(parents) > 1 or any(len(branch) > 1 for branch in branches):
            raise InputError(
                f"The conditions on {child!r} of the ConfigSpace must be joined by `and`, or be on one parent; got "
                f"`or` over {', '.join(sorted(map(repr, parents)))}. Condition it on one parent."
            )
        values = {value: None for (when,) in branches for value in when.values}
        return [When(child, parents.pop(), list(values))]
    parent = condition.parent
    possible = _values(parent, f"The condition on {child!r} of the ConfigSpace")
    if kind == "InCondition":
        wanted = [value for value in possible if value in list(condition.values)]
    elif kind in _COMPARED:
        rank = possible.index if _kind(parent) == "OrdinalHyperparameter" else plain
        mark = rank(condition.value)
        wanted = [value for value in possible if _COMPARED[kind](rank(value), mark)]
    else:
        raise InputError(f"A condition of the ConfigSpace must be one of {', '.join(_COMPARED)}; got {kind}.")
    if not wanted:
        raise InputError(f"The condition on {child!r} of the ConfigSpace must hold for some value of {parent.name!r}.")
    return [When(child, str(parent.name), wanted)]


def _forbidden(clause: Any) -> str:
    """When a configuration is forbidden, as a text."""
    kind = _kind(clause)
    if kind in ("ForbiddenAndConjunction", "ForbiddenOrConjunction"):
        word = " and " if kind == "ForbiddenAndConjunction" else " or "
        return word.join(f"({_forbidden(part)})" for part in clause.components)
    if (sign := _SIGNS.get(kind.removesuffix("Relation"))) and kind.endswith("Relation"):
        return f"{quoted(str(clause.left.name))} {sign} {quoted(str(clause.right.name))}"
    if kind == "ForbiddenInClause":
        return _one_of(clause.hyperparameter, list(clause.values))
    if sign := _SIGNS.get(kind.removesuffix("Clause")):
        axis = clause.hyperparameter
        if _kind(axis) == "OrdinalHyperparameter":
            place = axis.sequence.index(clause.value)
            before, here, after = axis.sequence[:place], axis.sequence[place : place + 1], axis.sequence[place + 1 :]
            chosen = {"==": here, "<": before, "<=": before + here, ">": after, ">=": here + after}[sign]
            return _one_of(axis, list(chosen))
        return f"{quoted(str(axis.name))} {sign} {_written(axis, clause.value)}"
    raise InputError(f"A forbidden clause of the ConfigSpace must compare parameters or values; got {kind}.")


def _one_of(axis: Any, values: list[Any]) -> str:
    name = quoted(str(axis.name))
    return " or ".join(f"{name} == {_written(axis, value)}" for value in values) or f"{name} != {name}"


def _written(axis: Any, value: Any) -> str:
    value = plain(value)
    if value is None or isinstance(value, str | bool | int | float):
        return repr(value)
    raise InputError(
        f"A forbidden value of {str(axis.name)!r} must be a text, a number, True, False or None; got {value!r}."
    )
