"""Hashes of states on the GPU and on the CPU, and a short search for compute-sanitizer to watch.

``python -m benchmarks.gpu.states hashes|short|facts [--stand-in]`` prints its findings as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np

import hyperband as hb
from benchmarks.gpu import tasks as gpu_tasks
from hyperband.engine.backends import registry
from hyperband.engine.losses import LOSSES, parse
from hyperband.errors import BackendUnavailable
from hyperband.evaluation.networks.datasets import OneDataset
from hyperband.evaluation.networks.evaluator import NetworkEvaluator
from hyperband.interface.carry_out import carry_out
from hyperband.testing import lab

#: Steps and rows by population: short last batches, several epochs, evaluations between them.
CASES = {
    "mixed": (lab.MIXED, 40, 53),
    "large": (lab.LARGE, 12, 300),
    "same shape": (lab.same_shape(lab.MIXED[2]), 20, 53),
}


def states(backend: str, case: str, loss: str, steps: int) -> list[str]:
    """A hash over every bit of each member's state after training, paused once on the way."""
    networks, _, rows = CASES[case]
    if parse(loss).regression:
        networks = [replace(n, label_smoothing=0.0) for n in networks]
    engine = lab.engine(registry.get(backend), loss, rows=rows, weighted=True, threads=None)
    ids = engine.add(lab.members(networks, steps))
    lab.train(engine, ids, steps // 2)
    lab.train(engine, ids, steps)
    found: list[str] = lab.digests(engine, ids)
    return found


def hashes(share: float) -> dict[str, Any]:
    """Hashes of both backends and whether they are equal, member by member; ``share`` shortens the training."""
    found: dict[str, Any] = {"equal": True, "states": 0, "populations": {}}
    for case, (_, steps, _) in CASES.items():
        for loss in LOSSES if case == "mixed" else LOSSES[:1]:
            count = max(2, round(steps * share))
            cuda, native = (states(backend, case, loss, count) for backend in ("cuda", "native"))
            found["populations"][f"{case}, {loss}, {count} steps"] = {"cuda": cuda, "native": native}
            found["equal"] &= cuda == native
            found["states"] += len(cuda)
    return found


class _Rows:
    """What `NetworkEvaluator` reads of prepared data."""

    def __init__(self) -> None:
        train, held_out = lab.split("cross_entropy", 120), lab.split("cross_entropy", 31, seed=1)
        self.x_train, self.y_train, self.weight_train = train.x, train.y, None
        self.x_validation, self.y_validation, self.weight_validation = held_out.x, held_out.y, None
        self.loss, self.n_outputs = "cross_entropy", lab.N_OUTPUTS["cross_entropy"]
        self.scale, self.n_numbers = (1.0,), 0


def short() -> dict[str, Any]:
    """A mixed population for a few steps, a large network for two, and a Hyperband of 22 evaluations."""
    trained = len(states("cuda", "mixed", "cross_entropy", 4)) + len(states("cuda", "large", "cross_entropy", 2))
    space = hb.Space({"width": hb.Int(4, 24), "batch_size": hb.Choice([16, 50]), "dropout": hb.Choice([0.0, 0.3])})
    evaluator = NetworkEvaluator(OneDataset(_Rows()), registry.get("cuda"), max_resource=9.0)
    result = carry_out(hb.Hyperband(9).start(space, 0), evaluator)
    evaluator.close()
    losses = np.isfinite(result.trials["loss"])
    return {"states": trained, "evaluations": result.n_evaluations, "finite_losses": int(losses.sum())}


def main(arguments: list[str]) -> int:
    """Print what was asked for; 1 when hashes differ, 2 without a GPU."""
    if "--stand-in" in arguments:
        gpu_tasks.stand_in()
    try:
        if "hashes" in arguments:
            found = hashes(0.2 if "--stand-in" in arguments else 1.0)
        else:
            found = short() if "short" in arguments else gpu_tasks.device()
    except BackendUnavailable as error:
        print(f"no GPU: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0 if found.get("equal", True) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
