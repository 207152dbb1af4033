"""``hyperband predict``."""

from __future__ import annotations

import re
from pathlib import Path

import click

from hyperband.cli.remarks import remarks


@click.command("predict")
@click.argument("model", type=click.Path())
@click.argument("table")
@click.option("--out", type=click.Path(), help="Write the csv here instead of to stdout.")
@click.option("--id", "ids", multiple=True, metavar="COLUMN", help="Column of TABLE to write before them; repeatable.")
@click.option("--backend", default="auto", show_default=True, help="auto, native, numba or numpy.")
@click.option("--header/--no-header", default=None, help="Whether the first line of TABLE names the columns.")
def command(model: str, table: str, out: str | None, ids: tuple[str, ...], backend: str, header: bool | None) -> None:
    """Predict TABLE with MODEL, the folder that `hyperband search` wrote or the file of a model.

    The result is a csv with the column `prediction` and, for classes, `probability_<class>`; one line per row of TABLE,
    in its order. Columns of TABLE that the model does not know, the target for instance, are ignored.
    """
    from hyperband._common.files import check_writable, write_text
    from hyperband.cli.predictions import predictions
    from hyperband.model import Model
    from hyperband.tables import as_table
    from hyperband.tables.table import resolve_columns

    if out is not None:
        check_writable(Path(out))
    with remarks():
        trained = Model.load(model)
        rows = as_table(table, header=header)
        carried = {
            name: rows.column(name) for name in resolve_columns(rows, [_number(name, rows.names) for name in ids], "id")
        }
        found = predictions(trained, rows, backend, carried)
    if out is None:
        click.echo(found.write_csv(), nl=False)
    else:
        write_text(Path(out), found.write_csv())
        click.echo(f"{found.height} predictions written to {out}", err=True)


def _number(name: str, names: tuple[str, ...]) -> str | int:
    """A column's position where a number is given that is no name."""
    return int(name) if name not in names and re.fullmatch(r"-?\d+", name) else name
