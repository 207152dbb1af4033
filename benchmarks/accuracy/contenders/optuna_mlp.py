"""Multi-layer perceptrons in PyTorch, searched by Optuna: TPE, and Hyperband as pruner.

One process a thread works on one study: networks this small gain little from a second thread of PyTorch.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from torch import nn

from benchmarks.accuracy.contenders.base import Allowance, Fitted, dense, held_out
from benchmarks.accuracy.measures import figures, regret
from benchmarks.accuracy.tasks import Task

MOST_EPOCHS, ETA, EVALUATED_AT_A_TIME = 81, 3, 8192
ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "gelu": nn.GELU}
#: Before the end of the budget, in seconds: results are collected.
RESERVE = 0.7


@dataclass
class Found:
    """The best network of one process, and what it did."""

    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    rank: tuple[float, float] = (np.inf, np.inf)  #: wrong answers and log loss, or RMSE twice
    epochs: int = 0
    trials: int = 0


class Data:
    """The table as tensors."""

    def __init__(self, task: Task) -> None:
        frame, frame_validation, y, self.y_validation = held_out(task, task.x_train, task.y_train)
        self.features, self.n_classes = dense(task), len(task.classes)
        self.x = _tensor(self.features.fit_transform(frame))
        self.x_validation = _tensor(self.features.transform(frame_validation))
        self.mean, self.scale = (0.0, 1.0) if self.n_classes else (float(y.mean()), float(y.std()))
        self.y = torch.from_numpy(y) if self.n_classes else _tensor((y - self.mean) / self.scale)

    def loss(self, outputs, y):
        """Cross-entropy or squared error."""
        if self.n_classes:
            return nn.functional.cross_entropy(outputs, y)
        return nn.functional.mse_loss(outputs.squeeze(1), y)

    def network(self, settings):
        """A network with these settings."""
        layers, width = [], self.x.shape[1]
        for _ in range(settings["depth"]):
            layers += [nn.Linear(width, settings["width"]), ACTIVATIONS[settings["activation"]]()]
            layers += [nn.Dropout(settings["dropout"])] if settings["dropout"] > 0 else []
            width = settings["width"]
        return nn.Sequential(*layers, nn.Linear(width, self.n_classes or 1))

    @torch.no_grad()
    def predict(self, network, x):
        """Probabilities, or values in original units."""
        network.eval()
        outputs = torch.cat([network(part) for part in x.split(EVALUATED_AT_A_TIME)])
        if self.n_classes:
            return outputs.softmax(1).numpy()
        return outputs.squeeze(1).numpy() * self.scale + self.mean


def _tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _suggest(trial):
    return {
        "depth": trial.suggest_int("depth", 1, 4),
        "width": trial.suggest_int("width", 16, 256, log=True),
        "activation": trial.suggest_categorical("activation", list(ACTIVATIONS)),
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 3e-2, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "weight_decay": trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [64, 128, 256, 512, 1024]),
    }


class Search:
    """One process: trials until the time is over."""

    def __init__(self, data: Data, given: Allowance) -> None:
        self._data, self._given, self.found = data, given, Found()

    def over(self) -> bool:
        """Whether the time is over."""
        return self._given.remaining() < RESERVE

    def objective(self, trial):
        """The regret of the best epoch of a network."""
        settings = _suggest(trial)
        network = self._data.network(settings)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
        )
        best = np.inf
        for epoch in range(1, MOST_EPOCHS + 1):
            self._train(network, optimizer, settings["batch_size"])
            best = min(best, self._evaluate(network, settings))
            if self.over():
                break
            trial.report(best, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return best

    def _train(self, network, optimizer, batch_size):
        network.train()
        for step, rows in enumerate(torch.randperm(len(self._data.x)).split(batch_size)):
            optimizer.zero_grad(set_to_none=True)
            self._data.loss(network(self._data.x[rows]), self._data.y[rows]).backward()
            optimizer.step()
            if step % 20 == 0 and self.over():
                return
        self.found.epochs += 1

    def _evaluate(self, network, settings):
        predicted = self._data.predict(network, self._data.x_validation)
        if not np.isfinite(predicted).all():
            raise optuna.TrialPruned
        seen = figures(self._data.y_validation, predicted, self._data.n_classes)
        rank = regret(seen), seen.get("log_loss", regret(seen))
        if rank < self.found.rank:
            weights = {name: value.numpy().copy() for name, value in network.state_dict().items()}
            self.found.rank, self.found.settings, self.found.weights = rank, settings, weights
            self.found.validation = seen
        return rank[0]


def work(data: Data, given: Allowance, journal: str, number: int) -> Found:
    """One process on the study in ``journal``."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(given.seed + 1000 * number)
    search = Search(data, given)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(journal)),
        study_name="networks",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=given.seed + 1000 * number),
        pruner=optuna.pruners.HyperbandPruner(1, MOST_EPOCHS, ETA),
    )
    while not search.over():
        study.optimize(search.objective, n_trials=1)
        search.found.trials += 1
    return search.found


def _started(data: Data, given: Allowance, journal: str, number: int) -> tuple[Any, Any]:
    """A process that shares the table by its fork, and the end of the pipe on which it sends what it found."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(work(data, given, journal, number)))
    process.start()
    sender.close()
    return process, receiver


def fit(task: Task, given: Allowance) -> Fitted:
    """See `Contender`."""
    torch.set_num_threads(1)  # nothing must have started OpenMP's threads before the fork
    data = Data(task)
    with tempfile.TemporaryDirectory() as folder:
        journal = str(Path(folder) / "journal")
        others = [_started(data, given, journal, number) for number in range(1, given.threads)]
        all_found = [work(data, given, journal, 0), *(receiver.recv() for _, receiver in others)]
        for process, _ in others:
            process.join()  # so that its processor time is known
    best = min(all_found, key=lambda found: found.rank)
    network = data.network(best.settings)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in best.weights.items()})
    about = {
        "networks": sum(found.trials for found in all_found),
        "epochs": sum(found.epochs for found in all_found),
        "best": best.settings,
    }
    return Fitted(lambda frame: data.predict(network, _tensor(data.features.transform(frame))), best.validation, about)
