"""Ingredients that the engine does not have: what they would change, tried on single networks in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.accuracy import left_out_report, runs
from benchmarks.accuracy.benchmark import named, numbers
from benchmarks.accuracy.contenders.ours import labels
from benchmarks.accuracy.left_out_report import BASE
from benchmarks.accuracy.tasks import load
from benchmarks.accuracy.torch_network import MEMBERS, Variant, predictions
from hyperband.engine.network_space import default_space, to_architecture
from hyperband.tables import Prepared, prepare_table

MEAN = f"mean of {MEMBERS} networks"
VARIANTS: Mapping[str, Variant] = {
    BASE: Variant(),
    "layer normalisation": Variant(normalised=True),
    "residual layers": Variant(residual=True),
    "initialisation from data": Variant(from_data=True),
    "embeddings of categories": Variant(embedded=True),
    f"BatchEnsemble of {MEMBERS}": Variant(members=MEMBERS),
    MEAN: Variant(),
}
#: Passes over the rows; about as many as a network of the default search gets in a minute.
EPOCHS = {
    "phoneme": 60, "jungle_chess": 15, "adult": 12, "higgs-11k": 20, "connect-4": 10, "california-housing": 30,
    "protein": 15, "car": 60, "segment": 60,
}  # fmt: skip
WEIGHT_DECAYS = (0.02, 0.3)


@click.command("left-out")
@click.option("--sets", help="Names separated by commas, or all.")
@click.option("--variants", help="Names separated by commas; all when not given.")
@click.option("--seeds", default="0", show_default=True, callback=numbers, help="Separated by commas.")
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), default=runs.LEFT_OUT_FILE)
@click.option("--report", "only_report", is_flag=True, help="Measure nothing, print the table.")
def main(sets: str | None, variants: str | None, seeds: list[int], threads: int, file: Path, only_report: bool) -> None:
    """See `benchmarks.__main__`."""
    if not only_report:
        import torch

        torch.set_num_threads(threads)
        chosen = named(variants, list(VARIANTS), list(VARIANTS), "variant")
        done = {(r["set"], r["variant"], r["weight_decay"], r["seed"]) for r in runs.read(file)}
        for name in named(sets, list(EPOCHS), list(EPOCHS), "set"):
            for variant in chosen:
                todo = [(d, s) for d in WEIGHT_DECAYS for s in seeds if (name, variant, d, s) not in done]
                for decay, seed in todo:
                    runs.append(file, measured(name, variant, decay, seed))
    click.echo(left_out_report.text(runs.read(file)))


def measured(name: str, variant: str, weight_decay: float, seed: int) -> dict[str, Any]:
    """Train on the training rows of a table; a line with the share of wrong answers on its test rows, or their RMSE."""
    task = load(name)
    test = (task.x_test, labels(replace(task, y_train=task.y_test)))
    prepared = prepare_table(task.x_train, labels(task), validation=test)
    data = prepared.dataset("bins" if "bins" in prepared.views else prepared.views[-1])
    seeds = range(MEMBERS * seed, MEMBERS * (seed + 1)) if variant == MEAN else [MEMBERS * seed]
    outputs = [_predicted(data, name, VARIANTS[variant], weight_decay, s) for s in seeds]
    mean, truth = np.mean(outputs, axis=0), data.y_validation
    regret = np.mean(mean.argmax(1) != truth) if data.classes else np.sqrt(np.mean((mean - truth) ** 2)) * data.scale[0]
    return {
        "set": name, "variant": variant, "weight_decay": weight_decay, "seed": seed, "epochs": EPOCHS[name],
        "regret": float(regret),
    }  # fmt: skip


def _predicted(data: Prepared, name: str, variant: Variant, weight_decay: float, seed: int) -> Any:
    columns = enumerate(data.feature_names)
    space = default_space(*data.x_train.shape, data.n_outputs, data.loss)
    recipe = replace(to_architecture(space.defaults()), weight_decay=weight_decay)
    one_hot = [(i, feature.partition("=")[0]) for i, feature in columns if "=" in feature]
    groups = [[i for i, _ in group] for _, group in groupby(one_hot, key=lambda pair: pair[1])]
    return predictions(
        variant, recipe, data.x_train, data.y_train, data.x_validation, groups, n_outputs=len(data.classes),
        epochs=EPOCHS[name], seed=seed,
    )  # fmt: skip
