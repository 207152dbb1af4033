"""``hyperband bench``: the benchmarks of the source tree."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import click

from hyperband.errors import BackendUnavailable


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Time the engine against other ways to train the same networks; the same as `python -m benchmarks`."""
    sys.path.insert(0, ".")  # an installed command does not look into the folder it is called from
    found = find_spec("benchmarks")
    if found is None or found.origin is None:
        raise BackendUnavailable(
            "`hyperband bench` needs the folder `benchmarks` of the source tree, which is not part of the installed "
            "package. Run it from a checkout."
        )
    import runpy

    sys.argv = ["hyperband bench", *arguments]
    runpy.run_module("benchmarks", run_name="__main__")
