"""How a table is prepared: settings that few tables need, with their defaults."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hyperband.errors import DataError

TASKS = ("classification", "regression")
SCALINGS = ("auto", "standard", "quantile")
MISSING_TARGETS = ("error", "drop")

#: Fraction of the rows that rank the networks.
VALIDATION = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableOptions:
    """How a table is prepared for networks.

    Parameters
    ----------
    task : {"auto", "classification", "regression"}
        "auto" decides by the target: see `hyperband.tables.target_input.infer_task`.
    drop : names or numbers of columns that are not used
    categorical : names or numbers of columns whose numbers are categories
    missing_target : {"error", "drop"}
        Refuse rows without a target, or leave them out and say so.
    scaling : {"auto", "standard", "quantile"}
        Of numbers: see `hyperband.tables.fit_transformers.fit_preprocessing`.
    class_weight : None, "balanced", or mapping of label to weight
    sample_weight : array-like, shape (n_rows,), or the name of a column; None: all rows count the same

    Raises
    ------
    DataError
        When a value is not one of those named. What depends on the table is checked with it.

    Examples
    --------
    >>> TableOptions(drop=["id"], class_weight="balanced").scaling
    'auto'
    """

    task: str = "auto"
    drop: Collection[str | int] = ()
    categorical: Collection[str | int] = ()
    missing_target: str = "error"
    scaling: str = "auto"
    class_weight: Any = None
    sample_weight: Any = None

    def __post_init__(self) -> None:
        for name, allowed in (
            ("task", ("auto", *TASKS)),
            ("scaling", SCALINGS),
            ("missing_target", MISSING_TARGETS),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise DataError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}.")
