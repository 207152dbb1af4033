"""One network, one curve: no bit depends on threads, mates, order, pauses, the engine object or the instruction set."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import lab
import numpy as np
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, Engine, Member

STEPS = 15


def trained(backend: Backend, which: list[int], *, threads: int = 1, until: int = STEPS) -> tuple[Engine, list[str]]:
    made = lab.engine(backend, threads=threads, weighted=True)
    everyone = lab.members(lab.MIXED)
    ids = made.add([everyone[i] for i in which])
    lab.train(made, ids, until)
    return made, lab.digests(made, ids)


@pytest.fixture
def alone(backend: Backend) -> list[str]:
    """Digests of every member trained without company, in one go, on one thread."""
    return [trained(backend, [i])[1][0] for i in range(len(lab.MIXED))]


def test_mates_and_their_order_do_not_matter(backend: Backend, alone: list[str]) -> None:
    places = list(range(len(lab.MIXED)))
    assert trained(backend, places)[1] == alone
    assert trained(backend, places[::-1])[1] == alone[::-1]
    assert len(set(alone)) == len(alone)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_matter(backend: Backend, alone: list[str], threads: int) -> None:
    assert trained(backend, list(range(len(lab.MIXED))), threads=threads)[1] == alone


@pytest.mark.parametrize("which", [[0], [1], [2], [0, 1, 2]])
def test_threads_that_share_a_member_do_not_matter(backend: Backend, which: list[int]) -> None:
    def digests(threads: int, seconds: float | None) -> list[str]:
        made = lab.engine(backend, rows=300, inputs=40, weighted=True, threads=threads)
        ids = made.add([lab.members(lab.LARGE)[i] for i in which])
        while not lab.train(made, ids, 5, seconds=seconds).all():
            pass
        return lab.digests(made, ids)

    alone = digests(1, None)
    for threads, seconds in ((2, None), (3, 1e-6), (8, None)):
        assert digests(threads, seconds) == alone


def test_a_member_diverges_among_several_threads_as_it_does_alone(backend: Backend) -> None:
    digests = []
    for threads in (1, 4):
        made = lab.engine(backend, "mse", rows=300, inputs=40, threads=threads)
        wild = replace(lab.LARGE[2], learning_rate=1e6, optimizer="sgd", weight_decay=0.0)
        ids = made.add(lab.members([wild]))
        assert lab.train(made, ids, 20).all()
        assert made.progress(ids).diverged.all()
        digests.append(lab.digests(made, ids))
    assert digests[0] == digests[1]


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
@pytest.mark.parametrize("which", range(len(lab.MIXED)))
def test_twins_that_train_in_step_do_not_matter(backend: Backend, which: int, loss: str) -> None:
    """Many networks of one shape, together and alone, with pauses; some of the inputs, then all of them."""
    everyone = lab.members(lab.twins(replace(lab.MIXED[which], batch_size=min(lab.MIXED[which].batch_size, 40))))
    threads = 1 + which % 2

    def digests(who: list[Member], threads: int, seconds: float | None) -> list[str]:
        made = lab.engine(backend, loss, weighted=which % 2 == 0, inputs=18, threads=threads)
        ids = made.add(who)
        for until, inputs in ((4, 11), (9, 11), (STEPS, 18)):
            while not lab.train(made, ids, until, inputs=inputs, seconds=seconds).all():
                pass
        return lab.digests(made, ids)

    together = digests(everyone, threads, None if which % 3 else 1e-4)
    chosen = [0, 3, 15, 16, 20]
    assert [together[i] for i in chosen] == [digests([everyone[i]], 1, None)[0] for i in chosen]
    assert len(set(together)) == len(together)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_a_twin_that_diverges_moves_no_other(backend: Backend, loss: str) -> None:
    tame = Architecture(widths=[9, 4], activation="identity", optimizer="sgd", learning_rate=0.01, batch_size=10)
    networks = [replace(tame, learning_rate=1e6 if i in (0, 7) else 0.01 + 1e-4 * i) for i in range(16)]

    def trained(who: list[Member]) -> tuple[list[str], list[bool]]:
        made = lab.engine(backend, loss)
        ids = made.add(who)
        assert lab.train(made, ids, 30).all()
        return lab.digests(made, ids), made.progress(ids).diverged.astype(bool).tolist()

    together, diverged = trained(lab.members(networks))
    assert [i for i, gone in enumerate(diverged) if gone] == [0, 7]
    for i in (0, 1, 7, 15):
        assert trained([lab.members(networks)[i]])[0] == [together[i]]
    assert trained(lab.members(networks[:1] * 16))[1] == [True] * 16


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
def test_threads_over_the_rows_of_an_evaluation_do_not_matter(backend: Backend, loss: str) -> None:
    judged = lab.split(loss, 1000, weighted=True, seed=5)
    scores = []
    for threads in (1, 2, 5):
        made = lab.engine(backend, loss, threads=threads)
        ids = made.add(lab.members(lab.MIXED[:2]))
        lab.train(made, ids, STEPS)
        scores.append([made.evaluate(chosen, judged) for chosen in (ids, ids[:1])])
    for found in scores[1:]:
        np.testing.assert_array_equal(np.concatenate(found, axis=1), np.concatenate(scores[0], axis=1))


def test_seed_and_schedule_do_matter(backend: Backend) -> None:
    architecture = lab.MIXED[3]
    made = lab.engine(backend)
    ids = made.add([Member(architecture, seed, total) for seed, total in ((1, 40), (1 << 32, 40), (1, 41), (1, 40))])
    lab.train(made, ids, STEPS)
    first, other_seed, other_total, same = lab.digests(made, ids)
    assert first == same
    assert len({first, other_seed, other_total}) == 3


def test_a_rung_split_at_any_step_changes_nothing(backend: Backend) -> None:
    made = lab.engine(backend)
    for whole, split in zip(lab.members(lab.MIXED), lab.members(lab.MIXED), strict=True):
        ids = made.add([whole, split])
        lab.train(made, ids[:1], STEPS, evaluate=False)
        for step in range(1, STEPS + 1):
            lab.train(made, ids[1:], step, evaluate=False)
        assert lab.digest(made, ids[0]) == lab.digest(made, ids[1])


def test_quanta_of_time_change_nothing(backend: Backend, alone: list[str]) -> None:
    made = lab.engine(backend, weighted=True)
    ids = made.add(lab.members(lab.MIXED))
    arrived, calls = np.zeros(len(ids), bool), 0
    while not arrived.all():
        arrived = lab.train(made, ids, STEPS, seconds=1e-6)
        calls += 1
        assert calls < 10_000, "`seconds` must let every call do some work"
    assert calls > 1
    assert lab.digests(made, ids) == alone


def test_state_moves_to_a_fresh_engine(backend: Backend, alone: list[str]) -> None:
    """Paused in the middle of an epoch, written out, read into another engine among other ids."""
    old, new = lab.engine(backend, weighted=True), lab.engine(backend, weighted=True, threads=2)
    new.add(lab.members(lab.MIXED[:2]))
    ids = old.add(lab.members(lab.MIXED))
    lab.train(old, ids, 6, evaluate=False)
    whole = lab.engine(backend, weighted=True)
    whole_ids = whole.add(lab.members(lab.MIXED))
    lab.train(whole, whole_ids, 6, evaluate=False)
    lab.train(whole, whole_ids, STEPS)
    fresh = new.add(lab.members(lab.MIXED))
    for here, there in zip(ids.tolist(), fresh.tolist(), strict=True):
        state = {name: array.copy() for name, array in old.export_state(here).items()}
        new.import_state(there, state)
        assert lab.digest(new, there) == lab.digest(old, here)
        for array in state.values():
            array[...] = 0  # the engine keeps copies, never the caller's arrays
    lab.train(new, fresh, STEPS)
    assert lab.digests(new, fresh) == lab.digests(whole, whole_ids)


def test_evaluating_changes_no_weight(backend: Backend) -> None:
    made = lab.engine(backend)
    ids = made.add([m for pair in zip(lab.members(lab.MIXED), lab.members(lab.MIXED), strict=True) for m in pair])
    lab.train(made, ids[0::2], STEPS, evaluate=True)
    lab.train(made, ids[1::2], STEPS, evaluate=False)
    made.evaluate(ids, lab.split("cross_entropy", 10))
    made.predict(int(ids[0]), lab.split("cross_entropy", 10).x)
    without = ("scores", "counters", "best.")
    assert lab.digests(made, ids[0::2], without=without) == lab.digests(made, ids[1::2], without=without)


def test_a_diverging_member_moves_no_other(backend: Backend, alone: list[str]) -> None:
    bad = lab.Architecture(widths=[16], activation="relu", optimizer="sgd", learning_rate=1e6, batch_size=4)
    made = lab.engine(backend, weighted=True, threads=2)
    ids = made.add([Member(bad, 5, 40), *lab.members(lab.MIXED), Member(bad, 6, 40)])
    lab.train(made, ids, STEPS)
    assert lab.digests(made, ids[1:-1]) == alone


@pytest.mark.parametrize("backend", ["numpy", "numba"], indirect=True)
def test_an_interrupt_leaves_every_member_at_a_step(backend: Backend) -> None:
    """Ctrl-C in the middle: soon obeyed, and going on gives the bits of a run that was never interrupted."""
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
import lab
from hyperband.engine.backends import registry
for loss in ("cross_entropy", "logistic", "mse"):
    made = lab.engine(registry.get("native"), loss, weighted=True, rows=75, inputs=21)
    ids = made.add(lab.members([*lab.MIXED, *lab.twins(lab.MIXED[2]), *lab.twins(lab.MIXED[4])]))
    lab.train(made, ids, 25)
    print(*lab.digests(made, ids))
print("isa", registry.get("native").describe())
"""


@cache
def _run_with(isa: str) -> str:
    tests = Path(__file__).parents[1]
    environment = {
        **os.environ, "HYPERBAND_ISA": isa, "PYTHONPATH": os.pathsep.join([str(tests / "support"), str(tests.parent)])
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _ISA_SCRIPT], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert isa in done.stdout.splitlines()[-1], "the engine must say that it uses the set asked for"
    return done.stdout.rsplit("isa", 1)[0]


@pytest.mark.parametrize("isa", ["avx2", "avx512", "neon"])
def test_instruction_sets_give_the_same_bits(native: Backend, ran_elsewhere: Counter[str], isa: str) -> None:
    if not _cpu_has(isa):
        pytest.skip(f"this processor has no {isa}")
    assert _run_with(isa) == _run_with("portable")
    for each in (isa, "portable"):
        ran_elsewhere[f"native {each}"] += 3


def _cpu_has(isa: str) -> bool:
    """By the operating system's word, not by the package's."""
    path = Path("/proc/cpuinfo")
    words = set(path.read_text().split()) if path.exists() else set()
    needed = {
        "avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}, "neon": {"asimd"}
    }  # fmt: skip
    return needed[isa] <= words
