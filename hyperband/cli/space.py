"""``hyperband space``, and the file that ``hyperband search --space`` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.options import ALGORITHMS, make_algorithm
from hyperband.cli.remarks import remarks
from hyperband.cli.table_input import (
    choice,
    make_table_options,
    prepare_input,
    read_input,
    table_input_options,
    target_option,
)
from hyperband.errors import InputError
from hyperband.evaluation.networks.training import RESOURCES, Training

if TYPE_CHECKING:
    from hyperband.space import Space

#: Draws of a given space that must be networks.
DRAWS = 64


@click.command("space")
@click.argument("table")
@target_option
@click.option("--algorithm", type=click.Choice(ALGORITHMS), help="The algorithm of the search; grid has a space apart.")
@click.option("--resource", **choice(RESOURCES, Training().resource), help="That of the search.")
@table_input_options
@click.option("--seed", type=int, default=0, show_default=True, help="That of the search.")
@click.option("--quiet", is_flag=True, help="Show no notes.")
def command(table: str, algorithm: str | None, quiet: bool, **options: Any) -> None:
    """Print what a search for TABLE searches: every parameter of its networks, as JSON, a line each.

    `hyperband search TABLE --space FILE` searches what such a file says. With the options of the search, and nothing
    edited, the result is the same as without it.
    """
    from hyperband.interface.defaults import space_for

    table_options = make_table_options(options)
    with remarks(quiet):
        prepared = prepare_input(read_input(table, options), options, table_options)
    chosen = None if algorithm is None else make_algorithm(algorithm)
    click.echo(as_lines(space_for(prepared, options["resource"], chosen)))


def as_lines(space: Space) -> str:
    """A space as JSON that people can edit: a line a parameter, a condition and a constraint.

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> print(as_lines(Space({"dropout": Float(0.0, 0.5)})))
    {
      "version": 1,
      "parameters": {
        "dropout": {"type": "float", "low": 0.0, "high": 0.5, "log": false, "default": null}
      },
      "conditions": [],
      "constraints": []
    }
    """
    parts = []
    for name, part in space.to_dict().items():
        if isinstance(part, dict) and part:
            lines = [f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in part.items()]
            text = "{\n" + ",\n".join(lines) + "\n  }"
        elif isinstance(part, list) and part:
            text = "[\n" + ",\n".join(f"    {json.dumps(value)}" for value in part) + "\n  ]"
        else:
            text = json.dumps(part)
        parts.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def read_space(path: Path) -> Space:
    """The space in a file.

    Raises
    ------
    InputError
        When the file cannot be read, is no space, or what it describes are no networks.
    """
    from hyperband.engine.network_space import to_architecture
    from hyperband.space import Space
    from hyperband.tuning.samplers.random import RandomSampler

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"--space must be a file that can be read; {str(path)!r} is not: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(
            f"--space must be a text file; {str(path)!r} is none. Write it by `hyperband space`."
        ) from None
    try:
        space = Space.from_json(text)
        for configuration in space.decode(RandomSampler().start(space, 0).propose(range(DRAWS))):
            to_architecture(configuration)
    except InputError as error:
        reason = str(error).removeprefix("A written space must be what `to_dict` or `to_json` wrote; ")
        raise InputError(
            f"--space must be a space of networks, as `hyperband space` prints it; {str(path)!r} is none: {reason}"
        ) from None
    return space
