"""The search space: configurations as columns over the unit cube, NaN where a parameter is switched off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space import combinations, conversion, text
from hyperband.space.conditions import Conditions
from hyperband.space.definition import Points
from hyperband.space.exchange import configspace as from_configspace
from hyperband.space.exchange import optuna as from_optuna
from hyperband.space.exchange import sklearn as from_sklearn
from hyperband.space.expression import Expression
from hyperband.space.nested import expand
from hyperband.space.numbers import Float
from hyperband.space.parameters import Parameter
from hyperband.space.rules import Constraint, Decoded, Predicate, When, holds
from hyperband.space.tree import Tree


class Space:
    """Parameters by name, with conditions and constraints.

    A point is a row of the unit cube, one column a parameter in the order given; NaN means that a condition switched
    the parameter off. A configuration is a dict of the values of the active parameters.

    Parameters
    ----------
    parameters : mapping of name to `Float`, `Int`, `Choice`, or any other value, which is a constant
        Or to a `Repeat`, a `Choice` whose options bring parameters, or a mapping or `Space` of more parameters; these
        are laid out in columns such as ``layers.0.width``, see `hyperband.space.nested`.
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
    >>> from hyperband.space import Choice, Float
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
        flat = expand(parameters)
        self.parameters: dict[str, Parameter] = flat.parameters
        #: Names that hold others, with their kind; see `hyperband.space.nested`.
        self.nests: dict[str, str] = flat.nests
        self.conditions = (*flat.conditions, *([conditions] if isinstance(conditions, When) else conditions))
        single = isinstance(constraints, str) or callable(constraints)
        self.constraints: tuple[Constraint, ...] = (*flat.constraints, *([constraints] if single else constraints))
        self._place = {name: place for place, name in enumerate(self.parameters)}
        #: Conditions, ready to be applied.
        self.switches = Conditions(self.parameters, self.conditions)
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
        off = self.switches.names
        return not any(isinstance(p, Float) and name not in off for name, p in self.parameters.items())

    def place(self, name: str, where: str = "This") -> int:
        """Column of a parameter; ``where`` begins the error when there is none of that name."""
        if name not in self._place:
            raise InputError(f"{where} must name parameters of the space ({', '.join(self.names)}); got {name!r}.")
        return self._place[name]

    def activate(self, points: Points) -> Points:
        """Points of the full cube with NaN where their own values switch a parameter off."""
        out = np.array(points, dtype=np.float64)
        self.switches.switch_off(out)
        return out

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, shape (n,).

        Raises
        ------
        InputError
            When a constraint that is a function fails, or does not answer with one truth value a row.
        """
        good = np.ones(len(points), dtype=np.bool_)
        if self._predicates and len(points):
            points = conversion.checked(self, points)
            columns = Decoded(self.names, lambda name: conversion.column(self, points, name), len(points))
            for predicate in self._predicates:
                good &= holds(predicate, columns, lambda name: ~np.isnan(points[:, self._place[name]]))
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
        points = conversion.checked(self, points)
        return {name: conversion.column(self, points, name) for name in self.parameters}

    def decode(self, points: Points) -> list[dict[str, Any]]:
        """Configurations of points, as Python values; parameters that are switched off are absent."""
        return conversion.decode(self, points)

    def encode(self, configurations: Sequence[Mapping[str, Any]]) -> Points:
        """Points of configurations; NaN where a parameter is absent.

        Raises
        ------
        InputError
            When a name is unknown, a value is out of range, or a parameter is absent that its conditions switch on, or
            present that they switch off.
        """
        return conversion.encode(self, configurations)

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
        >>> from hyperband.space import Float, Int
        >>> Space({"x": Float(1.0, 100.0, log=True), "k": Int(1, 2)}).grid(3)[:, 0].tolist()
        [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
        """
        return np.concatenate(list(combinations.grid_blocks(self, points)))

    def from_prior(self, points: Points) -> Points:
        """Uniform draws of the whole cube, shape (n, n_dimensions), made draws of the parameters' priors.

        Column by column the inverse of the prior's distribution function, so equal draws stay equal; columns without
        a prior stay as they are. `activate` what comes back.

        Examples
        --------
        >>> from hyperband.space import Choice, Float
        >>> space = Space({"kind": Choice(["a", "b"], prior=[3, 1]), "x": Float(0.0, 1.0)})
        >>> space.columns(space.from_prior(np.array([[0.6, 0.6], [0.8, 0.6]])))["kind"].tolist()
        ['a', 'b']
        """
        points = conversion.checked(self, points)
        return np.stack([p.from_prior(points[:, i]) for i, p in enumerate(self.parameters.values())], axis=1)

    def log_prior(self, points: Points) -> NDArray[np.float64]:
        """Logarithm of the priors' density over the uniform one, shape (n,); parameters that are off count nothing.

        The density is that on the unit cube, so its mean over uniform points is 1; of whole numbers and choices it is
        the probability of the bin over its width.
        """
        points, total = conversion.checked(self, points), np.zeros(len(points))
        for place, parameter in enumerate(self.parameters.values()):
            here = ~np.isnan(points[:, place])
            total[here] += parameter.log_prior(points[here, place])
        return total

    def nested(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration as it was nested when the space was written.

        A `Repeat` becomes a list, a choice with parameters a mapping of the option to them.

        Raises
        ------
        InputError
            When it is no configuration of the space; see `encode`.

        Examples
        --------
        >>> from hyperband.space import Choice, Int, Repeat
        >>> space = Space({"kind": Choice({"tree": {}, "net": {"sizes": Repeat(1, 3, Int(1, 64))}})})
        >>> space.nested({"kind": "net", "kind.net.sizes": 2, "kind.net.sizes.0": 8, "kind.net.sizes.1": 4})
        {'kind': {'net': {'sizes': [8, 4]}}}
        """
        return Tree(self).nested(configuration)

    def flat(self, nested: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of a nested one: the inverse of `nested`.

        Raises
        ------
        InputError
            When it does not fit the space.
        """
        return Tree(self).flat(nested)

    def to_dict(self) -> dict[str, Any]:
        """The space as plain JSON-able data, with a version; `from_dict` reads it back.

        Raises
        ------
        InputError
            When a constraint is a function or an option cannot be written as JSON.

        Examples
        --------
        >>> from hyperband.space import Float
        >>> space = Space({"x": Float(0.0, 1.0)})
        >>> Space.from_dict(space.to_dict()) == space
        True
        """
        return text.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """The space that `to_dict` wrote; `InputError` when the data is anything else."""
        parts = text.parts(data)
        space = cls(parts.parameters, parts.conditions, parts.constraints)
        space.nests = parts.nests
        return space

    def to_json(self) -> str:
        """The space as text; `from_json` reads it back. Errors as `to_dict`."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, written: str) -> Space:
        """The space that `to_json` wrote; `InputError` when the text is anything else."""
        return cls.from_dict(text.loads(written))

    @classmethod
    def from_configspace(cls, configuration_space: Any) -> Space:
        """The counterpart of a ``ConfigSpace.ConfigurationSpace``; see `hyperband.space.exchange.configspace`."""
        return cls(*from_configspace.parts(configuration_space))

    @classmethod
    def from_optuna(cls, distributions: Mapping[str, Any]) -> Space:
        """The counterpart of Optuna's distributions by name; see `hyperband.space.exchange.optuna`."""
        return cls(from_optuna.parameters(distributions))

    @classmethod
    def from_sklearn(cls, param_distributions: Any) -> Space:
        """The counterpart of scikit-learn's ``param_distributions``; see `hyperband.space.exchange.sklearn`."""
        return cls(from_sklearn.parameters(param_distributions))

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
        return list(self.parameters.items()), self.conditions, self.constraints, self.nests

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
