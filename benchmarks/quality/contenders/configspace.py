"""Our spaces in ConfigSpace, for the libraries that want them so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hyperband as hb


def configuration_space(space: hb.Space, seed: int) -> Any:
    """The same parameters in the same order."""
    import ConfigSpace as cs

    made = cs.ConfigurationSpace(seed=seed)
    for name, p in space.parameters.items():
        if isinstance(p, hb.Choice):
            made.add(cs.CategoricalHyperparameter(name, list(p.options)))
        else:
            kind = cs.UniformIntegerHyperparameter if isinstance(p, hb.Int) else cs.UniformFloatHyperparameter
            made.add(kind(name, p.low, p.high, log=p.log))
    return made


def plain(space: hb.Space, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as Python values, numbers that rounding put outside their bounds moved back."""
    values = {}
    for name, p in space.parameters.items():
        value = configuration[name]
        value = value.item() if hasattr(value, "item") else value
        values[name] = value if isinstance(p, hb.Choice) else min(max(value, p.low), p.high)
    return values
