"""Where the source tree is, with what is not installed."""

from __future__ import annotations

from pathlib import Path


def source_tree() -> Path | None:
    """The folder that holds ``benchmarks``: that of this package, or the one that a command is called from; or None.

    A folder ``benchmarks`` of another project is none of ours: the package must lie beside it.
    """
    for folder in (Path(__file__).parents[2], Path.cwd()):
        if (folder / "benchmarks" / "__main__.py").is_file() and (folder / "hyperband" / "cli").is_dir():
            return folder
    return None
