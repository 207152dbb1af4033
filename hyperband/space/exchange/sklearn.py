"""scikit-learn's ``param_distributions`` as parameters; neither scikit-learn nor SciPy need be installed.

Lists become choices, ordered ones where they hold ascending numbers. SciPy's frozen ``uniform``, ``loguniform``,
``randint`` and ``truncnorm`` become numeric axes. A list of mappings, of which scikit-learn first draws one, becomes
the choice ``which``.

Examples
--------
>>> from scipy.stats import loguniform, randint
>>> from hyperband.space import Space
>>> space = Space.from_sklearn({"C": loguniform(0.1, 10), "degree": randint(2, 5), "kernel": ["rbf", "poly"]})
>>> space.parameters["degree"].high, space.parameters["kernel"].options
(4, ('rbf', 'poly'))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hyperband.errors import InputError
from hyperband.space.choice import Choice, as_python
from hyperband.space.nested import Repeat
from hyperband.space.numbers import Float, Int

#: Name of the choice among several mappings.
WHICH = "which"


def parameters(distributions: Any) -> dict[str, Any]:
    """The parameters, by name; several mappings become the choice ``which``, whose options are their indices.

    Raises
    ------
    InputError
        When ``distributions`` is neither a mapping nor a list of mappings, or an entry is neither a list nor a
        distribution with a counterpart here.
    """
    if isinstance(distributions, Mapping):
        return {name: _axis(name, value) for name, value in distributions.items()}
    several = isinstance(distributions, list | tuple) and len(distributions) > 0
    if not several or not all(isinstance(part, Mapping) for part in distributions):
        raise InputError(f"`from_sklearn` needs a mapping of names to lists or distributions; got {distributions!r}.")
    if len(distributions) == 1:
        return parameters(distributions[0])
    return {WHICH: Choice({index: parameters(part) for index, part in enumerate(distributions)})}


def _axis(name: str, value: Any) -> Any:
    try:
        if isinstance(value, Float | Int | Choice | Repeat):
            return value
        if hasattr(value, "rvs"):  # how scikit-learn itself tells a distribution from a list
            return _distribution(name, value)
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise InputError(f"must be a list of values or a distribution; got {value!r}. One value: [{value!r}].")
        return _choice(list(value))
    except InputError as error:
        raise InputError(f"Parameter {name!r} of scikit-learn: {error}") from None


def _choice(values: list[Any]) -> Choice:
    options = [as_python(value) for value in values]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in options)
    return Choice(options, ordered=numbers and len(options) > 1 and bool((np.diff(options) > 0).all()))


def _distribution(name: str, frozen: Any) -> Any:
    # SciPy need not be installed: its frozen distributions are known by `dist.name`.
    kind = getattr(getattr(frozen, "dist", None), "name", type(frozen).__name__)
    if kind in ("uniform", "loguniform", "reciprocal", "randint", "truncnorm"):
        low, high = (as_python(end) for end in frozen.support())
        if kind == "randint":
            return Int(low, high)
        if kind == "uniform":
            return Float(low, high)
        # `loguniform` and `truncnorm` have two shape parameters, then `loc` and `scale`.
        loc, scale = (
            as_python(frozen.args[index] if len(frozen.args) > index else frozen.kwds.get(key, usual))
            for index, key, usual in ((2, "loc", 0.0), (3, "scale", 1.0))
        )
        if kind == "truncnorm":
            if not low <= loc <= high:
                raise InputError(f"the mean of a truncnorm must lie in [{low}, {high}]; got {loc!r}. Write a Float.")
            return Float(low, high, default=loc, prior=scale / (high - low))
        if loc == 0:
            return Float(low, high, log=True)
        raise InputError(f"a {kind} must have loc=0; got {loc!r}. Leave it out.")
    raise InputError(
        f"must be a list of values, or SciPy's uniform, loguniform, randint or truncnorm; got {kind}. Write "
        f"{{{name!r}: Float(low, high)}} with the bounds that you want."
    )
