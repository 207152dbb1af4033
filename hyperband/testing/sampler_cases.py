"""Every kind of space, a loss, and the two ways in which a run drives a proposer: what the sampler contract runs on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hyperband.space import Choice, Float, Int, Points, Repeat, Space, When
from hyperband.tuning.samplers.base import Proposer, Sampler
from hyperband.tuning.trial import Loss

#: A loss of a trial and its point.
Objective = Callable[[int, Any], Loss]
#: Exchanges a proposer for one that continues from its state.
Checkpoint = Callable[[Any], Any]

SPACES = {
    "continuous": Space({"x": Float(0.0, 1.0, default=0.3, prior="high"), "rate": Float(1e-4, 1.0, log=True)}),
    "conditions": Space(
        {
            "kind": Choice(["a", "b"], prior=[1, 2]),
            "x": Float(0.0, 1.0),
            "only_b": Float(0.0, 1.0, prior="low"),
            "n": Int(1, 100, log=True),
        },
        conditions=[When("only_b", "kind", "b")],
    ),
    "constraint": Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"]),
    "discrete": Space({"n": Int(1, 6), "kind": Choice(["a", "b", "c"])}, constraints=["n > 1 or kind == 'a'"]),
    "nested": Space(
        {"layers": Repeat(0, 3, {"width": Int(8, 512, log=True), "drop": Float(0.0, 0.5)}), "x": Int(1, 9)}
    ),
    "one level": Space({"fixed": "value", "only": Choice(["one"]), "one": Int(3, 3), "x": Float(0.0, 1.0)}),
}
#: What "discrete" allows, written out.
DISCRETE = frozenset((n, kind) for n in range(1, 7) for kind in "abc" if n > 1 or kind == "a")


def loss_of(trial: int, point: Any) -> float:
    """Some loss: a bowl, NaN for one trial in seven."""
    return math.nan if trial % 7 == 3 else float(np.nansum((point - 0.4) ** 2))


def through_json(state: Any) -> Any:
    """What a file would give back; refuses NaN and everything that is not plain data."""
    return json.loads(json.dumps(state, allow_nan=False))


def propose_all(
    proposer: Proposer, n: int, rng: np.random.Generator | None = None, checkpoint: Checkpoint | None = None
) -> Points:
    """Propose for trials 0 .. n - 1 and tell a loss for each, as a run does for a proposer that learns nothing.

    ``rng`` varies how many are asked for at a time and the order of the results.
    """
    rows: list[Any] = []
    waiting: list[tuple[int, Any]] = []
    while len(rows) < n and not proposer.exhausted:
        size = n - len(rows) if rng is None else int(rng.integers(1, n - len(rows) + 1))
        points = proposer.propose(range(len(rows), len(rows) + size), [1] * size)
        assert len(points) <= size, f"`propose` gave {len(points)} points for {size} trials"
        waiting += [(len(rows) + i, row) for i, row in enumerate(points)]
        rows += list(points)
        assert waiting or proposer.exhausted, "`propose` gave nothing, no result is awaited, and `exhausted` is False"
        if rng is not None:
            rng.shuffle(waiting)
        count = len(waiting) if rng is None else int(rng.integers(0, len(waiting) + 1))
        if len(points) < size:  # it waits for results
            count = len(waiting)
        for trial, row in waiting[:count]:
            proposer.tell(trial, 1, loss_of(trial, row))
        waiting = waiting[count:]
        if checkpoint is not None:
            proposer = checkpoint(proposer)
    return np.array(rows)


def propose_in_batches(
    proposer: Proposer,
    n: int,
    rng: np.random.Generator | None = None,
    checkpoint: Checkpoint | None = None,
    loss: Objective = loss_of,
) -> Points:
    """Propose for trials 0 .. n - 1, as a run with a synchronous scheduler does for a proposer that learns.

    New trials up to the next multiple of ``proposer.batch``, once all earlier ones have a result; results in the order
    of their trials. The first results of a batch are at resource 1, or 3 in every third batch; a third of the batch
    continues to three times as much. ``rng`` varies how many are asked for at a time and in what order results arrive;
    like a run, this function sorts them.
    """
    rows: list[Any] = []
    batch = proposer.batch
    while len(rows) < n and not proposer.exhausted:
        first, resource = len(rows), 3 if len(rows) // batch % 3 == 2 else 1
        stop = min(n, first + batch - first % batch)
        while len(rows) < stop and not proposer.exhausted:
            size = stop - len(rows) if rng is None else int(rng.integers(1, stop - len(rows) + 1))
            points = proposer.propose(range(len(rows), len(rows) + size), [resource] * size)
            assert len(points) or proposer.exhausted, "`propose` gave nothing within a batch, and `exhausted` is False"
            rows += list(points)
            proposer = checkpoint(proposer) if checkpoint else proposer
        results = [(resource, trial, loss(trial, rows[trial])) for trial in range(first, len(rows))]
        best = sorted(results, key=lambda r: np.nan_to_num(np.ravel(r[2])[0], nan=9e9))[: len(results) // 3]
        results += [(3 * resource, trial, value) for _, trial, value in best]
        if rng is not None:
            rng.shuffle(results)
        for at, trial, value in sorted(results, key=lambda r: r[:2]):
            proposer.tell(int(trial), at, value)
            proposer = checkpoint(proposer) if checkpoint else proposer
    return np.array(rows)


def proposed(
    sampler: Sampler,
    space: Space,
    seed: int,
    n: int,
    rng: np.random.Generator | None = None,
    checkpoint: Checkpoint | None = None,
) -> Points:
    """Points of up to ``n`` trials, driven the way in which a run drives this sampler."""
    proposer = sampler.start(space, seed)
    way = propose_in_batches if proposer.batch else propose_all
    return way(proposer, n, rng, checkpoint)
