"""``hyperband predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.remarks import remarks

if TYPE_CHECKING:
    from hyperband.model import Model


@click.command("predict")
@click.argument("model", type=click.Path())
@click.argument("table")
@click.option("--out", type=click.Path(), help="Write the csv here instead of to stdout.")
@click.option("--backend", default="auto", show_default=True, help="auto, native, numba or numpy.")
@click.option("--header/--no-header", default=None, help="Whether the first line of TABLE names the columns.")
def command(model: str, table: str, out: str | None, backend: str, header: bool | None) -> None:
    """Predict TABLE with MODEL, the folder that `hyperband search` wrote or the file of a model.

    The result is a csv with the column `prediction` and, for classes, `probability_<class>`; one line per row of TABLE,
    in its order. Columns of TABLE that the model does not know, the target for instance, are ignored.
    """
    from hyperband._common.files import check_writable, write_text
    from hyperband.model import Model
    from hyperband.tables import as_table

    if out is not None:
        check_writable(Path(out))
    with remarks():
        trained = Model.load(model)
        rows = as_table(table, header=header)
        text = _csv(trained, rows, backend)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(Path(out), text)
        click.echo(f"{rows.n_rows} predictions written to {out}", err=True)


def _csv(model: Model, table: Any, backend: str) -> str:
    import polars as pl

    columns: dict[str, Any] = {}
    predictions = model.predict(table, backend=backend)
    if predictions.ndim == 2:  # several targets: the columns are named after them
        names = model.target.names
        columns |= {f"prediction_{name}": predictions[:, k] for k, name in enumerate(names)}
    else:
        columns["prediction"] = predictions
    if model.task == "classification":
        probabilities = model.predict_proba(table, backend=backend)
        columns |= {f"probability_{label}": probabilities[:, k] for k, label in enumerate(model.classes)}
    return pl.DataFrame(columns).write_csv()
