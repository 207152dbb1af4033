"""How fast networks train here: measured on one of them for a moment."""

from __future__ import annotations

import math
import time

import numpy as np

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, EngineSettings, Member
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.population import steps_per_epoch
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.datasets import Datasets, Table
from hyperband.evaluation.networks.training import Training

#: Seconds of a measurement, and the part of the whole time that it may take.
SECONDS, PART = 0.5, 0.02


def work_of_epoch(
    architecture: Architecture, n_rows: int, n_inputs: int, n_outputs: int, numbers: int | None = None
) -> float:
    """Multiplications of one pass over the rows, about: a third of what its training takes.

    The first ``numbers`` columns are numbers; None: all of them.

    Examples
    --------
    >>> work_of_epoch(Architecture(widths=[16], batch_size=10), 100, 4, 1)
    9700.0
    """
    rows = steps_per_epoch(architecture, n_rows) * architecture.batch_size
    return float(rows * architecture.n_parameters(n_inputs, n_outputs, numbers))


def measured_speed(table: Table, backend: Backend, compute: Compute, architecture: Architecture, limit: float) -> float:
    """Work a second (see `work_of_epoch`) of all threads together, training networks of this architecture.

    Parameters
    ----------
    limit : float, seconds of the whole search, of which this takes a small part
    """
    datasets = Datasets(table, Training(), 1.0, 0)
    dataset = datasets.of(0)
    n_outputs = dataset.data.n_outputs
    engine = backend.engine(
        dataset.train, dataset.validation, dataset.loss, n_outputs,
        EngineSettings(compute.threads, compute.precision, compute.device_memory),
    )  # fmt: skip
    n = 2 * thread_count(compute.threads)
    ids = engine.add([Member(architecture, seed, 1_000_000) for seed in range(n)])
    seconds = min(SECONDS, PART * limit)
    engine.train(ids, np.ones(n, dtype=np.int64), evaluate=False)  # warm
    before = engine.progress(ids).step.sum()
    began = time.monotonic()
    until = np.full(n, 1_000_000, dtype=np.int64)
    engine.train(ids, until, evaluate=False, seconds=seconds)
    spent = time.monotonic() - began
    steps = int(engine.progress(ids).step.sum() - before)
    if steps == 0 or spent <= 0.0:
        return math.nan
    return steps * architecture.batch_size * dataset.n_parameters(architecture) / spent
