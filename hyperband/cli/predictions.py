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
    first : columns that come before them, as ``given_NAME`` where a column of predictions has their name
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
    return pl.DataFrame({**before, **columns}).write_csv()
