"""Rules between parameters: conditions (when one exists) and constraints (which combinations are allowed)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import plain
from hyperband.space.expression import Expression

Columns = Mapping[str, NDArray[Any]]
Predicate = Callable[[Columns], Any]
Constraint = str | Predicate


@dataclass(frozen=True, slots=True)
class When:
    """Parameter ``name`` exists only when ``parent`` exists and has one of ``values``.

    Several conditions on one parameter must all hold.

    Parameters
    ----------
    name, parent : str
    values : a value, or several in a list, tuple, set, range or array

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
        if isinstance(values, set | frozenset):  # a set of texts has another order in every process
            values = sorted(values, key=repr)
        several = isinstance(values, list | tuple | range | np.ndarray)
        object.__setattr__(self, "values", tuple(map(plain, values)) if several else (plain(values),))
        if not self.values:
            raise InputError(f"`values` of the condition on {self.name!r} must hold at least one value; got none.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"name": self.name, "parent": self.parent, "values": list(self.values)}


def holds(
    constraint: Expression | Predicate, columns: Columns, active: Mapping[str, NDArray[np.bool_]]
) -> NDArray[Any]:
    """Which rows satisfy the constraint, shape (n,), bool.

    Raises
    ------
    InputError
        When a function does not answer with one truth value a row.
    """
    n = len(next(iter(columns.values())))
    if isinstance(constraint, Expression):
        there = np.ones(n, dtype=np.bool_)
        for name in constraint.names:
            there &= active[name]
        held = ~there
        held[there] = constraint({name: columns[name][there] for name in constraint.names})
        return held
    answer = np.asarray(constraint(columns))
    if answer.shape != (n,) or answer.dtype != np.bool_:
        raise InputError(
            f"A constraint must answer with {n} truth values, one a row; got {answer.dtype} of shape {answer.shape}. "
            "It receives columns (arrays): write `lambda c: c['x'] < c['y']`, and & | ~ for and, or, not."
        )
    return answer
