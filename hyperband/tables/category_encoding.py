"""Columns of categories as features: for each level a row of signs, one-hot columns, target means and frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.tables.fitted_numbers import check_flags, check_positions, check_texts

F32 = NDArray[np.float32]
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CategoryColumn:
    """The features of each level of one column.

    Level number k is ``levels[k]``; a missing value has the number ``len(levels)``, and a level that training never saw
    ``len(levels) + 1``.

    Parameters
    ----------
    levels : tuple of str, the most frequent first, without the missing one
    sign : bool
        Two levels become -1 and 1; everything else is 0.
    own : tuple of int
        Numbers of the levels with a one-hot column of their own.
    shared : bool
        Whether all other levels, unknown ones too, share a further one-hot column.
    values : float32 array, shape (len(levels) + 2, n_values)
        Further features of each level: target means and frequency, both standardised.
    value_names : tuple of str

    Raises
    ------
    InputError
        When levels are not different texts, a number is none of a level, or shapes do not agree.

    Examples
    --------
    >>> column = CategoryColumn(("a", "b"), False, (0, 1), False, np.zeros((4, 0), np.float32), ())
    >>> column.transform(pl.Series(["b", "a", None, "new"])).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """

    levels: tuple[str, ...]
    sign: bool
    own: tuple[int, ...]
    shared: bool
    values: F32
    value_names: tuple[str, ...]
    _own_column: Codes = field(init=False, repr=False)  # of each level number, -1 where it has none

    def __post_init__(self) -> None:
        n_levels = len(self.levels) + 2
        check_flags(sign=self.sign, shared=self.shared)
        check_texts(self.levels, "levels")
        check_texts(self.value_names, "value_names")
        check_positions(self.own, "own", n_levels)
        if self.sign and (self.own or self.shared or len(self.levels) != 2):
            raise InputError(f"`sign` is for two levels and nothing else; got {len(self.levels)} levels.")
        if self.values.shape != (n_levels, len(self.value_names)) or not np.isfinite(self.values).all():
            raise InputError(
                f"`values` must be finite, of shape {(n_levels, len(self.value_names))}; got {self.values.shape}."
            )
        column = np.full(n_levels, len(self.own) if self.shared else -1, dtype=np.int32)
        column[list(self.own)] = range(len(self.own))
        object.__setattr__(self, "_own_column", column)

    @property
    def n_own(self) -> int:
        """Number of features before ``values``."""
        return int(self.sign) + len(self.own) + int(self.shared)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.n_own + len(self.value_names)

    def codes(self, texts: pl.Series) -> Codes:
        """Level numbers, int32 of shape (n_rows,)."""
        codes = texts.replace_strict(
            pl.Series(self.levels, dtype=pl.String),
            pl.Series(range(len(self.levels)), dtype=pl.Int32),
            default=len(self.levels) + 1,
            return_dtype=pl.Int32,
        ).to_numpy()
        return np.where(texts.is_null().to_numpy(), np.int32(len(self.levels)), codes)

    def transform(self, texts: pl.Series) -> F32:
        """Features, shape (n_rows, n_features), of texts, None where missing."""
        codes = self.codes(texts)
        out = np.zeros((len(codes), self.n_features), dtype=np.float32)
        if self.sign:
            out[codes == 0, 0], out[codes == 1, 0] = -1.0, 1.0
        column = self._own_column[codes]
        rows = np.flatnonzero(column >= 0)
        out[rows, column[rows]] = 1.0
        out[:, self.n_own :] = self.values[codes]
        return out

    def names(self, column: str) -> list[str]:
        """Names of the features."""
        own = [f"{column}={self.levels[k] if k < len(self.levels) else None}" for k in self.own]
        sign = [f"{column}={self.levels[1]}"] if self.sign else []
        return [
            *sign,
            *own,
            *([f"{column}=(rare)"] if self.shared else []),
            *(f"{column} {n}" for n in self.value_names),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back, to the bit."""
        return {
            "levels": list(self.levels),
            "sign": self.sign,
            "own": list(self.own),
            "shared": self.shared,
            "values": self.values.tolist(),
            "value_names": list(self.value_names),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CategoryColumn:
        """The column that `to_dict` wrote."""
        levels, names = tuple(plain["levels"]), tuple(plain["value_names"])
        values = np.array(plain["values"], dtype=np.float32).reshape(len(levels) + 2, len(names))
        return cls(levels, plain["sign"], tuple(plain["own"]), plain["shared"], values, names)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryEncoding:
    """All columns of categories as features, one `CategoryColumn` a column."""

    columns: tuple[CategoryColumn, ...]

    def transform(self, texts: Sequence[pl.Series]) -> F32:
        """Features, float32 of shape (n_rows, n_features)."""
        return np.concatenate([c.transform(t) for c, t in zip(self.columns, texts, strict=True)], axis=1)

    def names(self, columns: Sequence[str]) -> list[str]:
        """Names of the features."""
        return [feature for c, name in zip(self.columns, columns, strict=True) for feature in c.names(name)]

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `from_dict` reads it back."""
        return {"columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> CategoryEncoding:
        """The encoding that `to_dict` wrote."""
        return cls(tuple(CategoryColumn.from_dict(column) for column in plain["columns"]))
