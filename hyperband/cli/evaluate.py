"""``hyperband evaluate``."""

from __future__ import annotations

import json

import click

from hyperband.cli.remarks import remarks


@click.command("evaluate")
@click.argument("model", type=click.Path())
@click.argument("table")
@click.option("--backend", default="auto", show_default=True, help="auto, native, numba or numpy.")
@click.option("--header/--no-header", default=None, help="Whether the first line of TABLE names the columns.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(model: str, table: str, backend: str, header: bool | None, as_json: bool) -> None:
    """Compare what MODEL predicts for TABLE with the target, which TABLE must hold, and print every metric.

    MODEL is a file that `hyperband search` wrote, or its folder. Errors of values are in the units of the target; the
    loss is that of a search, in nats, or of the standardised target.
    """
    from hyperband.cli.report import plain
    from hyperband.model import Model
    from hyperband.tables import as_table
    from hyperband.tables.features_and_target import held_out_rows

    with remarks():
        trained = Model.load(model)
        preprocessing = trained.preprocessing
        rows = held_out_rows(as_table(table, header=header), preprocessing, "table", preprocessing.schema)
        found = trained.evaluate(rows.table, rows.values, backend=backend)
    n, left_out = rows.table.n_rows, rows.dropped
    if as_json:
        click.echo(json.dumps(plain({"rows": n, "left_out": left_out, **found}), indent=2, allow_nan=False))
        return
    width = max(map(len, found))
    click.echo(f"{n} rows" + (f", {left_out} more without a target are left out" if left_out else ""))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {value:.6g}")
