"""The text of the GPU's blocks on a host that stands in for one: any number of threads in any order gives the bits of
the CPU's engine, no two threads touch a word in one phase, a missing barrier is found. On a real GPU: the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import host_cuda

import hyperband as hb
from hyperband.engine.architecture import ACTIVATIONS, Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, EngineSettings, Split
from hyperband.engine.losses import LOSSES
from hyperband.errors import BackendUnavailable, InputError, InsufficientMemory
from hyperband.testing import lab

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")

CLASSES = {"S": 0, "M": 1, "L": 2, "XL": 3}
STEPS = 9
#: Every activation, so that their places in memory differ; batches of one row, and larger than the split.
ALL = [
    *lab.EVERY,
    *(Architecture(widths=[n + 5, 7], activation=a, batch_size=16, dropout=0.2) for n, a in enumerate(ACTIVATIONS)),
]


def digests(
    backend: Backend, architectures: Sequence[Architecture], loss: str = "cross_entropy", *, rows: int = 53,
    inputs: int = 9, steps: int = STEPS, **more: Any,
) -> list[str]:  # fmt: skip
    made = lab.engine(backend, loss, rows=rows, inputs=inputs, weighted=True)
    ids = made.add(lab.members(architectures))
    lab.train(made, ids, steps, **more)
    return lab.digests(made, ids)


@pytest.mark.parametrize("order", ["forward", "reverse", "shuffled"])
@pytest.mark.parametrize("threads", [1, 32, 128, 256])
@pytest.mark.parametrize("size_class", CLASSES)
@pytest.mark.parametrize("loss", LOSSES)
def test_threads_and_their_order_do_not_matter(
    native: Backend, loss: str, size_class: str, threads: int, order: str
) -> None:
    host = host_cuda(1, threads=threads, order=order, size_class=CLASSES[size_class])
    assert digests(host, ALL, loss) == digests(native, ALL, loss)


@pytest.mark.parametrize("size_class", CLASSES)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_two_threads_touch_a_word_in_one_phase(native: Backend, loss: str, size_class: str) -> None:
    host = host_cuda(1, threads=64, order="shuffled", watched=True, size_class=CLASSES[size_class])
    assert digests(host, ALL, loss, steps=4) == digests(native, ALL, loss, steps=4)


@pytest.mark.parametrize("loss", LOSSES)
def test_large_members_in_parts(native: Backend, loss: str) -> None:
    expected = digests(native, lab.LARGE, loss, rows=300, inputs=40, steps=3)
    for options in ({}, {"shared_bytes": 40 << 10}, {"shared_bytes": 9 << 10}, {"size_class": 1}):
        assert digests(host_cuda(1, **options), lab.LARGE, loss, rows=300, inputs=40, steps=3) == expected


def test_a_missing_barrier_is_found(native: Backend) -> None:
    """Each barrier of two steps in turn is left out: whichever two phases need it, the watch says so.

    Some barriers stand between phases that share nothing, so not every one is missed; the ones around products are.
    """
    found = 0
    network = [Architecture(widths=[8], activation="tanh", batch_size=16)]
    for phase in range(40):
        host = host_cuda(1, threads=32, watched=True, missing_barrier=phase)
        try:
            digests(host, network, steps=2, evaluate=False)
        except RuntimeError as error:
            assert "race in phase" in str(error)
            found += 1
    assert found >= 15


def test_memory_that_no_one_wrote_is_not_a_number(native: Backend) -> None:
    """Shared memory begins as NaN, so what is read before it was written shows in every digest that follows."""
    made = lab.engine(host_cuda(1))
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, STEPS)
    for member in ids.tolist():
        for name, array in made.export_state(member).items():
            assert name == "scores" or np.isfinite(array).all()


def test_the_class_of_a_member_goes_by_what_fits(native: Backend) -> None:
    """On blocks with 227 KiB of shared memory: small networks whole and several at a time, then ever less of them."""
    x, y = np.zeros((4096, 64), np.float32), np.zeros(4096, np.int32)
    made: Any = host_cuda(1, threads=256).engine(Split(x, y), None, "cross_entropy", 10)
    expected = {
        (16, 16): ("S", 128), (32, 32): ("S", 128), (64, 64): ("S", 256), (128, 64): ("M", 256), (200, 60): ("L", 256),
        (1024,) * 8: ("XL", 256),
    }  # fmt: skip
    for widths, (size_class, crowded) in expected.items():
        ids: list[int] = []
        for count, threads in ((1, 256), (2, crowded)):  # two are many for a stand-in, which has one processor
            ids += made.add(lab.members([Architecture(widths=list(widths), batch_size=64)])).tolist()
            device, local = made._core._locations[ids[-1]]
            found = made._core._engines[device].memory_plan(local)
            assert (found["size_class"], found["threads"]) == (size_class, threads), (widths, count, found)
            assert found["shared_bytes"] * (256 // threads) <= 227 << 10
        made.release(np.array(ids))


def test_members_are_dealt_to_devices_by_cost() -> None:
    made: Any = lab.engine(host_cuda(3))
    widths = [200, 8, 8, 100, 100, 8]
    ids = made.add(lab.members([Architecture(widths=[w, w]) for w in widths]))
    devices = [made._core._locations[i][0] for i in ids.tolist()]
    assert devices[0] not in devices[1:] and devices[3] != devices[0]
    assert set(devices) == {0, 1, 2}
    load = list(made._core._loads)
    made.release(ids[:1])
    assert sum(made._core._loads) < sum(load)
    again = made.add(lab.members([Architecture(widths=[200, 200])]))
    assert made._core._locations[int(again[0])][0] == devices[0]


def test_the_cost_of_a_member_does_not_go_by_what_its_optimiser_keeps() -> None:
    made: Any = lab.engine(host_cuda(2))
    made.add(lab.members([Architecture(widths=[50, 50], optimizer=o) for o in ("sgd", "adam")]))
    assert made._core._loads[0] == made._core._loads[1] > 6 * 53 * (9 * 50 + 50 * 50 + 50 * 4)


def test_an_error_on_one_device_leaves_the_others_as_they_were() -> None:
    made: Any = lab.engine(host_cuda(2, total_bytes=8 << 20))
    ids = made.add(lab.members(lab.MIXED))
    with pytest.raises(InsufficientMemory, match="GPU's memory"):
        made.add(lab.members([Architecture(widths=[8]), Architecture(widths=[1024, 1024])]))
    lab.train(made, ids, 2)
    assert (made.progress(ids).step == 2).all()


def test_a_population_larger_than_the_device_trains_in_waves(native: Backend) -> None:
    """Members take turns on the device; those that wait are in the host's memory, and no bit changes."""
    shapes = [replace(a, widths=[100, 100]) for a in lab.MIXED]
    small = lab.engine(host_cuda(1, total_bytes=1 << 20), weighted=True)
    size = small.bytes_per_member(shapes[0])
    assert size * len(shapes) > 1 << 20 > size
    ids = small.add(lab.members(shapes))
    expected = lab.engine(native, weighted=True)
    same = expected.add(lab.members(shapes))
    for until in (3, 5, STEPS):
        lab.train(expected, same, until)
        while not lab.train(small, ids, until, seconds=0.001).all():
            pass
        assert lab.digests(small, ids) == lab.digests(expected, same)
    other = lab.split("cross_entropy", 70, seed=5)
    for found, wanted in zip(small.evaluate(ids, other), expected.evaluate(same, other)):
        assert np.array_equal(found, wanted)
    assert np.array_equal(small.predict(int(ids[3]), other.x), expected.predict(int(same[3]), other.x))


def test_too_little_memory_is_said_and_changes_nothing() -> None:
    backend = host_cuda(1, total_bytes=1 << 20)
    with pytest.raises(InsufficientMemory, match="MiB"):
        lab.engine(backend, rows=100_000, inputs=30)
    made = lab.engine(backend)
    with pytest.raises(InsufficientMemory, match="device_memory|limit"):
        made.add(lab.members([Architecture(widths=[1024, 1024])]))
    ids = made.add(lab.members(lab.MIXED))
    assert lab.train(made, ids, 1).all()


def test_device_memory_is_a_limit() -> None:
    data = lab.split("cross_entropy", 53)
    make = host_cuda(1).engine
    roomy: Any = make(data, None, "cross_entropy", 4, EngineSettings(device_memory=1 << 20))
    tight: Any = make(data, None, "cross_entropy", 4, EngineSettings(device_memory=100_000))
    assert tight._core.capacity() < 100_000 < roomy._core.capacity() < 1 << 20
    with pytest.raises(InsufficientMemory, match="device_memory"):
        make(data, None, "cross_entropy", 4, EngineSettings(device_memory=100))
    for wrong in (0, -1, 1.5, True, "4G"):
        with pytest.raises(InputError, match="device_memory"):
            make(data, None, "cross_entropy", 4, EngineSettings(device_memory=wrong))


@pytest.mark.parametrize("name", ["native", "numba", "numpy"])
def test_other_backends_have_no_device(name: str) -> None:
    if registry.available()[name]:
        pytest.skip(registry.available()[name])
    data = lab.split("cross_entropy", 53)
    with pytest.raises(InputError, match="device_memory"):
        registry.get(name).engine(data, None, "cross_entropy", 4, EngineSettings(device_memory=1 << 20))
    with pytest.raises(BackendUnavailable, match="tf32"):
        registry.get(name).engine(data, None, "cross_entropy", 4, EngineSettings(precision="tf32"))


def test_a_whole_search_on_the_stand_in(native: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hyperband over a stand-in for a GPU: every loss of every rung is the CPU's, to the bit."""
    monkeypatch.setitem(registry.made, "cuda", host_cuda(2, threads=64))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 5)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    found = [
        hb.search(x, y, algorithm=hb.Hyperband(9), validation=0.2, seed=3, compute=hb.Compute(backend=b)).trials
        for b in ("cuda", "native")
    ]
    assert len(found[0]) == len(found[1])
    for column in ("trial", "bracket", "rung", "resource", "loss"):
        assert np.array_equal(found[0][column], found[1][column], equal_nan=column == "loss")


# ---- a real GPU ------------------------------------------------------------------------------------------------


@pytest.mark.device
@pytest.mark.parametrize("loss", LOSSES)
def test_a_gpu_gives_the_bits_of_the_cpu(native: Backend, cuda: Backend, loss: str) -> None:
    assert digests(cuda, ALL, loss) == digests(native, ALL, loss)
    large = {"rows": 300, "inputs": 40, "steps": 3}
    assert digests(cuda, lab.LARGE, loss, **large) == digests(native, lab.LARGE, loss, **large)


@pytest.mark.device
def test_a_gpu_pauses_and_pages_to_the_same_bits(native: Backend, cuda: Backend) -> None:
    shapes = [replace(a, widths=[256, 256]) for a in lab.MIXED]
    data, held = lab.split("cross_entropy", 53, weighted=True), lab.split("cross_entropy", 31, weighted=True, seed=1)
    made = cuda.engine(data, held, "cross_entropy", 4, EngineSettings(device_memory=6 << 20))
    ids = made.add(lab.members(shapes))
    while not lab.train(made, ids, STEPS, seconds=0.0005).all():
        pass
    assert lab.digests(made, ids) == digests(native, shapes)


@pytest.mark.device
def test_a_gpu_trains_wide_and_deep_networks(native: Backend, cuda: Backend) -> None:
    shapes = [
        Architecture(widths=[1024] * 8, batch_size=128, learning_rate=1e-4),
        Architecture(widths=[700], batch_size=4096, activation="gelu"),
        Architecture(widths=[1], batch_size=1),
    ]
    given = {"rows": 500, "inputs": 784, "steps": 2}
    assert digests(cuda, shapes, **given) == digests(native, shapes, **given)


@pytest.mark.parametrize("size_class", CLASSES)
def test_large_networks_with_parameters_before_the_first_layer(native: Backend, size_class: str) -> None:
    host = host_cuda(1, threads=128, size_class=CLASSES[size_class])
    assert digests(host, lab.LARGE_STAGED, rows=300, inputs=40) == digests(
        native, lab.LARGE_STAGED, rows=300, inputs=40
    )
