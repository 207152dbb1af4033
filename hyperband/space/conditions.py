"""Which parameters exist: the conditions of a space, checked once and then applied to many points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.numbers import Column, Int
from hyperband.space.parameters import Parameter
from hyperband.space.rules import When

#: An `Int` with at most so many values looks its conditions up in a table.
_TABLE = 2**16


class Conditions:
    """The conditions of a space in the order in which they can be applied: parents before children.

    Parameters
    ----------
    parameters : mapping of name to parameter, in the order of the columns
    conditions : sequence of `When`

    Raises
    ------
    InputError
        When a name is unknown, a parent cannot have a value, no value satisfies all conditions of a parameter, or they
        go round in a circle.
    """

    def __init__(self, parameters: Mapping[str, Parameter], conditions: Sequence[When]) -> None:
        self._parameters = parameters
        self._place = {name: place for place, name in enumerate(parameters)}
        self._tests = {
            name: [_Test(rule, self._parent(rule)) for rule in rules] for name, rules in self._sorted(conditions)
        }

    @property
    def names(self) -> frozenset[str]:
        """Parameters that can be switched off."""
        return frozenset(self._tests)

    def switch_off(self, points: NDArray[np.float64]) -> None:
        """Set NaN, in place, where the points' own values switch a parameter off."""
        codes: dict[str, NDArray[np.int64]] = {}
        off: dict[tuple[str, bytes], NDArray[np.bool_]] = {}
        for name, tests in self._tests.items():
            column = points[:, self._place[name]]
            for test in tests:
                if test.key not in off:
                    if test.parent not in codes:
                        codes[test.parent] = _codes(self._parameters[test.parent], points[:, self._place[test.parent]])
                    off[test.key] = test.fails(codes[test.parent])
                np.copyto(column, np.nan, where=off[test.key])

    def off_by_then(self, name: str, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where a parameter is off by the columns before its own; conditions on later ones are not yet looked at."""
        off = np.zeros(len(points), dtype=np.bool_)
        for test in self._tests.get(name, []):
            if (place := self._place[test.parent]) < self._place[name]:
                off |= test.fails(_codes(self._parameters[test.parent], points[:, place]))
        return off

    def _parent(self, rule: When) -> Int | Choice:
        parent = self._parameters[rule.parent]
        if not isinstance(parent, Int | Choice):
            raise InputError(f"The parent of a condition must be an Int or a Choice; got the Float {rule.parent!r}.")
        return parent

    def _sorted(self, conditions: Sequence[When]) -> list[tuple[str, list[When]]]:
        """Conditional parameters, parents before children."""
        pending: dict[str, list[When]] = {}
        for rule in conditions:
            if not isinstance(rule, When):
                raise InputError(f"`conditions` must list When(...) records; got {rule!r}.")
            for name in (rule.parent, rule.name):
                if name not in self._place:
                    known = ", ".join(self._parameters)
                    raise InputError(f"A condition must name parameters of the space ({known}); got {name!r}.")
            try:
                self._parent(rule).encode(rule.values)
            except InputError as error:
                raise InputError(f"The condition on {rule.name!r} by {rule.parent!r}: {error}") from None
            pending.setdefault(rule.name, []).append(rule)
        for name, rules in pending.items():
            self._check_possible(name, rules)
        order: list[tuple[str, list[When]]] = []
        while pending:
            ready = [name for name, rules in pending.items() if all(r.parent not in pending for r in rules)]
            if not ready:
                raise InputError(f"Conditions must not go round in a circle; got one among {', '.join(pending)}.")
            order += [(name, pending.pop(name)) for name in ready]
        return order

    def _check_possible(self, name: str, rules: Sequence[When]) -> None:
        for parent in {rule.parent for rule in rules}:
            sets = [self._parameters[parent].encode(r.values).tolist() for r in rules if r.parent == parent]
            if not set.intersection(*map(set, sets)):
                raise InputError(
                    f"Some value of {parent!r} must satisfy all conditions on {name!r}; none does. "
                    f"Several values go into one condition: When({name!r}, {parent!r}, [...])."
                )


class _Test:
    """One condition on whole numbers: places among the options, or values counted from the lowest; -1 where off."""

    def __init__(self, rule: When, parent: Int | Choice) -> None:
        if isinstance(parent, Choice):
            wanted = [parent.index(value) for value in rule.values]
        else:
            wanted = [int(value) - parent.low for value in rule.values]
        self.parent = rule.parent
        self._wanted = np.unique(np.array(wanted, dtype=np.int64))
        self.key = rule.parent, self._wanted.tobytes()
        self._table: NDArray[np.bool_] | None = None
        if parent.n_values <= _TABLE:
            self._table = np.ones(int(parent.n_values) + 1, dtype=np.bool_)  # the last one, -1, is: off
            self._table[self._wanted] = False

    def fails(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where the condition does not hold, shape (n,)."""
        return np.isin(codes, self._wanted, invert=True) if self._table is None else self._table[codes]


def _codes(parent: Parameter, u: Column) -> NDArray[np.int64]:
    assert isinstance(parent, Int | Choice)  # `_parent` let nothing else through
    off = np.isnan(u)
    inside = np.where(off, 0.0, u) if off.any() else u
    codes = parent.indices(inside) if isinstance(parent, Choice) else parent.decode(inside) - parent.low
    codes[off] = -1
    return codes
