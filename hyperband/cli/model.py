"""``hyperband model``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from hyperband.model import Model

#: Kinds of networks that are listed.
MOST = 10


@click.command("model")
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(model: str, as_json: bool) -> None:
    """Show what is in MODEL, a file that `hyperband search` wrote, or its folder: target, networks, and every column of
    the table with its kind and why.
    """
    from hyperband.cli.report import plain
    from hyperband.model import Model

    trained = Model.load(model)
    click.echo(json.dumps(plain(_facts(trained)), indent=2, allow_nan=False) if as_json else "\n".join(_lines(trained)))


def _facts(model: Model) -> dict[str, Any]:
    from dataclasses import asdict

    from hyperband.tables.column_table import column_table

    return {
        "task": model.task,
        "target": list(model.target.names),
        "classes": list(model.classes),
        "temperature": model.temperature,
        "networks": [
            {
                "weight": member.weight,
                "view": model.preprocessings[member.view].view,
                "features": model.preprocessings[member.view].n_features,
                "architecture": member.architecture.to_dict(),
            }
            for member in model.members
        ],
        "columns": [asdict(use) for use in column_table(model.preprocessings)],
        "missing": list(model.preprocessing.schema.missing),
        "provenance": dict(model.provenance),
    }


def _lines(model: Model) -> list[str]:
    from hyperband.cli.columns import column_lines
    from hyperband.cli.report import summary, table

    total = sum(member.weight for member in model.members)
    groups: dict[tuple[str, str], list[float]] = {}  # networks of one trial differ in their weights and rows alone
    for member in model.members:
        key = (model.preprocessings[member.view].view, summary(member.architecture))
        groups.setdefault(key, []).append(member.weight / total)
    rows = [
        [str(len(weights)), f"{sum(weights):.3f}", view, network]
        for (view, network), weights in sorted(groups.items(), key=lambda item: -sum(item[1]))
    ]
    return [
        repr(model),
        *([f"  temperature: {model.temperature:.3f}"] if model.temperature != 1.0 else []),
        "",
        *table(["networks", "weight", "view", "architecture"], rows[:MOST]),
        *([f"... and {len(rows) - MOST} more"] if len(rows) > MOST else []),
        "",
        *column_lines(model.preprocessings),
    ]
