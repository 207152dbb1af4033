"""The search space: configurations as columns over the unit cube, NaN where a parameter is switched off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space import combinations, text
from hyperband.space.choice import Choice
from hyperband.space.combinations import Points
from hyperband.space.expression import Expression
from hyperband.space.numbers import Float, Int
from hyperband.space.parameters import Parameter, parameter_of
from hyperband.space.rules import Constraint, Predicate, When, holds

_OFF = object()


class Space:
    """Parameters by name, with conditions and constraints.

    A point is a row of the unit cube, one column a parameter in the order given; NaN means that a condition switched
    the parameter off. A configuration is a dict of the values of the active parameters.

    Parameters
    ----------
    parameters : mapping of name to `Float`, `Int`, `Choice`, or any other value, which is a constant
    conditions : iterable of `When`
    constraints : iterable of str or callable
        Texts such as ``"x < y"`` (see `Expression`), or functions of a mapping of columns that answer with one truth
        value a row. Configurations that break one are never proposed. A text holds wherever a parameter that it names
        is switched off; a function sees NaN (None among other values) there.

    Raises
    ------
    InputError
        When there is no parameter, a name is unknown or not a text, a condition asks for a value that its parent cannot
        have, no value satisfies all conditions of a parameter, or conditions go round in a circle.

    Examples
    --------
    >>> space = Space({"optimizer": Choice(["adam", "sgd"]), "momentum": Float(0.5, 0.99)},
    ...               conditions=[When("momentum", "optimizer", ["sgd"])])
    >>> space.decode(np.array([[0.2, np.nan], [0.7, 0.0]]))
    [{'optimizer': 'adam'}, {'optimizer': 'sgd', 'momentum': 0.5}]
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        conditions: Iterable[When] = (),
        constraints: Iterable[Constraint] = (),
    ) -> None:
        if not isinstance(parameters, Mapping) or not parameters:
            raise InputError(f"A space must have at least one parameter, by name; got {parameters!r}.")
        for name in parameters:
            if not isinstance(name, str) or not name:
                raise InputError(f"Names of parameters must be texts; got {name!r}.")
        self.parameters: dict[str, Parameter] = {name: parameter_of(p) for name, p in parameters.items()}
        self.conditions = tuple([conditions] if isinstance(conditions, When) else conditions)
        single = isinstance(constraints, str) or callable(constraints)
        self.constraints: tuple[Constraint, ...] = tuple([constraints] if single else constraints)  # type: ignore[list-item]
        self._place = {name: place for place, name in enumerate(self.parameters)}
        self._order = self._dependency_order()
        self._predicates = [self._predicate(constraint) for constraint in self.constraints]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters in the order of the columns."""
        return tuple(self.parameters)

    @property
    def n_dimensions(self) -> int:
        """Columns of a point."""
        return len(self.parameters)

    @property
    def size(self) -> float:
        """Number of distinct configurations; infinite with a `Float`.

        Exact up to 100,000 combinations, of conditional parameters' parents and where there are constraints of all
        parameters; an upper bound beyond.
        """
        return combinations.size(self)

    @property
    def repeats(self) -> bool:
        """Two draws can be the same configuration: no `Float` is always active."""
        conditional = {name for name, _ in self._order}
        return not any(isinstance(p, Float) and name not in conditional for name, p in self.parameters.items())

    def place(self, name: str, where: str = "This") -> int:
        """Column of a parameter; ``where`` begins the error when there is none of that name."""
        if name not in self._place:
            raise InputError(f"{where} must name parameters of the space ({', '.join(self.names)}); got {name!r}.")
        return self._place[name]

    def activate(self, points: Points) -> Points:
        """Points of the full cube with NaN where their own values switch a parameter off."""
        out = np.array(points, dtype=np.float64)
        known: dict[tuple[str, Any], NDArray[np.bool_]] = {}
        for name, conditions in self._order:
            for condition in conditions:
                key = condition.parent, condition.values
                if key not in known:
                    known[key] = self._satisfied(condition, out)
                out[~known[key], self._place[name]] = np.nan
        return out

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, shape (n,)."""
        good = np.ones(len(points), dtype=np.bool_)
        if self._predicates and len(points):
            columns = self.columns(points)
            active = {name: ~np.isnan(points[:, place]) for name, place in self._place.items()}
            for predicate in self._predicates:
                good &= holds(predicate, columns, active)
        return good

    def canonical(self, points: Points) -> Points:
        """The same configurations, whole numbers and choices in the middle of their bins: equal ones are equal rows."""
        out = np.array(points, dtype=np.float64)
        for place, parameter in enumerate(self.parameters.values()):
            here = ~np.isnan(out[:, place])
            out[here, place] = parameter.canonical(out[here, place])
        return out

    def columns(self, points: Points) -> dict[str, NDArray[Any]]:
        """Values by parameter, shape (n,) each: numbers with NaN, other values with None where switched off."""
        points = self._checked(points)
        columns: dict[str, NDArray[Any]] = {}
        for place, (name, parameter) in enumerate(self.parameters.items()):
            u = points[:, place]
            off = np.isnan(u)
            values = parameter.decode(np.where(off, 0.0, u) if off.any() else u)
            if off.any():
                values = values.astype(np.float64 if values.dtype.kind in "if" else object)
                values[off] = None if values.dtype == object else np.nan
            columns[name] = values
        return columns

    def decode(self, points: Points) -> list[dict[str, Any]]:
        """Configurations of points, as Python values; parameters that are switched off are absent."""
        points = self._checked(points)
        lists = []
        for place, parameter in enumerate(self.parameters.values()):
            u = points[:, place]
            off = np.isnan(u)
            values = parameter.values(np.where(off, 0.0, u))
            lists.append([_OFF if gone else v for gone, v in zip(off.tolist(), values)] if off.any() else values)
        rows = zip(*lists, strict=True)
        return [{name: v for name, v in zip(self.parameters, row) if v is not _OFF} for row in rows]

    def encode(self, configurations: Sequence[Mapping[str, Any]]) -> Points:
        """Points of configurations; NaN where a parameter is absent.

        Raises
        ------
        InputError
            When a name is unknown, a value is out of range, or a parameter is absent that its conditions switch on, or
            present that they switch off.
        """
        points = np.full((len(configurations), self.n_dimensions), np.nan)
        for row, configuration in enumerate(configurations):
            for name, value in configuration.items():
                place = self.place(name, "A configuration")
                try:
                    points[row, place] = self.parameters[name].encode([value])[0]
                except InputError as error:
                    raise InputError(f"Parameter {name!r}: {error}") from None
        expected = np.isnan(self.activate(np.where(np.isnan(points), 0.0, points)))
        wrong = np.argwhere(expected != np.isnan(points))
        if len(wrong):
            row, place = wrong[0]
            state = "be absent: a condition switches it off" if expected[row, place] else "have a value"
            raise InputError(f"Parameter {self.names[place]!r} must {state}; got {dict(configurations[row])!r}.")
        return points

    def defaults(self) -> dict[str, Any]:
        """The default configuration: defaults as given, else the middle of an axis, the first of an unordered choice.

        Raises
        ------
        InputError
            When it breaks a constraint.
        """
        points = self.activate(np.array([[p.default_point for p in self.parameters.values()]]))
        configuration = self.decode(points)[0]
        if not self.allowed(points)[0]:
            raise InputError(f"The defaults must satisfy the constraints; got {configuration!r}. Give other defaults.")
        return configuration

    def grid(self, points: int | Mapping[str, int]) -> Points:
        """Every combination of evenly spaced points, shape (n, n_dimensions), the last parameter fastest.

        Parameters
        ----------
        points : int or mapping of name to int
            Points on every axis, or on each by name; others stay at their default. Log axes are even in the logarithm;
            whole numbers and choices with fewer values give each once. Combinations that constraints forbid are left
            out, those that conditions make equal are there once.

        Examples
        --------
        >>> Space({"x": Float(1.0, 100.0, log=True), "k": Int(1, 2)}).grid(3)[:, 0].tolist()
        [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
        """
        return np.concatenate(list(combinations.grid_blocks(self, points)))

    def to_json(self) -> str:
        """The space as text; `from_json` reads it back.

        Raises
        ------
        InputError
            When a constraint is a function or an option cannot be written as JSON.
        """
        return text.to_json(self)

    @classmethod
    def from_json(cls, written: str) -> Space:
        """The space that `to_json` wrote; `InputError` when the text is anything else."""
        return text.read(written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        lines = [f"    {name!r}: {parameter!r}," for name, parameter in self.parameters.items()]
        rules = "".join(
            f", {kind}={list(items)!r}"
            for kind, items in (("conditions", self.conditions), ("constraints", self.constraints))
            if items
        )
        return "Space({\n" + "\n".join(lines) + "\n}" + rules + ")"

    def _parts(self) -> tuple[Any, ...]:
        # The order of the parameters counts: it is that of the columns, so of the draws.
        return list(self.parameters.items()), self.conditions, self.constraints

    def _checked(self, points: Points) -> Points:
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_dimensions:
            raise InputError(f"Points must have shape (n, {self.n_dimensions}); got {array.shape}.")
        outside = (array < 0.0) | (array > 1.0)
        if outside.any():
            raise InputError(f"Points must lie in [0, 1] or be NaN; got {array[outside][0]}.")
        return array

    def _satisfied(self, condition: When, points: Points) -> NDArray[np.bool_]:
        u = points[:, self._place[condition.parent]]
        there = ~np.isnan(u)
        u, parent = np.where(there, u, 0.0), self.parameters[condition.parent]
        if isinstance(parent, Choice):
            table = np.zeros(len(parent.options), dtype=np.bool_)
            table[[parent.index(value) for value in condition.values]] = True
            found = table[parent.indices(u)]
        else:
            found = np.isin(parent.decode(u), list(condition.values))
        satisfied: NDArray[np.bool_] = found & there
        return satisfied

    def _predicate(self, constraint: Constraint) -> Expression | Predicate:
        if isinstance(constraint, str):
            expression = Expression(constraint)
            for name in expression.names:
                self.place(name, f"The constraint {constraint!r}")
            # Nonsense, such as a text that is halved, is refused before the search begins.
            values = self.columns(np.array([[0.0] * self.n_dimensions]))
            expression({name: values[name] for name in expression.names})
            return expression
        if not callable(constraint):
            raise InputError(f"A constraint must be a text or a function; got {constraint!r}.")
        return constraint

    def _dependency_order(self) -> list[tuple[str, list[When]]]:
        """Conditional parameters, parents before children."""
        pending: dict[str, list[When]] = {}
        for condition in self.conditions:
            if not isinstance(condition, When):
                raise InputError(f"`conditions` must list When(...) records; got {condition!r}.")
            self.place(condition.parent, "A condition")
            self.place(condition.name, "A condition")
            parent = self.parameters[condition.parent]
            if not isinstance(parent, Int | Choice):
                raise InputError(
                    f"The parent of a condition must be an Int or a Choice; got the Float {condition.parent!r}."
                )
            try:
                parent.encode(condition.values)
            except InputError as error:
                raise InputError(f"The condition on {condition.name!r} by {condition.parent!r}: {error}") from None
            pending.setdefault(condition.name, []).append(condition)
        for name, conditions in pending.items():
            self._check_possible(name, conditions)
        order: list[tuple[str, list[When]]] = []
        while pending:
            ready = [name for name, rules in pending.items() if all(r.parent not in pending for r in rules)]
            if not ready:
                raise InputError(f"Conditions must not go round in a circle; got one among {', '.join(pending)}.")
            order += [(name, pending.pop(name)) for name in ready]
        return order

    def _check_possible(self, name: str, conditions: Sequence[When]) -> None:
        for parent in {condition.parent for condition in conditions}:
            sets = [self.parameters[parent].encode(c.values).tolist() for c in conditions if c.parent == parent]
            if not set.intersection(*map(set, sets)):
                raise InputError(
                    f"Some value of {parent!r} must satisfy all conditions on {name!r}; none does. "
                    f"Several values go into one condition: When({name!r}, {parent!r}, [...])."
                )
