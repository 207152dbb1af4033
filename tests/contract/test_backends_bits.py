"""The same bits on every backend (see `hyperband.testing.backend_bits`), after Ctrl-C, on every instruction set."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

import processors
import pytest
from every_backend import OnEveryBackend

from hyperband.engine.backends.base import Backend
from hyperband.testing import lab
from hyperband.testing.backend_bits import BitChecks


class TestBits(OnEveryBackend, BitChecks):
    pass


@pytest.mark.parametrize("backend", ["numpy", "numba"], indirect=True)
def test_an_interrupt_leaves_every_member_at_a_step(backend: Backend) -> None:
    """Ctrl-C in the middle: soon obeyed, and continuing gives the bits of a run that was never interrupted."""
    lab.train(*(lambda e: (e, e.add(lab.members(lab.MIXED))))(lab.engine(backend)), 3)  # compiled, if need be
    made, whole = (lab.engine(backend, threads=2) for _ in range(2))
    ids, whole_ids = made.add(lab.members(lab.MIXED)), whole.add(lab.members(lab.MIXED))
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lab.train(made, ids, 10**7)
    assert time.monotonic() - begin < 2.0
    steps = made.progress(ids).step
    assert steps.max() > 0
    made.train(ids, steps + 9)
    whole.train(whole_ids, steps, evaluate=False)
    whole.train(whole_ids, steps + 9)
    without = ("scores", "counters", "best.")
    assert lab.digests(made, ids, without=without) == lab.digests(whole, whole_ids, without=without)


_ISA_SCRIPT = """
from hyperband.engine.backends import registry
from hyperband.testing import lab
for loss in ("cross_entropy", "logistic", "mse", "huber:0.3", "quantile:0.9"):
    made = lab.engine(registry.get("native"), loss, weighted=True, rows=75, inputs=21)
    ids = made.add(lab.members([*lab.EVERY, *lab.same_shape(lab.MIXED[2]), *lab.same_shape(lab.MIXED[4])]))
    lab.train(made, ids, 25)
    print(*lab.digests(made, ids))
print("isa", registry.get("native").describe())
"""


@cache
def _run_with(isa: str) -> str:
    environment = {**os.environ, "HYPERBAND_ISA": isa, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", _ISA_SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert isa in done.stdout.splitlines()[-1], "the engine must say that it uses the set asked for"
    return done.stdout.rsplit("isa", 1)[0]


@pytest.mark.parametrize("isa", ["avx2", "avx512", "neon"])
def test_instruction_sets_give_the_same_bits(native: Backend, ran_elsewhere: Counter[str], isa: str) -> None:
    if not processors.has(isa):
        pytest.skip(f"this processor has no {isa}")
    assert _run_with(isa) == _run_with("portable")
    for each in (isa, "portable"):
        ran_elsewhere[f"native {each}"] += 3
