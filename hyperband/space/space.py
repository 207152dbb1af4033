"""The search space: configurations as columns over the unit cube, NaN where a parameter is switched off."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.parameters import Choice, Column, Float, Int, Parameter, parameter_of
from hyperband.space.rules import Constraint, Expression, When, absent, holds

Points = NDArray[np.float64]

#: Spaces of at most so many combinations are counted one by one, duplicates and forbidden ones left out.
COUNTED = 100_000


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
        value a row. Configurations that break one are never proposed.

    Raises
    ------
    InputError
        When there is no parameter, a name is unknown or not a text, a condition asks for a value that its parent cannot
        have, or conditions go round in a circle.

    Examples
    --------
    >>> space = Space({"optimizer": Choice(["adam", "sgd"]), "momentum": Float(0.5, 0.99)},
    ...               conditions=[When("momentum", "optimizer", ["sgd"])])
    >>> space.decode(np.array([[0.2, 0.5], [0.7, 0.0]]))
    [{'optimizer': 'adam'}, {'optimizer': 'sgd', 'momentum': 0.5}]
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        conditions: Iterable[When] = (),
        constraints: Iterable[Constraint] = (),
    ) -> None:
        if not parameters:
            raise InputError("A space must have at least one parameter; got none.")
        for name in parameters:
            if not isinstance(name, str) or not name:
                raise InputError(f"Names of parameters must be texts; got {name!r}.")
        self.parameters: dict[str, Parameter] = {name: parameter_of(p) for name, p in parameters.items()}
        self.conditions = tuple(conditions)
        self.constraints = tuple(constraints)
        self._place = {name: place for place, name in enumerate(self.parameters)}
        self._order = self._dependency_order()
        for constraint in self.constraints:
            if isinstance(constraint, str):
                for name in Expression(constraint).names:
                    self._known(name, f"the constraint {constraint!r}")
            elif not callable(constraint):
                raise InputError(f"A constraint must be a text or a function; got {constraint!r}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters in the order of the columns."""
        return tuple(self.parameters)

    @property
    def n_dimensions(self) -> int:
        """Columns of a point."""
        return len(self.parameters)

    @property
    def discrete(self) -> bool:
        """No parameter is a `Float`: the number of configurations is finite."""
        return all(math.isfinite(p.n_values) for p in self.parameters.values())

    @property
    def size(self) -> float:
        """Number of distinct configurations; infinite with a `Float`.

        Exact up to `COUNTED` combinations of values; beyond that the number of combinations, which conditions and
        constraints make smaller.
        """
        total = math.prod(p.n_values for p in self.parameters.values())
        if total > COUNTED:
            return total
        return len({row.tobytes() for block in self.grid_blocks(int(total)) for row in block})

    def activate(self, points: Points) -> Points:
        """Points of the full cube with NaN where their own values switch a parameter off."""
        out = np.array(points, dtype=np.float64)
        for name, conditions in self._order:
            for condition in conditions:
                out[~self._satisfied(condition, out), self._place[name]] = np.nan
        return out

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints."""
        good = np.ones(len(points), dtype=np.bool_)
        if self.constraints and len(points):
            columns = self.columns(points)
            for constraint in self.constraints:
                good &= holds(constraint, columns, len(points))
        return good

    def canonical(self, points: Points) -> Points:
        """The same configurations, whole numbers and choices moved to the middle of their bins: equal rows are equal."""
        out = np.array(points, dtype=np.float64)
        for place, parameter in enumerate(self.parameters.values()):
            here = ~np.isnan(out[:, place])
            if isinstance(parameter, Choice):
                out[here, place] = (parameter.indices(out[here, place]) + 0.5) / len(parameter.options)
            elif isinstance(parameter, Int):
                out[here, place] = parameter.encode(parameter.decode(out[here, place]))  # type: ignore[arg-type]
        return out

    def columns(self, points: Points) -> dict[str, NDArray[Any]]:
        """Values by parameter, shape (n,) each: numbers with NaN, choices (objects) with None where switched off."""
        points = self._checked(points)
        columns: dict[str, NDArray[Any]] = {}
        for place, (name, parameter) in enumerate(self.parameters.items()):
            u = points[:, place]
            off = np.isnan(u)
            values = parameter.decode(np.where(off, 0.0, u) if off.any() else u)
            if off.any():
                values = values if values.dtype == object else values.astype(np.float64)
                values[off] = None if values.dtype == object else np.nan
            columns[name] = values
        return columns

    def decode(self, points: Points) -> list[dict[str, Any]]:
        """Configurations of points, as Python values; parameters that are switched off are absent."""
        columns = self.columns(points)
        lists = {name: self._python(name, column) for name, column in columns.items()}
        off = {name: absent(column).tolist() for name, column in columns.items()}
        # A choice may offer None itself: whether it is switched off is read from the point.
        for name, place in self._place.items():
            off[name] = np.isnan(points[:, place]).tolist()
        return [
            {name: values[row] for name, values in lists.items() if not off[name][row]} for row in range(len(points))
        ]

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
                parameter = self.parameters[self._known(name, "a configuration")]
                try:
                    points[row, self._place[name]] = parameter.encode([value])[0]
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
        """The default configuration: each parameter's default, or the middle of its axis."""
        u = np.full((1, self.n_dimensions), 0.5)
        for name, parameter in self.parameters.items():
            if parameter.default is not None:
                u[0, self._place[name]] = parameter.encode([parameter.default])[0]
        return self.decode(self.activate(u))[0]

    def grid_blocks(self, points: int | Mapping[str, int], block: int = 4096) -> Iterator[Points]:
        """All points of the grid in blocks, the last parameter fastest; forbidden ones left out.

        Conditions make some of them equal (the same row again): callers that want each once keep what they have seen.
        """
        if isinstance(points, Mapping):
            for name in points:
                self._known(name, "`points`")
        counts = {n: points.get(n, 1) if isinstance(points, Mapping) else points for n in self.names}
        for name, count in counts.items():
            if isinstance(count, bool) or int(count) != count or count < 1:
                raise InputError(f"`points` must be whole numbers of at least 1; got {count!r} for {name!r}.")
        axes = [self.parameters[name].grid(int(count)) for name, count in counts.items()]
        shape = [len(axis) for axis in axes]
        total = math.prod(shape)
        for start in range(0, total, block):
            number = np.arange(start, min(total, start + block), dtype=object if total > 2**62 else np.int64)
            rows = np.empty((len(number), len(axes)))
            for place in range(len(axes) - 1, -1, -1):
                rows[:, place] = axes[place][(number % shape[place]).astype(np.int64)]
                number = number // shape[place]
            rows = self.activate(rows)
            yield rows[self.allowed(rows)]

    def to_json(self) -> str:
        """The space as text; `from_json` reads it back.

        Raises
        ------
        InputError
            When a constraint is a function or an option cannot be written as JSON.
        """
        for constraint in self.constraints:
            if not isinstance(constraint, str):
                raise InputError(f"A constraint must be a text to be written as JSON; got the function {constraint!r}.")
        try:
            return json.dumps(
                {
                    "parameters": {name: p.to_dict() for name, p in self.parameters.items()},
                    "conditions": [c.to_dict() for c in self.conditions],
                    "constraints": list(self.constraints),
                }
            )
        except TypeError as error:
            raise InputError(f"Options must be plain values to be written; {error}.") from None

    @classmethod
    def from_json(cls, text: str) -> Space:
        """The space that `to_json` wrote."""
        kinds = {"float": Float, "int": Int, "choice": Choice}
        try:
            data = json.loads(text)
            parameters = {
                name: kinds[entry["type"]](**{k: v for k, v in entry.items() if k != "type"})
                for name, entry in data["parameters"].items()
            }
            conditions = [When(**entry) for entry in data["conditions"]]
            return cls(parameters, conditions, data["constraints"])
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"The text must be what `to_json` wrote; {type(error).__name__}: {error}.") from None

    def __eq__(self, other: object) -> bool:
        mine = (list(self.parameters.items()), self.conditions, self.constraints)
        return isinstance(other, Space) and mine == (
            list(other.parameters.items()),
            other.conditions,
            other.constraints,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        lines = [f"    {name!r}: {parameter!r}," for name, parameter in self.parameters.items()]
        rules = "".join(
            f", {kind}={list(items)!r}"
            for kind, items in (("conditions", self.conditions), ("constraints", self.constraints))
            if items
        )
        return "Space({\n" + "\n".join(lines) + "\n}" + rules + ")"

    def _python(self, name: str, column: NDArray[Any]) -> list[Any]:
        if isinstance(self.parameters[name], Int) and column.dtype.kind == "f":
            return [None if math.isnan(v) else int(v) for v in column.tolist()]
        values: list[Any] = column.tolist()
        return values

    def _checked(self, points: Points) -> Points:
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_dimensions:
            raise InputError(f"Points must have shape (n, {self.n_dimensions}); got {array.shape}.")
        return array

    def _satisfied(self, condition: When, points: Points) -> NDArray[np.bool_]:
        u: Column = points[:, self._place[condition.parent]]
        there = ~np.isnan(u)
        parent = self.parameters[condition.parent]
        if isinstance(parent, Choice):
            table = np.array([any(option == v for v in condition.values) for option in parent.options])
            found = table[parent.indices(np.where(there, u, 0.0))]
        else:
            found = np.isin(parent.decode(np.where(there, u, 0.0)), list(condition.values))
        satisfied: NDArray[np.bool_] = found & there
        return satisfied

    def _known(self, name: str, where: str) -> str:
        if name not in self.parameters:
            raise InputError(f"{where} must name parameters of the space ({', '.join(self.names)}); got {name!r}.")
        return name

    def _dependency_order(self) -> list[tuple[str, list[When]]]:
        """Conditional parameters, parents before children."""
        pending: dict[str, list[When]] = {}
        for condition in self.conditions:
            if not isinstance(condition, When):
                raise InputError(f"`conditions` must list When(...) records; got {condition!r}.")
            parent = self.parameters[self._known(condition.parent, "A condition")]
            self._known(condition.name, "A condition")
            if isinstance(parent, Float):
                raise InputError(
                    f"The parent of a condition must be an Int or a Choice; got the Float {condition.parent!r}."
                )
            parent.encode(condition.values)
            pending.setdefault(condition.name, []).append(condition)
        order: list[tuple[str, list[When]]] = []
        while pending:
            ready = [name for name, rules in pending.items() if all(r.parent not in pending for r in rules)]
            if not ready:
                raise InputError(f"Conditions must not go round in a circle; got one among {', '.join(pending)}.")
            order += [(name, pending.pop(name)) for name in ready]
        return order
