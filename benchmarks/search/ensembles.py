"""How well an ensemble that few rows choose predicts new rows, by what it is chosen by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.paths import DATA
from benchmarks.common.records import json_option
from hyperband.evaluation.networks.ensemble import cross_predict, mean_prediction, select
from hyperband.metrics import metric, probabilities
from hyperband.tables import prepare

NETWORKS, MOMENTS = 64, (5, 15, 40)
#: Rows that choose -> how often they are drawn.
DRAWS = {100: 10, 300: 10, 1000: 5, 3000: 3}
#: Rows that choose at most; the others are new.
POOL = 8000
#: Name -> (file, rows that train); the last two are made.
TABLES: dict[str, tuple[str, int]] = {
    "phoneme": ("phoneme/phoneme.tsv.gz", 2500),
    "adult": ("adult/adult.data", 8000),
    "jungle_chess": ("jungle_chess/jungle_chess_2pcs_raw_endgame_complete.arff", 8000),
    "made-2": ("", 1500),
    "made-5": ("", 1500),
}

Rows = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Predictions of many networks at several moments, shape (n_candidates, n_rows, n_classes), in random row order."""

    predictions: NDArray[np.float32]
    y: Rows


def train(name: str, networks: int = NETWORKS) -> Candidates:
    """Networks of random hyperparameters, and what they predict for rows that they were not trained on."""
    rng = np.random.default_rng(0)
    x, y, others, truth, loss = _table(name)
    shapes = [_architecture(rng) for _ in range(networks)]
    population = hb.Population(shapes, x, y, seed=1, epochs=MOMENTS[-1], loss=loss)
    order, found = rng.permutation(len(truth)), []
    for moment in MOMENTS:
        population.train(until=moment)
        found += [probabilities(population.predict(k, others)).astype(np.float32)[order] for k in range(networks)]
    return Candidates(np.stack(found), truth[order])


def _table(name: str) -> tuple[Rows, Rows, Rows, Rows, str]:
    file, rows = TABLES[name]
    if file:
        prepared = prepare(str(DATA / file), target=-1, validation=0.5, seed=0)
        x, others = prepared.x_train[:rows], np.concatenate([prepared.x_validation, prepared.x_train[rows:]])
        truth = np.concatenate([prepared.y_validation, prepared.y_train[rows:]])
        return x, prepared.y_train[:rows], others[:24000], truth[:24000], prepared.loss
    k = int(name[-1])
    x, y = make_classification(
        21500, 20, n_informative=10, n_redundant=4, n_classes=k, n_clusters_per_class=3, flip_y=0.08, random_state=k
    )
    x = x.astype(np.float32)
    loss = "logistic" if k == 2 else "cross_entropy"
    return x[:rows], y[:rows], x[rows:], y[rows:], loss


def _architecture(rng: np.random.Generator) -> hb.Architecture:
    return hb.Architecture(
        widths=[int(2 ** rng.uniform(3, 7.5))] * int(rng.integers(1, 4)),
        learning_rate=float(10 ** rng.uniform(-3.3, -1.7)),
        dropout=float(rng.choice([0.0, rng.uniform(0.0, 0.4)])),
        weight_decay=float(10 ** rng.uniform(-4, -1)),
        batch_size=int(rng.choice([64, 128, 256])),
        activation=str(rng.choice(["relu", "silu", "tanh"])),
        label_smoothing=float(rng.choice([0.0, 0.1])),
    )


def choices(predictions: NDArray[np.float32], y: Rows) -> Iterator[tuple[str, list[int], list[float]]]:
    """Ways to choose an ensemble for accuracy: name, who, with what weight."""
    accuracy = metric("accuracy", "classification")
    alone = [accuracy.loss(y, p.astype(np.float64)) for p in predictions]
    best = int(np.argmin(alone))
    by_itself = metric(lambda y, p: accuracy.score(y, p), "classification")
    yield "single", [best], [1.0]
    for name, found in {
        "accuracy": select(predictions, y, by_itself, start=[best]),
        "log loss": select(predictions, y, metric("log_loss", "classification")),
        "Brier score": select(predictions, y, accuracy),
    }.items():
        yield name, list(found.chosen), list(found.weights)
    top = np.argsort(alone, kind="stable")[:10].tolist()
    yield "mean of ten", top, [0.1] * 10


def measure(name: str, candidates: Candidates, n_rows: int, draws: int) -> dict[str, Any]:
    """Accuracy on new rows by way, and what the rows that chose said before."""
    accuracy, pool = metric("accuracy", "classification"), min(POOL, len(candidates.y) // 2)
    new, truth = candidates.predictions[:, pool:], candidates.y[pool:]
    found: dict[str, list[float]] = {}
    for draw in range(draws):
        rows = np.random.default_rng(draw).choice(pool, n_rows, replace=False)
        predictions, y = candidates.predictions[:, rows], candidates.y[rows]
        for way, chosen, weights in choices(predictions, y):
            score = accuracy.score(truth, mean_prediction([new[k] for k in chosen], weights))
            found.setdefault(way, []).append(score)
        found.setdefault("claimed", []).append(select(predictions, y, accuracy).score)
        found.setdefault("cross", []).append(accuracy.score(y, cross_predict(predictions, y, accuracy)))
    return {"table": name, "rows": n_rows, "draws": draws, **{way: float(np.mean(s)) for way, s in found.items()}}


@click.command("ensembles")
@click.option("--tables", default=",".join(TABLES), show_default=True, help="Names, with commas between them.")
@click.option("--networks", type=click.IntRange(4), default=NETWORKS, show_default=True)
@json_option
def main(tables: str, networks: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    unknown = sorted(set(tables.split(",")) - set(TABLES))
    if unknown:
        raise click.BadParameter(f"unknown table {unknown[0]!r}; known are {', '.join(TABLES)}", param_hint="--tables")
    found, header = [], False
    for name in tables.split(","):
        if TABLES[name][0] and not (DATA / TABLES[name][0]).is_file():
            click.echo(f"{name}: no file {DATA / TABLES[name][0]}; set HYPERBAND_DATA")
            continue
        candidates = train(name, networks)
        for n_rows, draws in DRAWS.items():
            if n_rows > len(candidates.y) // 2:
                continue
            record = measure(name, candidates, n_rows, draws)
            found.append(record)
            ways = [key for key in record if key not in ("table", "rows", "draws")]
            if not header:
                click.echo(f"{'table':<14}{'rows':>6}" + "".join(f"{way:>13}" for way in ways))
                header = True
            click.echo(f"{name:<14}{n_rows:>6}" + "".join(f"{record[way]:>13.4f}" for way in ways))
    records.write(json_file, {"records": found})
