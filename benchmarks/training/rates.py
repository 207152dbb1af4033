"""How fast the native engine trains given networks: useful flops per second, medians of several epochs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import click
import numpy as np

from benchmarks.training.workloads import flops_per_row
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import I64, Engine, EngineSettings, Member, Split
from hyperband.engine.losses import parse


def table(loss: str, n_rows: int, n_inputs: int, n_outputs: int) -> Split:
    """Random data of a shape; their values do not matter for speed."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_rows, n_inputs)).astype(np.float32)
    if parse(loss).regression:
        return Split(x, rng.normal(size=(n_rows, n_outputs)).astype(np.float32))
    return Split(x, rng.integers(0, max(2, n_outputs), n_rows).astype(np.int32))


def steps_of(networks: Sequence[Architecture], n_rows: int) -> I64:
    """Optimiser steps of an epoch, by network."""
    return np.array([-(-n_rows // n.batch_size) for n in networks], dtype=np.int64)


def population(engine: Engine, networks: Sequence[Architecture]) -> I64:
    """Add networks to the engine, for more epochs than any benchmark trains; returns their ids."""
    return engine.add([Member(n, i, 2**40) for i, n in enumerate(networks)])


def seconds_per_epoch(engine: Engine, ids: I64, steps: I64, seconds: float) -> float:
    """Median over the epochs that fit into ``seconds``, at least three, after one that is not timed."""
    times: list[float] = []
    began = time.perf_counter()
    done = engine.progress(ids).step
    while len(times) < 4 or time.perf_counter() - began < seconds:
        done = done + steps
        start = time.perf_counter()
        engine.train(ids, done, evaluate=False)
        times.append(time.perf_counter() - start)
    return median(times[1:])


def gflops(networks: Sequence[Architecture], data: Split, loss: str, n_outputs: int, *, seconds: float = 0.3) -> float:
    """GFLOP/s of one thread on these networks."""
    engine = registry.get("native").engine(data, None, loss, n_outputs, EngineSettings(threads=1))
    ids = population(engine, networks)
    flops = sum(flops_per_row(n, data.x.shape[1], n_outputs) for n in networks) * len(data.x)
    return flops / seconds_per_epoch(engine, ids, steps_of(networks, len(data.x)), seconds) / 1e9


def fma_peak(threads: int = 1) -> float | None:
    """Flops per second of so many threads in fused multiply-adds, None without the compiled engine."""
    try:
        from hyperband import _core
    except ImportError:
        return None
    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(_core.fma_peak, [0.2] * threads)) for _ in range(5))


def needed_peak() -> float:
    """`fma_peak` of one thread, or an error that says what is missing."""
    peak = fma_peak()
    if peak is None:
        raise click.ClickException("The compiled engine must be there; `hyperband info` says why it is not.")
    return peak
