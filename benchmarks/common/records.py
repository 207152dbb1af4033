"""Records of measurements as JSON: written with a description of the machine, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from benchmarks.common import machine
from benchmarks.common.paths import RESULTS

#: The option of every benchmark that can write its records; the value is the argument ``json_file``.
json_option = click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every record there."
)


def write(
    file: Path | None, measured: dict[str, Any], about: dict[str, Any] | None = None, indent: int | None = 1
) -> None:
    """Write what was measured as JSON, after a description of the machine; without a file do nothing.

    Parameters
    ----------
    about : dict, optional
        A description that was made earlier; by default `machine.describe` is called now.
    indent : int, optional
        None writes one line, for records with thousands of numbers.
    """
    if file is not None:
        text = json.dumps({**(machine.describe() if about is None else about), **measured}, indent=indent)
        file.write_text(text + "\n", encoding="utf-8")


def read(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """A committed record: ``results/<name>.json``."""
    record: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return record
