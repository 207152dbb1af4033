"""What a model predicts, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hyperband.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from hyperband.model import Model


def predictions(model: Model, table: Any, backend: str, first: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """A row for each row of the table, in their order: prediction, and the probability of each class.

    Parameters
    ----------
    first : columns that come before them, as ``given_NAME`` where a column of predictions has their name

    Raises
    ------
    DataError
        When one of ``first`` has another number of rows than there are predictions.
    """
    import polars as pl

    columns: dict[str, Any] = {}
    if model.task == "classification":
        probabilities = model.predict_proba(table, backend=backend)
        columns["prediction"] = model.target.labels(probabilities.argmax(axis=1))
        columns |= {f"probability_{label}": probabilities[:, k] for k, label in enumerate(model.classes)}
    else:
        values = model.predict(table, backend=backend)
        several = values.ndim == 2  # then the columns are named after the targets
        columns |= {f"prediction_{n}": values[:, k] for k, n in enumerate(model.target.names)} if several else {}
        columns |= {} if several else {"prediction": values}
    before = {f"given_{name}" if name in columns else name: column for name, column in (first or {}).items()}
    n = len(next(iter(columns.values())))
    if other := [name for name, column in before.items() if len(column) != n]:
        raise DataError(
            f"A column to carry must have a value for each of the {n} predictions; {other[0]!r} has "
            f"{len(before[other[0]])}: the first line of the table names its columns. Say so by --header."
        )
    return pl.DataFrame({**before, **columns})
