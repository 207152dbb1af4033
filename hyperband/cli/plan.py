"""``hyperband plan``."""

from __future__ import annotations

from typing import Any

import click

from hyperband.cli.options import algorithm_options, make_algorithm
from hyperband.cli.remarks import note
from hyperband.errors import InputError


@click.command("plan")
@algorithm_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **options: Any) -> None:
    """Show the brackets and rungs of a search before it runs.

    A column per resource holds how many networks reach it; cost counts promoted networks from where they were paused.
    """
    if options["algorithm"] == "grid":
        raise InputError(
            "--algorithm of a plan must be one that plans without the table; the size of a grid depends on its space. "
            "`hyperband search --algorithm grid` says how many networks it tries."
        )
    algorithm = make_algorithm(**options)
    plan = algorithm.plan()
    if algorithm.note is not None:
        note(algorithm.note)
    if as_json:
        import json

        click.echo(json.dumps(plan.to_dict(), indent=2))
    else:
        click.echo(str(plan))
