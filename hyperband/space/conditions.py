"""Which parameters are active: the conditions of a space, compiled once and then applied to many points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.numbers import Column, Int
from hyperband.space.parameters import Parameter
from hyperband.space.rules import When

#: Conditions on an `Int` with at most this many values are looked up in a table.
_TABLE = 2**16


class CompiledConditions:
    """The conditions of a space, ready to be applied to points; parents come before children.

    Parameters
    ----------
    parameters : mapping of name to parameter, in the order of the columns
    conditions : sequence of `When`

    Raises
    ------
    InputError
        When a name is unknown, a parent cannot have one of the values, no value satisfies all conditions on a
        parameter, or conditions form a cycle.

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> space = Space({"k": Choice(["a", "b"]), "x": Float(0.0, 1.0)}, conditions=[When("x", "k", "b")])
    >>> points = np.array([[0.2, 0.5], [0.7, 0.5]])
    >>> space.compiled_conditions.deactivate(points)
    >>> points.tolist()
    [[0.2, nan], [0.7, 0.5]]
    """

    def __init__(self, parameters: Mapping[str, Parameter], conditions: Sequence[When]) -> None:
        self._parameters = parameters
        self._column = {name: column for column, name in enumerate(parameters)}
        self._tests = {
            name: [_Test(rule, self._parent(rule)) for rule in rules] for name, rules in self._sorted(conditions)
        }

    @property
    def conditional(self) -> frozenset[str]:
        """Names of the parameters that can be inactive."""
        return frozenset(self._tests)

    def deactivate(self, points: NDArray[np.float64]) -> None:
        """Set the entries of inactive parameters to NaN, in place; ``points`` has shape (n, n_dimensions)."""
        codes: dict[str, NDArray[np.int64]] = {}
        failed: dict[tuple[str, bytes], NDArray[np.bool_]] = {}  # several parameters often share a condition
        for name, tests in self._tests.items():
            column = points[:, self._column[name]]
            for test in tests:
                if test.key not in failed:
                    if test.parent not in codes:
                        codes[test.parent] = _codes(self._parameters[test.parent], points[:, self._column[test.parent]])
                    failed[test.key] = test.fails(codes[test.parent])
                np.copyto(column, np.nan, where=failed[test.key])

    def inactive_so_far(self, name: str, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where the columns before a parameter's own make it inactive, shape (n,); later parents are not considered."""
        inactive = np.zeros(len(points), dtype=np.bool_)
        for test in self._tests.get(name, []):
            if (column := self._column[test.parent]) < self._column[name]:
                inactive |= test.fails(_codes(self._parameters[test.parent], points[:, column]))
        return inactive

    def _parent(self, rule: When) -> Int | Choice:
        parent = self._parameters[rule.parent]
        if not isinstance(parent, Int | Choice):
            raise InputError(f"The parent of a condition must be an Int or a Choice; got the Float {rule.parent!r}.")
        return parent

    def _sorted(self, conditions: Sequence[When]) -> list[tuple[str, list[When]]]:
        """Conditions by parameter, checked, parents before children."""
        pending: dict[str, list[When]] = {}
        for rule in conditions:
            if not isinstance(rule, When):
                raise InputError(f"`conditions` must list When(...) records; got {rule!r}.")
            for name in (rule.parent, rule.name):
                if name not in self._column:
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
                raise InputError(f"Conditions must not form a cycle; got one among {', '.join(pending)}. Remove one.")
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
    """One condition on codes of its parent: indices of options, or values minus the lowest; -1 where inactive."""

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
            self._table = np.ones(int(parent.n_values) + 1, dtype=np.bool_)  # its last entry is for code -1
            self._table[self._wanted] = False

    def fails(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Where the condition does not hold, shape (n,)."""
        return np.isin(codes, self._wanted, invert=True) if self._table is None else self._table[codes]


def _codes(parent: Parameter, u: Column) -> NDArray[np.int64]:
    assert isinstance(parent, Int | Choice)  # `_parent` rejects anything else
    inactive = np.isnan(u)
    inside = np.where(inactive, 0.0, u) if inactive.any() else u
    codes = parent.indices(inside) if isinstance(parent, Choice) else parent.decode(inside) - parent.low
    codes[inactive] = -1
    return codes
