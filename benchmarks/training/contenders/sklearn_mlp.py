"""One ``MLPClassifier`` after another, an epoch a call of ``partial_fit``."""

from __future__ import annotations

import warnings

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.training.contenders.base import LoopContender, Session
from benchmarks.training.workloads import Layers, Task


class _Session(Session):
    def __init__(self, task: Task, threads: int) -> None:
        from sklearn.neural_network import MLPClassifier
        from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

        self._task, self._epoch, self._networks = task, 0, []
        self._threads, self._pools = threads, ThreadpoolController()
        for member, n in enumerate(task.networks):
            network = MLPClassifier(
                hidden_layer_sizes=n.widths,
                activation=n.activation,
                solver="adam",
                alpha=0.0,
                batch_size=min(n.batch_size, len(task.x)),
                learning_rate_init=n.learning_rate,
                beta_1=n.beta1,
                beta_2=n.beta2,
                epsilon=n.epsilon,
                shuffle=False,  # rows come in the common order
            )
            with warnings.catch_warnings():  # one row is less than a batch
                warnings.simplefilter("ignore", UserWarning)
                network.partial_fit(task.x[:1], task.y[:1], classes=np.arange(task.n_classes))
            layers = task.initial(member)
            network.coefs_ = [w.copy() for w, _ in layers]
            network.intercepts_ = [b.copy() for _, b in layers]
            network._optimizer = AdamOptimizer(
                network.coefs_ + network.intercepts_, n.learning_rate, n.beta1, n.beta2, n.epsilon
            )
            self._networks.append(network)

    def train(self) -> None:
        for member, network in enumerate(self._networks):
            order = self._task.order(member, self._epoch)
            with self._pools.limit(limits=self._threads):
                network.partial_fit(self._task.x[order], self._task.y[order])
        self._epoch += 1

    def weights(self, member: int) -> Layers:
        network = self._networks[member]
        return list(zip(network.coefs_, network.intercepts_, strict=True))


class Sklearn(LoopContender):
    """A loop over networks."""

    name = "scikit-learn MLPClassifier"
    activations = ("relu", "tanh")
    tolerance = 0.05  # it adds epsilon before the correction of the second moment, which alone is worth 0.02

    def share(self, task: Task) -> tuple[int, int]:
        return self.fewer(task, 8)

    def start(self, task: Task) -> Session:
        return _Session(task, self.threads)
