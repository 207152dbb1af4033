"""All columns of numbers of a view as features: encoded numbers, columns of two values, missing indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.tables.fitted_numbers import check_ascending, check_positions
from hyperband.tables.number_encoders import Bins, Fourier, NumberEncoder, RobustClip
from hyperband.tables.standard_scaling import Standard

F64 = NDArray[np.float64]

_ENCODERS: dict[str, Any] = {"standard": Standard, "robust": RobustClip, "bins": Bins, "fourier": Fourier}


@dataclass(frozen=True, slots=True)
class NumberEncoding:
    """All columns of numbers as features: encoded numbers, columns of two values as -1 and 1, missing indicators.

    Parameters
    ----------
    numbers : tuple of int, positions of the columns that ``encoder`` encodes
    encoder : NumberEncoder or None
    two_valued : tuple of (position, low, high)
        A column of two values becomes -1 and 1; other values lie between them, missing ones are 0.
    missing : tuple of int, positions of the columns with a 0/1 feature that marks missing values

    Raises
    ------
    InputError
        When positions are no different whole numbers from 0, or a column of two values has no lower and higher one.

    Examples
    --------
    >>> encoding = NumberEncoding((), None, ((0, 2.0, 6.0),), (1,))
    >>> encoding.transform(np.array([[2.0, np.nan], [6.0, 0.0], [np.nan, 1.0], [5.0, 1.0]])).tolist()
    [[-1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.5, 0.0]]
    """

    numbers: tuple[int, ...]
    encoder: NumberEncoder | None
    two_valued: tuple[tuple[int, float, float], ...]
    missing: tuple[int, ...]

    def __post_init__(self) -> None:
        check_positions(self.numbers, "numbers")
        check_positions((position for position, _, _ in self.two_valued), "two_valued")
        check_positions(self.missing, "missing")
        check_ascending(
            [values for _, *values in self.two_valued], "two_valued", len(self.two_valued), 2, strictly=True
        )
        n_columns = 0 if self.encoder is None else self.encoder.n_columns
        if n_columns != len(self.numbers):
            raise InputError(f"`encoder` must take the {len(self.numbers)} columns of `numbers`; it takes {n_columns}.")

    @property
    def least_columns(self) -> int:
        """So many columns are there at least."""
        positions = (*self.numbers, *(position for position, _, _ in self.two_valued), *self.missing)
        return max(positions, default=-1) + 1

    def transform(self, block: NDArray[Any]) -> F64:
        """Features, float64 of shape (n_rows, n_features), of values of shape (n_rows, n_columns)."""
        parts = []
        if self.encoder is not None:
            parts.append(self.encoder.transform(np.ascontiguousarray(block[:, self.numbers], dtype=np.float64)))
        signs = np.empty((len(block), len(self.two_valued)))
        for k, (position, low, high) in enumerate(self.two_valued):
            values = block[:, position].astype(np.float64) * 0.5  # halved: no overflow
            signs[:, k] = np.clip((values - low * 0.5) / (high * 0.5 - low * 0.5), 0.0, 1.0) * 2.0 - 1.0
        parts.append(np.nan_to_num(signs, copy=False, nan=0.0))
        parts.append(np.isnan(block[:, self.missing]).astype(np.float64))
        return np.concatenate(parts, axis=1)

    def names(self, columns: Sequence[str]) -> list[str]:
        """Names of the features."""
        encoded = self.encoder.names([columns[j] for j in self.numbers]) if self.encoder is not None else []
        signs = [columns[position] for position, _, _ in self.two_valued]
        return [*encoded, *signs, *(f"{columns[j]} is missing" for j in self.missing)]

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {
            "numbers": list(self.numbers),
            "encoder": None if self.encoder is None else self.encoder.to_dict(),
            "two_valued": [list(column) for column in self.two_valued],
            "missing": list(self.missing),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> NumberEncoding:
        """The encoding that `to_dict` wrote."""
        encoder = plain["encoder"]
        return cls(
            tuple(plain["numbers"]),
            None if encoder is None else _ENCODERS[encoder["type"]].from_dict(encoder),
            tuple((position, low, high) for position, low, high in plain["two_valued"]),
            tuple(plain["missing"]),
        )
