"""Write the figures of README.md and RESULTS.md from the committed records, or check that they are the same."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import click

from benchmarks.common.paths import ROOT
from benchmarks.documents import accuracy, readme, searches, training
from benchmarks.documents.markdown import fill

Sections = Mapping[str, Callable[[], str]]

#: document -> its sections that are written from data
DOCUMENTS: dict[str, Sections] = {
    "README.md": {
        "scores": readme.scores,
        "speeds": readme.speeds,
        "searches": readme.searches,
        "bookkeeping": readme.bookkeeping,
    },
    "benchmarks/RESULTS.md": {
        "accuracy": accuracy.contenders,
        "ablation": accuracy.ablation,
        "left-out": accuracy.left_out_ingredients,
        "datasets": searches.datasets,
        "engine": training.engine,
        "features": training.features,
        "same-shape": training.same_shape,
        "precision-time": training.precision_time,
        "precision-errors": training.precision_errors,
        "startup": training.startup,
        "growth": training.growth,
        "search": searches.digits_search,
        "search-peers": searches.peers,
        "search-quality": searches.quality,
        "search-pairs": searches.pairs,
        "search-quality-workers": searches.quality_workers,
        "rungs": partial(searches.rungs, "rungs"),
        "rungs-ours": partial(searches.rungs, "rungs-ours"),
    },
}


def written(document: Path, sections: Sections) -> str:
    """The document with its sections written anew."""
    return fill(document.read_text(encoding="utf-8"), {name: make() for name, make in sections.items()})


def write(name: str, root: Path = ROOT) -> None:
    """Write the sections of one document anew."""
    (root / name).write_text(written(root / name, DOCUMENTS[name]), encoding="utf-8")


def differences(root: Path) -> list[str]:
    """Lines of a unified diff from the documents below ``root`` to what the records say; none when they agree."""
    lines: list[str] = []
    for name, sections in DOCUMENTS.items():
        before, after = (root / name).read_text(encoding="utf-8"), written(root / name, sections)
        lines += difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} from data", lineterm="")
    return lines


@click.command("readme")
@click.option("--check", is_flag=True, help="Write nothing; show the differences and exit with 1 when there are any.")
def main(check: bool) -> None:
    """See `benchmarks.__main__`."""
    if not check:
        for name, sections in DOCUMENTS.items():
            write(name)
            click.echo(f"{name}: {len(sections)} sections")
    elif lines := differences(ROOT):
        click.echo("\n".join(lines))
        raise click.ClickException("Figures differ from the records; `python -m benchmarks readme` writes them.")
