"""``hyperband info``."""

from __future__ import annotations

import click


@click.command("info")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Show backends, instruction set, threads, and why."""
    from hyperband.interface.show_config import show_config

    config = show_config()
    if as_json:
        import json

        click.echo(json.dumps(config.to_dict(), indent=2))
    else:
        click.echo(str(config))
