"""Hyperband (R = 81, eta = 3) on digits: the numbers of the plan, and the same bits however it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import hyperband_81_3
import processors
import pytest

from hyperband.engine.backends import registry

ROOT = Path(__file__).parents[2]
ISAS = ("portable", "avx2", "avx512", "neon")

MISSING = registry.available()["native"]
needs_native = pytest.mark.skipif(bool(MISSING), reason=f"bits are promised by the compiled engine only: {MISSING}")

CODE = """
import hashlib, json, sys
import numpy as np
import hyperband as hb
from hyperband.engine.backends import registry

algorithm, compute = hb.Hyperband(int(sys.argv[1]), 3), hb.Compute(backend="native")
space = hb.Space({  # small networks, so that a hundred times slower is still fast enough
    "n_layers": hb.Int(1, 4), "width": hb.Int(16, 128, log=True), "activation": hb.Choice(["relu", "gelu", "tanh"]),
    "optimizer": hb.Choice(["adamw", "sgd"]), "learning_rate": hb.Float(1e-3, 1e-2, log=True),
    "batch_size": hb.Choice([16, 32, 64, 128]), "dropout": hb.Choice([0.0, 0.2]),
    "weight_decay": hb.Float(1e-6, 1e-1, log=True), "schedule": hb.Choice(["cosine", "exponential"]),
    "view": hb.Choice(["standard", "robust"]),
})
result = hb.search(
    "sklearn:digits", space=space, algorithm=algorithm, seed=0, validation=0.2, test=0.2, compute=compute
)
bits = hashlib.sha256()
for name in ("trial", "bracket", "rung", "resource", "loss"):
    bits.update(np.ascontiguousarray(result.trials[name]).tobytes())
for weights, bias in result.best.network.members[0].weights:
    bits.update(weights.tobytes() + bias.tobytes())
bits.update(result.model.predict_proba("sklearn:digits").tobytes())
engine = registry.get("native").describe()
print(json.dumps({"bits": bits.hexdigest(), "evaluations": result.n_evaluations, "networks": result.n_configurations,
                  "epochs": result.cost, "test": result.test["accuracy"], "engine": dict(engine)}))
"""


@cache
def run(max_resource=81, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HYPERBAND_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(max_resource)],
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=850,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


@needs_native
def test_numbers_of_the_plan():
    report = run(HYPERBAND_THREADS="2")
    assert (report["evaluations"], report["networks"], report["epochs"]) == hyperband_81_3.TOTALS
    assert report["test"] > 0.95


@needs_native
def test_one_thread_and_two_give_the_same_bits():
    assert run(HYPERBAND_THREADS="1")["bits"] == run(HYPERBAND_THREADS="2")["bits"]


@needs_native
@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set_gives_the_same_bits(isa, ran_elsewhere):
    # The portable build does its fused multiply-adds one by one in software, a hundred times slower.
    top = 9 if isa == "portable" else 81
    report = run(top, HYPERBAND_THREADS="2", HYPERBAND_ISA=isa)
    if not processors.has(isa):
        assert isinstance(report, str) and isa in report.strip().splitlines()[-1].lower(), report
        pytest.skip(f"this machine has no {isa}, and the search says so: {report.strip().splitlines()[-1]}")
    assert not isinstance(report, str), report
    assert isa in json.dumps(report["engine"]).lower().replace("-", "")
    assert report["bits"] == run(top, HYPERBAND_THREADS="2")["bits"]
    ran_elsewhere[f"native {isa}"] += 1


@needs_native
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_portable_build_gives_the_same_bits_in_a_longer_search():
    """Four brackets, up to four rungs; with R = 81 it would take a third of the time of all tests."""
    report = run(27, HYPERBAND_THREADS="2", HYPERBAND_ISA="portable")
    assert report["bits"] == run(27, HYPERBAND_THREADS="2")["bits"]
