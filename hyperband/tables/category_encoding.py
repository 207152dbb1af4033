"""Columns of categories as features: for each level a row of signs, one-hot columns, target means and frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
    _table: F32 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_levels = len(self.levels) + 2
        table = np.zeros((n_levels, self.n_own + len(self.value_names)), dtype=np.float32)
        if self.sign:
            table[:2, 0] = (-1.0, 1.0)
        table[list(self.own), range(len(self.own))] = 1.0
        if self.shared:
            table[~np.isin(np.arange(n_levels), self.own), len(self.own)] = 1.0
        table[:, self.n_own :] = self.values
        object.__setattr__(self, "_table", table)

    @property
    def n_own(self) -> int:
        """Number of features before ``values``."""
        return int(self.sign) + len(self.own) + int(self.shared)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self._table.shape[1])

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
        return self._table[self.codes(texts)]

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
