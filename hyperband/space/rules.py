"""Rules between parameters as they are given: conditions, and the types of constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import as_python

#: Values of the parameters by name, shape (n,) each.
Columns = Mapping[str, NDArray[Any]]
#: A constraint as a function: one truth value a row.
Predicate = Callable[[Columns], Any]
#: An expression, see `hyperband.space.expression`, or a function.
Constraint = str | Predicate


@dataclass(frozen=True, slots=True)
class When:
    """Parameter ``name`` is active only where ``parent`` is active and has one of ``values``.

    With several conditions on one parameter, all must hold.

    Parameters
    ----------
    name, parent : str
    values : a single value, or several in a list, tuple, set, range or array

    Raises
    ------
    InputError
        When there is no value.

    Examples
    --------
    >>> When("momentum", "optimizer", ["sgd"]).values
    ('sgd',)
    """

    name: str
    parent: str
    values: Any

    def __post_init__(self) -> None:
        values = self.values
        if isinstance(values, set | frozenset):  # the order of a set of texts differs between processes
            values = sorted(values, key=repr)
        several = isinstance(values, list | tuple | range | np.ndarray)
        object.__setattr__(self, "values", tuple(map(as_python, values)) if several else (as_python(values),))
        if not self.values:
            raise InputError(f"`values` of the condition on {self.name!r} must hold at least one value; got none.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `Space.to_dict` writes it."""
        return {"name": self.name, "parent": self.parent, "values": list(self.values)}
