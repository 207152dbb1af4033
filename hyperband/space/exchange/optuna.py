"""Optuna's distributions (version 3 or newer) as parameters of this package; Optuna need not be installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.numbers import Float, Int

#: Most values of a distribution with a step; each becomes an option.
MOST_VALUES = 100_000


def parameters(distributions: Any) -> dict[str, Any]:
    """The parameters, by name, of a mapping of names to Optuna's distributions.

    A distribution with a step becomes an ordered choice of all its values; an `Int` where the step is 1 and the bounds
    are whole numbers.

    Raises
    ------
    InputError
        When ``distributions`` is no mapping, or one of them is no float, integer or categorical distribution of Optuna.
    """
    if not isinstance(distributions, Mapping):
        raise InputError(
            f"`from_optuna` needs a mapping of names to distributions, such as `trial.distributions`; got "
            f"{distributions!r}."
        )
    return {name: _axis(name, distribution) for name, distribution in distributions.items()}


def _axis(name: str, distribution: Any) -> Any:
    # By name, since Optuna need not be installed.
    kinds = {kind.__name__ for kind in type(distribution).__mro__}
    try:
        if "CategoricalDistribution" in kinds:
            return Choice(distribution.choices)
        if "FloatDistribution" in kinds or "IntDistribution" in kinds:
            return _number(distribution, "IntDistribution" in kinds)
    except InputError as error:
        raise InputError(f"Parameter {name!r} of Optuna: {error}") from None
    raise InputError(
        f"Parameter {name!r} must be a FloatDistribution, an IntDistribution or a CategoricalDistribution of Optuna; "
        f"got {distribution!r}."
    )


def _number(distribution: Any, whole: bool) -> Any:
    low, high, log, step = distribution.low, distribution.high, distribution.log, distribution.step
    if low == high:
        return Choice([low])
    if step is None:
        return Float(low, high, log=log)
    if step == 1 and low == int(low):
        return Int(int(low), int(high), log=log)
    count = round((high - low) / step) + 1
    if count > MOST_VALUES:
        raise InputError(
            f"a step must leave at most {MOST_VALUES} values; got {count}. Enlarge the step, or leave it out."
        )
    values = [low + index * step for index in range(count)]
    return Choice(values if whole else [min(value, high) for value in values], ordered=True)
