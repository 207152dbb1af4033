"""What a model predicts, as a csv."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.model import Model


def predictions_csv(model: Model, table: Any, backend: str, first: Mapping[str, Any] | None = None) -> str:
    """A line a row, in their order: prediction, and the probability of each class.

    Parameters
    ----------
    first : columns that come before them
    """
    import polars as pl

    columns: dict[str, Any] = dict(first or {})
    if model.task == "classification":
        probabilities = model.predict_proba(table, backend=backend)
        columns["prediction"] = model.target.labels(probabilities.argmax(axis=1))
        columns |= {f"probability_{label}": probabilities[:, k] for k, label in enumerate(model.classes)}
        return pl.DataFrame(columns).write_csv()
    values = model.predict(table, backend=backend)
    if values.ndim == 1:
        columns["prediction"] = values
    else:  # several targets: the columns are named after them
        columns |= {f"prediction_{name}": values[:, k] for k, name in enumerate(model.target.names)}
    return pl.DataFrame(columns).write_csv()
