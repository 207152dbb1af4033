"""The categorical axis: one of a list of values of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.numbers import LARGEST, Column
from hyperband.space.priors import (
    DEFAULT_WEIGHTS,
    DEVIATIONS,
    OptionWeights,
    TruncatedNormal,
    probabilities_of,
    weights_of,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of values of any kind; ``ordered=True`` states that neighbours in the list are similar.

    Parameters
    ----------
    options : sequence of distinct values
        NumPy values become Python values, lists become tuples. Or a mapping from each value to the parameters that it
        brings with it, by name: see `hyperband.space.nested`.
    default : one of the options, optional
    ordered : bool
        Adaptive samplers then move from an option to its neighbours, grids take evenly spaced options, and the default
        is the middle option where none is given. Otherwise the default is the first option.
    prior : None, one positive weight an option, or "low", "medium", "high", optional
        A name gives the default 2, 4 or 8 times the weight of every other option; with ``ordered`` it means a normal
        distribution around the default, as of an `Int`. Only samplers that use priors read it; see `Space.from_prior`.

    Raises
    ------
    InputError
        When there is no option, an option occurs twice or is NaN, the default is not an option, or the prior is none of
        the above.

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
    _index_of: dict[Any, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Anything that can be iterated is a list of values, an array or a `dict_keys` too, but a text is one value.
        if isinstance(self.options, str | bytes) or not isinstance(self.options, Iterable):
            raise InputError(f"`options` of a Choice must be a list of values; got {self.options!r}.")
        if isinstance(self.options, Mapping):
            object.__setattr__(self, "branches", {as_python(key): value for key, value in self.options.items()})
        object.__setattr__(self, "options", tuple(as_python(option) for option in self.options))
        object.__setattr__(self, "default", as_python(self.default))
        if not self.options:
            raise InputError("`options` of a Choice must hold at least one value; got none.")
        for index, option in enumerate(self.options):
            if option != option:
                raise InputError("`options` of a Choice must not be NaN; got NaN. Use None, or a text.")
            if self._index_of.setdefault(_key(option), index) != index:
                raise InputError(f"`options` of a Choice must differ from one another; got {option!r} twice.")
        if self.default is not None:
            self.index(self.default)
        object.__setattr__(self, "prior", weights_of(self.prior, len(self.options)))

    @property
    def n_values(self) -> float:
        """Number of options."""
        return len(self.options)

    @property
    def default_point(self) -> float:
        """The default on [0, 1]: the middle of its bin."""
        usual = len(self.options) // 2 if self.ordered else 0
        return (usual if self.default is None else self.index(self.default)) / len(self.options) + self._half

    def index(self, value: Any) -> int:
        """Index of a value among the options; raises `InputError` when it is none of them."""
        index = self._index_of.get(_key(as_python(value)))
        if index is None:
            raise InputError(f"The value must be one of {', '.join(map(repr, self.options))}; got {value!r}.")
        return index

    def indices(self, u: Column) -> NDArray[np.int64]:
        """Indices of the options at points of [0, 1], int64."""
        return np.minimum((u * len(self.options)).astype(np.int64), len(self.options) - 1)

    def decode(self, u: Column) -> NDArray[Any]:
        """Options at points of [0, 1], as an array of numbers, truth values or objects."""
        chosen: NDArray[Any] = self._table()[self.indices(u)]
        return chosen

    def values(self, u: Column) -> list[Any]:
        """Options at points of [0, 1], as they were given."""
        return [self.options[index] for index in self.indices(u).tolist()]

    def encode(self, values: Sequence[Any]) -> Column:
        """The middle of each option's bin, on [0, 1]; raises `InputError` for any other value."""
        return np.array([self.index(v) for v in values], dtype=np.float64) / len(self.options) + self._half

    def canonical(self, u: Column) -> Column:
        """The middle of the bin that each point lies in."""
        return self.indices(u) / len(self.options) + self._half

    def grid(self, points: int) -> Column:
        """Middles of at most ``points`` evenly spaced bins; a single one is the default's."""
        if points == 1:
            return np.array([self.default_point])
        m = min(points, len(self.options))
        indices = ((np.arange(m) + 0.5) / m * len(self.options)).astype(np.int64)
        return indices / len(self.options) + self._half

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``prior`` only where there is one."""
        written = {"type": "choice", "options": list(self.options), "default": self.default, "ordered": self.ordered}
        return written if self.prior is None else {**written, "prior": self.prior}

    def from_prior(self, u: Column) -> Column:
        """Draws of the prior from uniform draws, by its inverse distribution function."""
        distribution = self._distribution()
        return u if distribution is None else distribution.quantile(u)

    def log_prior(self, u: Column) -> Column:
        """Logarithm of the prior probability of each point's bin relative to its width."""
        distribution, indices = self._distribution(), self.indices(u)
        if isinstance(distribution, TruncatedNormal):
            return distribution.log_ratio_of_bins(indices / len(self.options), (indices + 1) / len(self.options))
        return np.zeros(len(u)) if distribution is None else distribution.log_ratio(indices)

    def _distribution(self) -> TruncatedNormal | OptionWeights | None:
        if self.prior is None:
            return None
        if not isinstance(self.prior, str):
            return OptionWeights(probabilities_of(self.prior))
        if self.ordered:
            return TruncatedNormal(self.default_point, DEVIATIONS[self.prior])
        favoured = int(self.default_point * len(self.options))
        return OptionWeights(
            probabilities_of([DEFAULT_WEIGHTS[self.prior] if k == favoured else 1.0 for k in range(len(self.options))])
        )

    @property
    def _half(self) -> float:
        return 0.5 / len(self.options)

    def _table(self) -> NDArray[Any]:
        """The options as an array: numeric or boolean where all options are, otherwise of objects."""
        kinds = {type(option) for option in self.options}
        if kinds == {bool} or kinds == {float} or kinds == {int, float}:
            return np.array(self.options)
        if kinds == {int} and all(abs(option) <= LARGEST for option in self.options):
            return np.array(self.options, dtype=np.int64)
        table = np.empty(len(self.options), dtype=object)
        for index, option in enumerate(self.options):  # one by one: NumPy would spread a tuple over a row
            table[index] = option
        return table


def as_python(value: Any) -> Any:
    """A value without NumPy types and with lists as tuples: immutable, and the same after a trip through JSON.

    Examples
    --------
    >>> as_python(np.array([1, 2])), as_python([np.float64(0.5), [3]])
    ((1, 2), (0.5, (3,)))
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(as_python(part) for part in value) if isinstance(value, list | tuple) else value


def _key(option: Any) -> Any:
    """A dictionary key, the same for equal options: True differs from 1, but 1 equals 1.0."""
    try:
        hash(option)
    except TypeError:
        return type(option).__name__, repr(option)
    return isinstance(option, bool), option
