"""``hyperband search`` with default settings on real tables, against default networks.

The command of each table is what a user would type. Its score on rows that the search never saw stands beside

* that of scikit-learn's ``MLPClassifier()`` or ``MLPRegressor()`` with default settings, on the same preprocessing and
  the same test rows (it trains on the validation rows too), and
* a published floor, where there is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.common import records
from benchmarks.common.paths import DATA
from benchmarks.common.records import json_option


@dataclass(frozen=True)
class Table:
    """A table on disk and how to read it.

    Parameters
    ----------
    file, target : str
    test : str, a file of test rows or the fraction held out
    floor : float or None
        Accuracy of the default ``MLPClassifier`` on raw features at the largest training size (LCDB 0.1.0).
    """

    file: str
    target: str
    test: str = "0.2"
    floor: float | None = None

    def options(self) -> list[str]:
        """Arguments of ``hyperband search`` after the file."""
        held_out = str(DATA / self.test) if "/" in self.test else self.test
        return ["--target", self.target, "--test", held_out]


TABLES = {
    "adult": Table("adult/adult.data", "column_15", "adult/adult.test", 0.843),
    "connect-4": Table("connect-4/connect_4.tsv.gz", "target", floor=0.848),
    "jungle_chess": Table("jungle_chess/jungle_chess_2pcs_raw_endgame_complete.arff", "class", floor=0.839),
    "covertype-93k": Table("covertype-93k/test.csv.gz", "Cover_Type"),
    "california-housing": Table("california-housing/housing.csv", "median_house_value"),
    "protein": Table("protein/CASP.csv", "RMSD"),
}


def searched(table: Table, seed: int) -> dict[str, Any]:
    """Wall time of ``hyperband search`` in seconds, with what its report says of the best network."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hyperband", "search", str(DATA / table.file), *table.options()]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "--seed", str(seed), "--out", f"{folder}/out", "--json", "--quiet"],
            check=True,
            capture_output=True,
            text=True,
        )
        seconds, report = time.perf_counter() - began, json.loads(done.stdout)
        return {"seconds": seconds, **{name: report[name] for name in ("test", "best", "evaluations")}}


def default_network(table: Table, seed: int) -> dict[str, Any]:
    """Test score of scikit-learn's default network on the same rows, prepared in the same way."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from hyperband.tables import prepare, read_table

    held_out: Any = read_table(str(DATA / table.test)) if "/" in table.test else float(table.test)
    data = prepare(read_table(str(DATA / table.file)), target=table.target, test=held_out, seed=seed)
    assert data.x_test is not None and data.y_test is not None
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    made = MLPClassifier if data.task == "classification" else MLPRegressor
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = made(random_state=seed).fit(x, y.ravel())
    seconds = time.perf_counter() - began
    return {"score": float(network.score(data.x_test, data.y_test.ravel())), "seconds": seconds}


def score(found: dict[str, Any]) -> tuple[str, float]:
    """Name and value of the test score that is compared: accuracy, or the coefficient of determination."""
    name = "accuracy" if "accuracy" in found["test"] else "r2"
    return name, float(found["test"][name])


def measure(names: Sequence[str], seeds: Sequence[int], peer: bool) -> list[dict[str, Any]]:
    """One record a table and seed, printed as it comes."""
    found = []
    click.echo("table                seed  metric    hyperband  default MLP   floor   seconds  default MLP")
    for name in names:
        table = TABLES[name]
        for seed in seeds:
            ours = searched(table, seed)
            theirs = default_network(table, seed) if peer else {"score": float("nan"), "seconds": float("nan")}
            metric, value = score(ours)
            floor = "" if table.floor is None else f"{table.floor:.3f}"
            click.echo(
                f"{name:<20} {seed:>4}  {metric:<8} {value:>10.4f} {theirs['score']:>12.4f} {floor:>7} "
                f"{ours['seconds']:>9.0f} {theirs['seconds']:>12.0f}"
            )
            found.append({"table": name, "seed": seed, "hyperband": ours, "default_mlp": theirs, "floor": table.floor})
    return found


@click.command("datasets")
@click.option("--table", "names", multiple=True, type=click.Choice(list(TABLES)), help="Default: all; repeatable.")
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), show_default=True, help="Repeatable.")
@click.option("--peer/--no-peer", default=True, show_default=True, help="Train scikit-learn's default network too.")
@json_option
def main(names: Sequence[str], seeds: Sequence[int], peer: bool, json_file: Path | None) -> None:
    """Search real tables with default settings, against scikit-learn's default network."""
    absent = [name for name in names or TABLES if not (DATA / TABLES[name].file).exists()]
    if absent:
        raise click.ClickException(
            f"{', '.join(absent)}: not in {DATA}. HYPERBAND_DATA names the folder of the tables."
        )
    records.write(json_file, {"records": measure(names or list(TABLES), seeds, peer)})
