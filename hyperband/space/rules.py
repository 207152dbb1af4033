"""Rules between parameters: conditions (when one exists) and constraints (which combinations are allowed)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


class Decoded(Mapping[str, NDArray[Any]]):
    """Columns of values that are decoded when they are first asked for; most constraints look at few.

    Parameters
    ----------
    names : in the order of the columns
    decode : name -> values, shape (n,)
    n : int, rows
    """

    def __init__(self, names: tuple[str, ...], decode: Callable[[str], NDArray[Any]], n: int) -> None:
        self._names, self._decode, self.n = names, decode, n
        self._known: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._decode(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def holds(
    constraint: Expression | Predicate, columns: Decoded, active: Callable[[str], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Which rows satisfy the constraint, shape (n,).

    Raises
    ------
    InputError
        When a function raises an exception, or does not answer with one truth value a row.
    """
    if isinstance(constraint, Expression):
        there: NDArray[np.bool_] = np.logical_and.reduce([active(name) for name in constraint.names])
        if there.all():
            return constraint({name: columns[name] for name in constraint.names})
        held = ~there
        held[there] = constraint({name: columns[name][there] for name in constraint.names})
        return held
    advice = "It receives columns (arrays): write `lambda c: c['x'] < c['y']`, and & | ~ for and, or, not."
    try:
        answer = np.asarray(constraint(columns))
    except Exception as error:
        raise InputError(
            f"A constraint must answer for every row; {constraint!r} raised {type(error).__name__}: {error}. {advice}"
        ) from error
    if answer.shape != (columns.n,) or answer.dtype != np.bool_:
        raise InputError(
            f"A constraint must answer with {columns.n} truth values, one a row; got {answer.dtype} of shape "
            f"{answer.shape}. {advice}"
        )
    return answer
