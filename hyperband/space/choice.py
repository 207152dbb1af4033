"""An axis of named values of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.numbers import LARGEST, Column
from hyperband.space.priors import FAVOURS, SPREADS, Bell, Weights, shares_of, weights_of


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of values of any kind; ``ordered=True`` says that neighbours in the list are alike.

    Parameters
    ----------
    options : sequence of distinct values; NumPy values become Python ones, and lists tuples
        Or a mapping of values to the parameters that come with each, by name: see `hyperband.space.nested`.
    default : one of the options, optional
    ordered : bool
        With it an adaptive sampler moves from an option to its neighbours, a grid takes evenly spaced ones, and the
        middle one is the default where none is given (the first otherwise).
    prior : None, one positive weight an option, or "low", "medium", "high", optional
        A name gives the default 2, 4 or 8 times the weight of any other; of ordered options, a normal distribution
        around the default, as of an `Int`. Samplers that know priors use it; see `Space.from_prior`.

    Raises
    ------
    InputError
        When there is no option, one occurs twice, the default is not among them, or a prior is none of these.

    Examples
    --------
    >>> Choice(["relu", "tanh"]).decode(np.array([0.1, 0.9])).tolist()
    ['relu', 'tanh']
    """

    options: Sequence[Any] | Mapping[Any, Any]
    default: Any = None
    ordered: bool = False
    prior: Sequence[float] | str | None = None
    branches: Mapping[Any, Any] | None = field(init=False, repr=False, hash=False, default=None)
    _places: dict[Any, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.options, str | bytes) or not hasattr(self.options, "__iter__"):
            raise InputError(f"`options` of a Choice must be a list of values; got {self.options!r}.")
        if isinstance(self.options, Mapping):
            object.__setattr__(self, "branches", {plain(key): value for key, value in self.options.items()})
        object.__setattr__(self, "options", tuple(plain(option) for option in self.options))
        object.__setattr__(self, "default", plain(self.default))
        if not self.options:
            raise InputError("`options` of a Choice must hold at least one value; got none.")
        for place, option in enumerate(self.options):
            if option != option:
                raise InputError("`options` of a Choice must not be NaN. Use None, or a text.")
            if self._places.setdefault(_key(option), place) != place:
                raise InputError(f"`options` of a Choice must differ from one another; got {option!r} twice.")
        if self.default is not None:
            self.index(self.default)
        object.__setattr__(self, "prior", weights_of(self.prior, len(self.options)))

    @property
    def n_values(self) -> float:
        return len(self.options)

    @property
    def default_point(self) -> float:
        place = len(self.options) // 2 if self.ordered else 0
        return (place if self.default is None else self.index(self.default)) / len(self.options) + self._half

    def index(self, value: Any) -> int:
        """Place of a value among the options."""
        place = self._places.get(_key(plain(value)))
        if place is None:
            raise InputError(f"The value must be one of {', '.join(map(repr, self.options))}; got {value!r}.")
        return place

    def indices(self, u: Column) -> NDArray[np.int64]:
        """Places of the options at these points of [0, 1]."""
        return np.minimum((u * len(self.options)).astype(np.int64), len(self.options) - 1)

    def decode(self, u: Column) -> NDArray[Any]:
        chosen: NDArray[Any] = self._table()[self.indices(u)]
        return chosen

    def values(self, u: Column) -> list[Any]:
        return [self.options[place] for place in self.indices(u).tolist()]

    def encode(self, values: Sequence[Any]) -> Column:
        return np.array([self.index(v) for v in values], dtype=np.float64) / len(self.options) + self._half

    def canonical(self, u: Column) -> Column:
        return self.indices(u) / len(self.options) + self._half

    def grid(self, points: int) -> Column:
        if points == 1:
            return np.array([self.default_point])
        m = min(points, len(self.options))
        places = ((np.arange(m) + 0.5) / m * len(self.options)).astype(np.int64)
        return places / len(self.options) + self._half

    def to_dict(self) -> dict[str, Any]:
        written = {"type": "choice", "options": list(self.options), "default": self.default, "ordered": self.ordered}
        return written if self.prior is None else {**written, "prior": self.prior}

    def from_prior(self, u: Column) -> Column:
        law = self._law()
        return u if law is None else law.quantile(u)

    def log_prior(self, u: Column) -> Column:
        law, places = self._law(), self.indices(u)
        if isinstance(law, Bell):
            return law.log_ratio_of_bins(places / len(self.options), (places + 1) / len(self.options))
        return np.zeros(len(u)) if law is None else law.log_ratio(places)

    def _law(self) -> Bell | Weights | None:
        if self.prior is None:
            return None
        if not isinstance(self.prior, str):
            return Weights(shares_of(self.prior))
        if self.ordered:
            return Bell(self.default_point, SPREADS[self.prior])
        favoured = int(self.default_point * len(self.options))
        return Weights(shares_of([FAVOURS[self.prior] if k == favoured else 1.0 for k in range(len(self.options))]))

    @property
    def _half(self) -> float:
        return 0.5 / len(self.options)

    def _table(self) -> NDArray[Any]:
        """The options as an array: of numbers or truth values where all are."""
        kinds = {type(option) for option in self.options}
        if kinds == {bool} or kinds == {float} or kinds == {int, float}:
            return np.array(self.options)
        if kinds == {int} and all(abs(option) <= LARGEST for option in self.options):
            return np.array(self.options, dtype=np.int64)
        table = np.empty(len(self.options), dtype=object)
        for place, option in enumerate(self.options):  # one by one: a tuple must not become a row of its own
            table[place] = option
        return table


def plain(value: Any) -> Any:
    """Without NumPy, and with lists frozen: what survives JSON and cannot be changed by whoever receives it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(plain(part) for part in value) if isinstance(value, list | tuple) else value


def _key(option: Any) -> Any:
    """Equal for equal options of one kind: True is not 1, but 1 is 1.0."""
    try:
        hash(option)
    except TypeError:
        return type(option).__name__, repr(option)
    return isinstance(option, bool), option
