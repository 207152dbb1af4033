"""``hyperband distil``."""

from __future__ import annotations

from pathlib import Path

import click

from hyperband.cli.remarks import remarks


@click.command("distil")
@click.argument("model", type=click.Path())
@click.argument("table")
@click.option("--out", type=click.Path(), required=True, help="The file of the new model.")
@click.option("--epochs", type=float, default=100.0, show_default=True, help="Passes over the rows.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the network and of the rows held out.")
@click.option("--backend", default="auto", show_default=True, help="auto, cuda, native, numba or numpy.")
@click.option("--threads", type=int, help="No result depends on it.  [default: all processors]")
@click.option("--header/--no-header", default=None, help="Whether the first line of TABLE names the columns.")
def command(
    model: str, table: str, out: str, epochs: float, seed: int, backend: str, threads: int | None, header: bool | None
) -> None:
    """Train one network that predicts what MODEL, an ensemble (its file or a search's folder), predicts for TABLE.

    TABLE needs no target; the table of the search will do. The new model predicts up to as many times as fast as
    MODEL has networks, and as a rule a little less well.
    """
    from hyperband._common.files import check_writable
    from hyperband.model import Model
    from hyperband.model.distillation import distil
    from hyperband.tables import as_table

    check_writable(Path(out))
    with remarks():
        trained = Model.load(model)
        rows = as_table(table, header=header)
        small = distil(trained, rows, epochs=epochs, seed=seed, backend=backend, threads=threads)
    small.save(out)
    click.echo(f"one network instead of {len(trained.members)}, written to {out}")
