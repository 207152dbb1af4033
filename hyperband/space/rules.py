"""Rules between parameters: conditions (when one is active) and constraints (which combinations are allowed)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import as_python
from hyperband.space.expression import Expression

#: Values of the parameters by name, shape (n,) each.
Columns = Mapping[str, NDArray[Any]]
Predicate = Callable[[Columns], Any]
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


class LazyColumns(Mapping[str, NDArray[Any]]):
    """Columns of values, each decoded when it is first used; most constraints use few of them.

    Parameters
    ----------
    names : tuple of str, in the order of the columns
    decode : callable, from a name to its values, shape (n,)
    n : int, number of rows
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
    constraint: Expression | Predicate, columns: LazyColumns, active: Callable[[str], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Which rows satisfy the constraint, bool array of shape (n,).

    Parameters
    ----------
    constraint : Expression or callable
        An expression holds where one of its parameters is inactive. A callable receives ``columns`` and returns one
        truth value a row.
    columns : LazyColumns
    active : callable, from a name to the rows in which that parameter is active, bool array of shape (n,)

    Raises
    ------
    InputError
        When a callable raises an exception, or does not return one truth value a row.
    """
    if isinstance(constraint, Expression):
        applies: NDArray[np.bool_] = np.logical_and.reduce([active(name) for name in constraint.names])
        if applies.all():
            return constraint({name: columns[name] for name in constraint.names})
        held = ~applies
        held[applies] = constraint({name: columns[name][applies] for name in constraint.names})
        return held
    remedy = "It receives columns (arrays): write `lambda c: c['x'] < c['y']`, and & | ~ for and, or, not."
    try:
        answer = np.asarray(constraint(columns))
    except Exception as error:
        raise InputError(
            f"A constraint must return one truth value a row; {constraint!r} raised {type(error).__name__}: {error}. "
            f"{remedy}"
        ) from error
    if answer.shape != (columns.n,) or answer.dtype != np.bool_:
        raise InputError(
            f"A constraint must return {columns.n} truth values, one a row; got {answer.dtype} of shape "
            f"{answer.shape}. {remedy}"
        )
    return answer
