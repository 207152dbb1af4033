"""The options of preparing a table, which few tables need, with their defaults."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hyperband.errors import DataError

TASKS = ("classification", "regression")
SCALINGS = ("auto", "standard", "quantile")
MISSING_TARGETS = ("auto", "error", "drop")

#: Default fraction of the rows that are held out to compare networks.
VALIDATION = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableOptions:
    """Options for preparing a table.

    Parameters
    ----------
    task : {"auto", "classification", "regression"}
        "auto" decides from the target: see `hyperband.tables.target_input.infer_task`.
    drop : names or indices of columns that are not used
    categorical : names or indices of columns of numbers or times that are categories
    numeric : names or indices of columns that are numbers
        Texts among them are missing values, small whole numbers and numbers of rows stay numbers.
    missing_target : {"auto", "error", "drop"}
        Whether rows without a target are an error, or are left out and mentioned in the notes. "auto" leaves them out
        where the target is a column of the table, unless a text such as NA stands among its classes, and not where it
        is given apart.
    scaling : {"auto", "standard", "quantile"}
        Scaling of columns of numbers: see `hyperband.tables.fit_preprocessing.FitSettings`.
    class_weight : None, "balanced", or mapping of label to weight
    na_values : texts that mean a missing value, besides the empty one; None: `hyperband.tables.readings.MISSING`
    sample_weight : array-like, shape (n_rows,), or the name of a column; None gives all rows the same weight

    Raises
    ------
    DataError
        When ``task``, ``missing_target`` or ``scaling`` is none of these values. `prepare` checks the other options
        against the table.

    Examples
    --------
    >>> TableOptions(drop=["id"], class_weight="balanced").scaling
    'auto'
    """

    task: str = "auto"
    drop: Collection[str | int] = ()
    categorical: Collection[str | int] = ()
    numeric: Collection[str | int] = ()
    missing_target: str = "auto"
    scaling: str = "auto"
    class_weight: Any = None
    sample_weight: Any = None
    na_values: Collection[str] | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            ("task", ("auto", *TASKS)),
            ("scaling", SCALINGS),
            ("missing_target", MISSING_TARGETS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise DataError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}.")
        values = self.na_values
        if isinstance(values, str) or not all(isinstance(value, str) for value in values or ()):
            raise DataError(f"`na_values` must be a list of texts, or None; got {values!r}.")
