"""Spaces of ConfigSpace (1.2 or newer) as spaces of this package; ConfigSpace need not be installed.

Logarithmic ranges stay logarithmic. A normal distribution becomes a prior around its mean, and weights become the prior
of a choice. Conditions become lists of the parent's values, forbidden clauses become constraint expressions. An error
names what has no counterpart: beta distributions, conditions on real numbers, "or" between conditions on different
parents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hyperband.errors import InputError
from hyperband.space.choice import Choice, as_python
from hyperband.space.expression import quoted
from hyperband.space.numbers import Float, Int
from hyperband.space.rules import When

#: Most values of a parent for which a condition lists those that satisfy it.
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
        When ``source`` is no such space, or something in it has no counterpart here.
    """
    # ConfigSpace need not be installed, so its class cannot be named.
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
            return make(
                as_python(axis.lower), as_python(axis.upper), log=axis.log, default=as_python(axis.default_value)
            )
        if kind in ("NormalFloat", "NormalInteger"):
            return _normal(make, axis)
    except InputError as error:
        raise InputError(f"Parameter {name!r} of the ConfigSpace: {error}") from None
    raise InputError(
        f"Parameter {name!r} of the ConfigSpace must be uniform, normal, categorical, ordinal or a constant; got "
        f"{_kind(axis)}. Give it a normal distribution there, or write the Space yourself."
    )


def _normal(make: Any, axis: Any) -> Float | Int:
    """The mean and standard deviation of a normal distribution as a default and its prior."""
    lower, upper, default = map(as_python, (axis.lower, axis.upper, axis.default_value))
    if not math.isclose(default, round(axis.mu) if make is Int else axis.mu, rel_tol=1e-6, abs_tol=1e-9):
        raise InputError(
            f"the default of a normal distribution must be its mean, a number in [{lower}, {upper}]; got default "
            f"{default!r} and mean {axis.mu!r}. Set the default there to the mean."
        )
    if axis.log:  # ConfigSpace scales `sigma` like a value: to its position on the logarithmic axis
        deviation = abs(math.log(lower + axis.sigma)) / (math.log(upper) - math.log(lower))
    else:
        deviation = axis.sigma / (upper - lower + (make is Int))
    number: Float | Int = make(lower, upper, log=axis.log, default=default, prior=float(deviation))
    return number


def _values(parent: Any, why: str) -> list[Any]:
    """All values of a parent in their order; ``why`` is the subject of the error when it has too many."""
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
        rank = possible.index if _kind(parent) == "OrdinalHyperparameter" else as_python
        mark = rank(condition.value)
        wanted = [value for value in possible if _COMPARED[kind](rank(value), mark)]
    else:
        raise InputError(
            f"A condition of the ConfigSpace must be one of InCondition, {', '.join(_COMPARED)}; got {kind}."
        )
    if not wanted:
        raise InputError(
            f"The condition on {child!r} of the ConfigSpace must hold for some value of {parent.name!r}; it "
            "holds for none."
        )
    return [When(child, str(parent.name), wanted)]


def _forbidden(clause: Any) -> str:
    """The condition under which a configuration is forbidden, as a constraint expression."""
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
            index = axis.sequence.index(clause.value)
            before, equal, after = axis.sequence[:index], axis.sequence[index : index + 1], axis.sequence[index + 1 :]
            chosen = {"==": equal, "<": before, "<=": before + equal, ">": after, ">=": equal + after}[sign]
            return _one_of(axis, list(chosen))
        return f"{quoted(str(axis.name))} {sign} {_written(axis, clause.value)}"
    raise InputError(f"A forbidden clause of the ConfigSpace must compare parameters or values; got {kind}.")


def _one_of(axis: Any, values: list[Any]) -> str:
    name = quoted(str(axis.name))
    return " or ".join(f"{name} == {_written(axis, value)}" for value in values) or f"{name} != {name}"


def _written(axis: Any, value: Any) -> str:
    value = as_python(value)
    if value is None or isinstance(value, str | bool | int | float):
        return repr(value)
    raise InputError(
        f"A forbidden value of {str(axis.name)!r} must be a text, a number, True, False or None; got {value!r}."
    )
