"""A whole Hyperband with R = 27 on digits, beside what other libraries do with the same space, rows and epochs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.records import json_option
from hyperband.interface.search import Settings, search_prepared
from hyperband.tables import PreparedTable, prepare_table

R, ETA = 27, 3
#: A search with a smaller accuracy counts as failed.
ACCURACY = 0.93
WIDTHS = ("width_1", "width_2", "width_3")
SPACE = hb.Space(
    {
        "n_layers": hb.Int(1, 3),
        **{name: hb.Int(8, 256, log=True) for name in WIDTHS},
        "activation": hb.Choice(["relu", "tanh"]),
        "learning_rate": hb.Float(1e-4, 1e-1, log=True),
        "batch_size": hb.Choice([32, 64, 128]),
    }
)


@dataclass(frozen=True)
class Outcome:
    """Networks, passes over the training rows, and the best validation accuracy of a search."""

    networks: int
    epochs: float
    accuracy: float


def ours(table: PreparedTable, threads: int) -> Outcome:
    """Hyperband on the compiled engine."""
    settings = Settings(
        algorithm=hb.Hyperband(R, eta=ETA),
        space=SPACE,
        seed=0,
        training=hb.Training(rank_by="error"),
        compute=hb.Compute(threads=threads),
    )
    result = search_prepared(table, settings)
    return Outcome(
        result.n_configurations,
        float(hb.Hyperband(R, eta=ETA).plan().cost),
        1.0 - float(np.nanmin(result.trials["loss"])),
    )


def optuna_and_torch(data: Any, jobs: int) -> Outcome:
    """Optuna's HyperbandPruner over a training loop in PyTorch; a pruned network is never resumed."""
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    x, x_validation = (torch.as_tensor(a) for a in (data.x_train, data.x_validation))
    y, y_validation = (torch.as_tensor(a, dtype=torch.long) for a in (data.y_train, data.y_validation))
    epochs = 0

    def objective(trial: Any) -> float:
        nonlocal epochs
        torch.manual_seed(trial.number)
        network = _suggested_network(trial, x.shape[1], data.n_outputs)
        rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True)
        optimizer = torch.optim.Adam(network.parameters(), lr=rate)
        batch, accuracy = trial.suggest_categorical("batch_size", [32, 64, 128]), 0.0
        for epoch in range(1, R + 1):
            for rows in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
                optimizer.step()
            with torch.no_grad():
                accuracy = float((network(x_validation).argmax(1) == y_validation).float().mean())
            epochs += 1
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=R, reduction_factor=ETA),
    )
    study.optimize(objective, n_trials=49, n_jobs=jobs)
    best = max(value for trial in study.trials for value in trial.intermediate_values.values())
    return Outcome(len(study.trials), epochs, best)


def _suggested_network(trial: Any, n_inputs: int, n_outputs: int) -> Any:
    """A network of the space, its parameters suggested by the trial."""
    from torch import nn

    layers, width = [], n_inputs
    units = [trial.suggest_int(name, 8, 256, log=True) for name in WIDTHS]
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[trial.suggest_categorical("activation", ["relu", "tanh"])]
    for n in units[: trial.suggest_int("n_layers", 1, 3)]:
        layers += [nn.Linear(width, n), activation()]
        width = n
    return nn.Sequential(*layers, nn.Linear(width, n_outputs))


def scikit_learn(data: Any, jobs: int) -> Outcome:
    """One bracket of HalvingRandomSearchCV over MLPClassifier; each rung trains anew."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit
    from sklearn.neural_network import MLPClassifier

    grid = [
        {
            "hidden_layer_sizes": [tuple(c[name] for name in WIDTHS[: c["n_layers"]])],
            "activation": [c["activation"]],
            "learning_rate_init": [c["learning_rate"]],
            "batch_size": [c["batch_size"]],
        }
        for c in SPACE.decode(np.random.default_rng(0).random((200, SPACE.n_dimensions)))
    ]
    validated = np.r_[-np.ones(len(data.x_train)), np.zeros(len(data.x_validation))]
    search = HalvingRandomSearchCV(
        MLPClassifier(random_state=0, alpha=0), grid, n_candidates=27, factor=ETA, resource="max_iter", min_resources=1,
        max_resources=R, cv=PredefinedSplit(validated), refit=False, n_jobs=jobs, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(np.r_[data.x_train, data.x_validation], np.r_[data.y_train, data.y_validation])
    return Outcome(27, float(np.sum(search.cv_results_["n_resources"])), float(search.best_score_))


CONTENDERS: dict[str, Callable[[PreparedTable], Outcome]] = {
    "hyperband, 1 thread": lambda table: ours(table, 1),
    "hyperband, 2 threads": lambda table: ours(table, 2),
    "Optuna HyperbandPruner + PyTorch, 1 job": lambda table: optuna_and_torch(table.dataset("standard"), 1),
    "Optuna HyperbandPruner + PyTorch, 2 jobs": lambda table: optuna_and_torch(table.dataset("standard"), 2),
    "scikit-learn HalvingRandomSearchCV, 1 job": lambda table: scikit_learn(table.dataset("standard"), 1),
}


@click.command("search-peers")
@click.option("--turns", default=3, show_default=True, type=click.IntRange(min=1))
@json_option
def main(turns: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    table = prepare_table("sklearn:digits", seed=0)
    seconds: dict[str, list[float]] = {}
    outcomes: dict[str, Outcome] = {}
    for turn in range(turns + 1):  # the first one is not counted
        for name, run in CONTENDERS.items():
            began = time.perf_counter()
            try:
                outcomes[name] = run(table)
            except ImportError as reason:
                if turn == 0:
                    click.echo(f"{name}: left out, {reason}")
                continue
            if outcomes[name].accuracy < ACCURACY:
                raise click.ClickException(f"{name} found {outcomes[name]}, less than an accuracy of {ACCURACY}.")
            if turn > 0:
                seconds.setdefault(name, []).append(time.perf_counter() - began)
    best = median(seconds["hyperband, 2 threads"])
    click.echo(f"{'':<44}{'seconds':>9}{'times':>8}{'networks':>10}{'epochs':>8}{'accuracy':>10}")
    for name, taken in seconds.items():
        o = outcomes[name]
        figures = (
            f"{median(taken):>9.3f}{median(taken) / best:>8.1f}{o.networks:>10}{o.epochs:>8.0f}{o.accuracy:>10.3f}"
        )
        click.echo(f"{name:<44}{figures}")
    records.write(json_file, {"seconds": seconds, "outcomes": {n: vars(o) for n, o in outcomes.items()}})
