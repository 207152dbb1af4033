"""``hyperband bench``: the benchmarks of the source tree, where there is one."""

from __future__ import annotations

import sys

import click

from hyperband.cli.source_tree import source_tree
from hyperband.errors import BackendUnavailable


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Time the engine against other ways to train the same networks; the same as `python -m benchmarks`."""
    folder = source_tree()
    if folder is None:
        raise BackendUnavailable(
            "`hyperband bench` needs the folder `benchmarks` of the source tree, which is not part of the installed "
            "package. Run it from a checkout."
        )
    import runpy

    sys.path.insert(0, str(folder))  # an installed command does not look into the folder it is called from
    sys.argv = ["hyperband bench", *arguments]
    runpy.run_module("benchmarks", run_name="__main__")
