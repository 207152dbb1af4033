"""Nested spaces: choices whose options bring parameters of their own, a variable number of layers, groups.

A `Space` flattens its nested parameters into ordinary columns and conditions:

===========================================  =========================================================
nested                                       flat parameters
===========================================  =========================================================
``"kind": Choice({"cnn": {"width": ...}})``  ``kind``, and ``kind.cnn.width`` when ``kind`` is ``"cnn"``
``"layers": Repeat(1, 3, {"width": ...})``   ``layers``, the number, and ``layers.0.width``, ...
``"sizes": Repeat(1, 3, Int(8, 64))``        ``sizes``, the number, and ``sizes.0``, ``sizes.1``, ...
``"adam": {"beta": Float(...)}``             ``adam.beta``
===========================================  =========================================================

A `Space`, with conditions and constraints of its own, may stand wherever a mapping of parameters may. `Space.nested`
turns a flat configuration into nested data, and `Space.flat` turns nested data into a flat configuration.

Examples
--------
>>> from hyperband.space import Space
>>> width = Int(8, 512, log=True)
>>> space = Space({"net": Choice({"mlp": {"layers": Repeat(1, 3, {"width": width})}, "linear": {}})})
>>> space.flat({"net": {"mlp": {"layers": [{"width": 64}]}}})
{'net': 'mlp', 'net.mlp.layers': 1, 'net.mlp.layers.0.width': 64}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from hyperband.errors import InputError
from hyperband.space.choice import Choice
from hyperband.space.definition import Definition
from hyperband.space.expression import Expression
from hyperband.space.numbers import Float, Int
from hyperband.space.parameters import Parameter, parameter_of
from hyperband.space.rules import Constraint, When

CHOICE, REPEAT, GROUP = "choice", "repeat", "group"
#: Most repetitions; each has columns of its own.
MOST = 1000

#: A condition: the parent, and the values with which the parameter is active.
_Exists = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same parameters ``low`` to ``high`` times, each repetition with values of its own.

    Parameters
    ----------
    low, high : int, 0 <= low <= high <= 1000
    each : mapping of name to parameter, `Space`, or a single parameter
    default : int in [low, high], optional, number of repetitions
    prior : None, "low", "medium", "high" or float, optional, of the number of repetitions, as of an `Int`

    Raises
    ------
    InputError
        When a number breaks one of these rules.

    Examples
    --------
    >>> from hyperband.space import Space
    >>> Space({"layers": Repeat(1, 2, {"width": Int(8, 512, log=True)})}).names
    ('layers', 'layers.0.width', 'layers.1.width')
    """

    low: int
    high: int
    each: Any
    default: int | None = None
    prior: str | float | None = None

    def __post_init__(self) -> None:
        count = self.count
        if count.low < 0 or count.high > MOST:
            raise InputError(
                f"`low` and `high` of a Repeat must lie in [0, {MOST}]; got {self.low!r} and {self.high!r}."
            )

    @property
    def count(self) -> Int:
        """The axis of the number of repetitions."""
        return Int(self.low, self.high, default=self.default, prior=self.prior)


@dataclass
class FlatSpace:
    """A nested space as ordinary columns; ``nests`` maps each name below which others are nested to its kind."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    conditions: list[When] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    nests: dict[str, str] = field(default_factory=dict)
    _inside: dict[str, str | None] = field(default_factory=dict)  # name -> the nest in which it was written

    def add(self, name: str, value: Any, inside: str | None = None, exists: _Exists | None = None) -> None:
        """Add one entry of a mapping of parameters, with everything nested in it.

        Parameters
        ----------
        name : str, the flat name
        value : parameter, `Repeat`, mapping, `Space`, or any other value, which is a constant
        inside : str or None, the nest that holds it
        exists : (parent, values) or None, the condition on which it is active
        """
        if isinstance(value, Repeat):
            self._put(name, value.count, inside, exists)
            self.nests[name] = REPEAT
            for number in range(value.high):
                always = exists is None and number < value.low
                enough = tuple(range(max(number + 1, value.low), value.high + 1))
                self.add(f"{name}.{number}", value.each, name, None if always else (name, enough))
        elif isinstance(value, Choice) and value.branches is not None:
            self._put(name, replace(value, options=value.options), inside, exists)
            self.nests[name] = CHOICE
            for option, branch in value.branches.items():
                self._group(f"{name}.{option}", branch, name, (name, (option,)))
        elif _is_group(value):
            self._group(name, value, inside, exists)
        else:
            self._put(name, parameter_of(value), inside, exists)

    def check(self) -> FlatSpace:
        """This space; `InputError` when a name looks like a nested one without being written in that nest."""
        for name, inside in self._inside.items():
            if (nest := nest_of(name, self.nests)) != inside:
                raise InputError(
                    f"Only parameters nested in {nest!r} may have names that begin with {f'{nest}.'!r}; got {name!r}. "
                    "Rename it."
                )
        return self

    def _put(self, name: str, parameter: Parameter, inside: str | None, exists: _Exists | None) -> None:
        self._claim(name, inside)
        self.parameters[name] = parameter
        if exists is not None:
            self.conditions.append(When(name, *exists))

    def _claim(self, name: str, inside: str | None) -> None:
        if name in self._inside:
            raise InputError(f"Flat names of parameters must differ; got {name!r} twice. Rename one.")
        self._inside[name] = inside

    def _group(self, name: str, value: Any, inside: str | None, exists: _Exists | None) -> None:
        self._claim(name, inside)
        self.nests[name] = GROUP
        if isinstance(value, Mapping):
            for key, member in value.items():
                if not isinstance(key, str) or not key:
                    raise InputError(f"Names of parameters must be texts; got {key!r} in {name!r}.")
                self.add(f"{name}.{key}", member, name, exists)
            return
        if not _is_space(value):
            raise InputError(
                f"{name!r} must be a mapping of names to parameters, or a Space; got {value!r}. Write a "
                "choice of plain values as a list."
            )
        self._subspace(name, value, exists)

    def _subspace(self, name: str, space: Definition, exists: _Exists | None) -> None:
        conditional = {rule.name for rule in space.conditions}
        for key, parameter in space.parameters.items():
            nest = nest_of(key, space.nests)
            inside = name if nest is None else f"{name}.{nest}"
            # A parameter that depends on a neighbour is inactive wherever the neighbour is.
            self._put(f"{name}.{key}", parameter, inside, None if key in conditional else exists)
        for key, kind in space.nests.items():
            if key not in space.parameters:
                nest = nest_of(key, space.nests)
                self._claim(f"{name}.{key}", name if nest is None else f"{name}.{nest}")
            self.nests[f"{name}.{key}"] = kind
        self.conditions += [When(f"{name}.{r.name}", f"{name}.{r.parent}", list(r.values)) for r in space.conditions]
        for constraint in space.constraints:
            if not isinstance(constraint, str):
                raise InputError(
                    f"Constraints of a nested Space must be texts; got the function {constraint!r} in "
                    f"{name!r}. Give it to the outer space."
                )
            self.constraints.append(Expression(constraint).inside(name))


def nest_of(name: str, nests: Mapping[str, str]) -> str | None:
    """The innermost nest that holds a name; None at the top.

    Examples
    --------
    >>> nest_of("layers.0.width", {"layers": REPEAT, "layers.0": GROUP})
    'layers.0'
    """
    end = name.rfind(".")
    while end > 0 and name[:end] not in nests:
        end = name.rfind(".", 0, end)
    return name[:end] if end > 0 else None


def expand(parameters: Mapping[str, Any]) -> FlatSpace:
    """The flat form of a mapping of parameters that may be nested; raises `InputError` when names collide.

    Examples
    --------
    >>> flat = expand({"adam": {"beta": Float(0.8, 1.0)}, "layers": Repeat(1, 2, Int(8, 64))})
    >>> list(flat.parameters), flat.nests
    (['adam.beta', 'layers', 'layers.0', 'layers.1'], {'adam': 'group', 'layers': 'repeat'})
    """
    flat = FlatSpace()
    for name, value in parameters.items():
        flat.add(name, value)
    return flat.check()


def _is_space(value: Any) -> TypeGuard[Definition]:
    return isinstance(value, Definition)


def _is_group(value: Any) -> bool:
    """Whether a value is a `Space`, or a mapping that holds an axis at any depth; any other mapping is a constant."""
    if isinstance(value, Mapping):
        return any(isinstance(v, Float | Int | Choice | Repeat) or _is_group(v) for v in value.values())
    return _is_space(value)
