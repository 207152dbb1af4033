"""The search space: configurations as points of the unit cube, one column a parameter, NaN where it is inactive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space import combinations, conversion, serialization
from hyperband.space.conditions import CompiledConditions
from hyperband.space.constraints import CompiledConstraints
from hyperband.space.definition import Points
from hyperband.space.exchange import configspace as from_configspace
from hyperband.space.exchange import optuna as from_optuna
from hyperband.space.exchange import sklearn as from_sklearn
from hyperband.space.nested import expand
from hyperband.space.nested_configurations import NestedConfigurations
from hyperband.space.numbers import Float
from hyperband.space.parameters import Parameter
from hyperband.space.rules import Constraint, When


class Space:
    """Parameters by name, with conditions and constraints.

    A point is a row of the unit cube, one column a parameter in the order given; NaN means that a condition makes the
    parameter inactive. A configuration is a dict of the values of the active parameters.

    Parameters
    ----------
    parameters : mapping of name to `Float`, `Int`, `Choice`, or any other value, which is a constant
        Also to a `Repeat`, a `Choice` whose options bring parameters, a mapping of parameters or a `Space`: these are
        flattened into columns such as ``layers.0.width``, see `hyperband.space.nested`.
    conditions : iterable of `When`
    constraints : iterable of str or callable
        Texts such as ``"x < y"`` (see `Expression`), or functions that receive a mapping of columns and return one
        truth value a row. Configurations that violate one are never proposed. A text holds wherever a parameter that it
        names is inactive; a function sees NaN there, or None among values that are no numbers.

    Raises
    ------
    InputError
        When there is no parameter, a name is unknown or not a text, a condition asks for a value that its parent cannot
        have, no value satisfies all conditions on a parameter, or conditions form a cycle.

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
        #: Names below which other names are nested, with their kind; see `hyperband.space.nested`.
        self.nests: dict[str, str] = flat.nests
        self.conditions = (*flat.conditions, *([conditions] if isinstance(conditions, When) else conditions))
        single = isinstance(constraints, str) or callable(constraints)
        self.constraints: tuple[Constraint, ...] = (*flat.constraints, *([constraints] if single else constraints))
        self._column = {name: column for column, name in enumerate(self.parameters)}
        #: The conditions, ready to be applied to points.
        self.compiled_conditions = CompiledConditions(self.parameters, self.conditions)
        self._compiled_constraints = CompiledConstraints(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns."""
        return tuple(self.parameters)

    @property
    def n_dimensions(self) -> int:
        """Number of columns of a point."""
        return len(self.parameters)

    @property
    def size(self) -> float:
        """Number of distinct configurations; infinite with a `Float`.

        Exact while the parents of conditions have at most 100,000 combinations and, with constraints, all parameters
        together have at most 100,000; beyond that it is an upper bound.
        """
        return combinations.size(self)

    @property
    def draws_may_repeat(self) -> bool:
        """Whether two random draws can be the same configuration: no `Float` is always active."""
        conditional = self.compiled_conditions.conditional
        return not any(isinstance(p, Float) and name not in conditional for name, p in self.parameters.items())

    def column_of(self, name: str, where: str = "This") -> int:
        """Column of a parameter; ``where`` is the subject of the error when there is none of that name."""
        if name not in self._column:
            raise InputError(f"{where} must name parameters of the space ({', '.join(self.names)}); got {name!r}.")
        return self._column[name]

    def activate(self, points: Points) -> Points:
        """A copy of points of the whole cube, shape (n, n_dimensions), with NaN where a parameter is inactive.

        Examples
        --------
        >>> from hyperband.space import Choice, Float
        >>> space = Space({"k": Choice(["a", "b"]), "x": Float(0.0, 1.0)}, conditions=[When("x", "k", "b")])
        >>> space.activate(np.array([[0.2, 0.5], [0.7, 0.5]])).tolist()
        [[0.2, nan], [0.7, 0.5]]
        """
        out = np.array(points, dtype=np.float64)
        self.compiled_conditions.deactivate(out)
        return out

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, bool array of shape (n,).

        Raises
        ------
        InputError
            When a constraint that is a function raises an exception, or does not return one truth value a row.

        Examples
        --------
        >>> from hyperband.space import Float
        >>> space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"])
        >>> space.allowed(np.array([[0.2, 0.5], [0.7, 0.5]])).tolist()
        [True, False]
        """
        return self._compiled_constraints.allowed(points)

    def canonical(self, points: Points) -> Points:
        """One point for each configuration, shape (n, n_dimensions): equal configurations become equal rows.

        Whole numbers and choices move to the middle of their bins; other columns stay as they are.
        """
        out = np.array(points, dtype=np.float64)
        for column, parameter in zip(out.T, self.parameters.values(), strict=True):
            active = ~np.isnan(column)
            column[active] = parameter.canonical(column[active])
        return out

    def columns(self, points: Points) -> dict[str, NDArray[Any]]:
        """Values by parameter, shape (n,) each; where it is inactive, NaN among numbers, None among other values."""
        points = conversion.checked(self, points)
        return {name: conversion.column(self, points, name) for name in self.parameters}

    def decode(self, points: Points) -> list[dict[str, Any]]:
        """Configurations of points, as Python values; inactive parameters are absent.

        Raises
        ------
        InputError
            When ``points`` has another shape than (n, n_dimensions), or a number lies outside [0, 1].
        """
        return conversion.decode(self, points)

    def encode(self, configurations: Sequence[Mapping[str, Any]]) -> Points:
        """Points of configurations, shape (n, n_dimensions), with NaN where a parameter is absent.

        Raises
        ------
        InputError
            When a name is unknown, a value is out of range, an active parameter is absent, or an inactive parameter is
            present.

        Examples
        --------
        >>> from hyperband.space import Float
        >>> Space({"x": Float(0.0, 10.0)}).encode([{"x": 2.5}, {"x": 10.0}]).tolist()
        [[0.25], [1.0]]
        """
        return conversion.encode(self, configurations)

    def defaults(self) -> dict[str, Any]:
        """The default configuration: of each parameter the default, else the middle, else the first unordered option.

        Raises
        ------
        InputError
            When it violates a constraint.

        Examples
        --------
        >>> from hyperband.space import Float, Int
        >>> Space({"x": Float(0.0, 1.0), "n": Int(1, 9, default=3)}).defaults()
        {'x': 0.5, 'n': 3}
        """
        points = self.activate(np.array([[p.default_point for p in self.parameters.values()]]))
        configuration = self.decode(points)[0]
        if not self.allowed(points)[0]:
            raise InputError(f"The defaults must satisfy the constraints; got {configuration!r}. Give other defaults.")
        return configuration

    def grid(self, points: int | Mapping[str, int]) -> Points:
        """Every combination of evenly spaced points, shape (n, n_dimensions), the last parameter varying fastest.

        Parameters
        ----------
        points : int or mapping of name to int
            Points on every axis, or on the named axes; other parameters stay at their default. Points of a logarithmic
            axis are evenly spaced in the logarithm. Whole numbers and choices with fewer values give each value once.

        Returns
        -------
        float64 array
            Combinations that violate a constraint are left out; combinations that conditions make equal occur once.

        Raises
        ------
        InputError
            When a name is unknown, or a number of points is no whole number of at least 1.

        Examples
        --------
        >>> from hyperband.space import Float, Int
        >>> Space({"x": Float(1.0, 100.0, log=True), "k": Int(1, 2)}).grid(3)[:, 0].tolist()
        [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
        """
        return np.concatenate(list(combinations.grid_blocks(self, points)))

    def from_prior(self, points: Points) -> Points:
        """Draws of the parameters' priors from uniform draws of the whole cube, shape (n, n_dimensions).

        Each column goes through the inverse distribution function of its prior; columns without a prior stay as they
        are. Conditions are not applied: pass the result to `activate`.

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
        """Logarithm of the priors' joint density relative to the uniform density, shape (n,).

        Inactive parameters contribute nothing. The density is that on the unit cube, so its mean over uniform points
        is 1; for whole numbers and choices it is the probability of the bin divided by its width.
        """
        points, total = conversion.checked(self, points), np.zeros(len(points))
        for column, parameter in zip(points.T, self.parameters.values(), strict=True):
            active = ~np.isnan(column)
            total[active] += parameter.log_prior(column[active])
        return total

    def nested(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The nested form of a configuration, as the space was written.

        A `Repeat` becomes a list, and a choice whose options bring parameters a mapping of the option to them.

        Raises
        ------
        InputError
            When ``configuration`` is no configuration of the space; see `encode`.

        Examples
        --------
        >>> from hyperband.space import Choice, Int, Repeat
        >>> space = Space({"kind": Choice({"tree": {}, "net": {"sizes": Repeat(1, 3, Int(1, 64))}})})
        >>> space.nested({"kind": "net", "kind.net.sizes": 2, "kind.net.sizes.0": 8, "kind.net.sizes.1": 4})
        {'kind': {'net': {'sizes': [8, 4]}}}
        """
        return NestedConfigurations(self).nested(configuration)

    def flat(self, nested: Mapping[str, Any]) -> dict[str, Any]:
        """The flat configuration of a nested one: the inverse of `nested`.

        Raises
        ------
        InputError
            When ``nested`` does not fit the space.
        """
        return NestedConfigurations(self).flat(nested)

    def to_dict(self) -> dict[str, Any]:
        """The space as plain data that JSON can hold, with a version; `from_dict` reads it back.

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
        return serialization.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """The space that `to_dict` wrote; raises `InputError` when ``data`` is anything else."""
        parts = serialization.parts(data)
        space = cls(parts.parameters, parts.conditions, parts.constraints)
        space.nests = parts.nests
        return space

    def to_json(self) -> str:
        """The space as JSON; `from_json` reads it back. It raises the errors of `to_dict`."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, written: str) -> Space:
        """The space that `to_json` wrote; raises `InputError` when the text is anything else."""
        return cls.from_dict(serialization.loads(written))

    @classmethod
    def from_configspace(cls, configuration_space: Any) -> Space:
        """The space equivalent to a ``ConfigSpace.ConfigurationSpace``; see `hyperband.space.exchange.configspace`."""
        return cls(*from_configspace.parts(configuration_space))

    @classmethod
    def from_optuna(cls, distributions: Mapping[str, Any]) -> Space:
        """The space equivalent to Optuna's distributions by name; see `hyperband.space.exchange.optuna`."""
        return cls(from_optuna.parameters(distributions))

    @classmethod
    def from_sklearn(cls, param_distributions: Any) -> Space:
        """The space equivalent to scikit-learn's ``param_distributions``; see `hyperband.space.exchange.sklearn`."""
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
        # The order of the parameters matters: it is the order of the columns, and so of the draws.
        return list(self.parameters.items()), self.conditions, self.constraints, self.nests
