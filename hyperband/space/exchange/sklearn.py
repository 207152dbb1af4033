"""scikit-learn's ``param_distributions`` in the words of this package; neither it nor SciPy is needed.

Lists become choices, ordered where they are numbers that rise; SciPy's frozen ``uniform``, ``loguniform``, ``randint``
and ``truncnorm`` become axes. A list of mappings, of which one is drawn first, becomes the choice ``which``.

Examples
--------
>>> from scipy.stats import loguniform, randint
>>> from hyperband.space import Space
>>> space = Space.from_sklearn({"C": loguniform(0.1, 10), "degree": randint(2, 5), "kernel": ["rbf", "poly"]})
>>> space.parameters["degree"].high, space.parameters["kernel"].options
(4, ('rbf', 'poly'))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hyperband.errors import InputError
from hyperband.space.choice import Choice, plain
from hyperband.space.nested import Repeat
from hyperband.space.numbers import Float, Int

#: Name of the choice between several mappings.
WHICH = "which"


def parameters(distributions: Any) -> dict[str, Any]:
    """Parameters by name; of several mappings ``which`` with the places of the mappings as its options.

    Raises
    ------
    InputError
        When it is neither a mapping nor a list of mappings, or an entry is neither a list nor a distribution that has a
        counterpart.
    """
    if isinstance(distributions, Mapping):
        return {name: _axis(name, value) for name, value in distributions.items()}
    several = isinstance(distributions, list | tuple) and len(distributions) > 0
    if not several or not all(isinstance(part, Mapping) for part in distributions):
        raise InputError(f"`from_sklearn` needs a mapping of names to lists or distributions; got {distributions!r}.")
    if len(distributions) == 1:
        return parameters(distributions[0])
    return {WHICH: Choice({place: parameters(part) for place, part in enumerate(distributions)})}


def _axis(name: str, value: Any) -> Any:
    try:
        if isinstance(value, Float | Int | Choice | Repeat):
            return value
        if hasattr(value, "rvs"):
            return _distribution(name, value)
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
            raise InputError(f"must be a list of values or a distribution; got {value!r}. One value: [{value!r}].")
        return _choice(list(value))
    except InputError as error:
        raise InputError(f"Parameter {name!r} of scikit-learn: {error}") from None


def _choice(values: list[Any]) -> Choice:
    options = [plain(value) for value in values]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in options)
    return Choice(options, ordered=numbers and len(options) > 1 and bool((np.diff(options) > 0).all()))


def _distribution(name: str, frozen: Any) -> Any:
    kind = getattr(getattr(frozen, "dist", None), "name", type(frozen).__name__)
    if kind in ("uniform", "loguniform", "reciprocal", "randint", "truncnorm"):
        low, high = (plain(end) for end in frozen.support())
        if kind == "randint":
            return Int(low, high)
        if kind == "uniform":
            return Float(low, high)
        # Both others have two shapes, and then:
        loc, scale = (
            plain(frozen.args[place] if len(frozen.args) > place else frozen.kwds.get(key, usual))
            for place, key, usual in ((2, "loc", 0.0), (3, "scale", 1.0))
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
