"""More members than memory: waves, files of those that wait, and the same bits whatever the limit."""

from __future__ import annotations

import errno
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import hyperband as hb
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Split

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(np.int32)
SHAPES = [
    hb.Architecture(widths=[8], learning_rate=0.02, batch_size=16),
    hb.Architecture(widths=[24, 3], activation="tanh", dropout=0.2, batch_size=32),
    hb.Architecture(widths=[16], optimizer="sgd", momentum=0.9, batch_size=8),
    hb.Architecture(widths=[5, 5, 5], optimizer="rmsprop", clip_norm=1.0, batch_size=64),
    hb.Architecture(widths=[12], activation="gelu", optimizer="sgd", batch_size=16),
]


def population(memory_limit=None, backend="native", **changes):
    validation = changes.pop("validation", (X[:30], Y[:30]))
    return hb.Population(
        SHAPES, X, Y, seed=3, epochs=6, validation=validation, backend=backend, memory_limit=memory_limit, **changes
    )


def sizes(backend):
    engine = registry.get(backend).engine(Split(X, Y), None, "logistic", 1)
    return [engine.bytes_per_member(shape) for shape in SHAPES]


def everything(trained):
    """All that a population tells, as bytes."""
    shown = trained.progress()
    columns = [getattr(shown, name) for name in type(shown).__slots__]
    states = [array for member in range(len(trained)) for _, array in sorted(trained.state(member).items())]
    validated = trained.evaluate(None, X, Y, weights="best")
    outputs = [trained.predict(member, X) for member in range(len(trained))]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in [*columns, *states, *validated, *outputs])


@pytest.mark.parametrize("backend", ["native", "numba", "numpy"])
def test_no_bit_depends_on_the_limit(backend):
    plenty = population(backend=backend)
    plenty.train()
    expected = everything(plenty)
    for limit in (max(sizes(backend)), 2 * max(sizes(backend)), sum(sizes(backend))):
        scarce = population(limit, backend)
        scarce.train([4, 1], until=1.5)
        scarce.train(until=3, seconds=0.001)
        scarce.train()
        assert everything(scarce) == expected


def test_members_that_wait_or_are_unborn_still_show_where_they_stand():
    plenty, scarce = population(), population(max(sizes("native")))
    for trained in (plenty, scarce):
        trained.train([0, 1], until=2)
    for name in ("step", "epoch", "loss", "error", "best_loss", "best_error", "best_step", "train_loss", "diverged"):
        shown = [getattr(trained.progress([3, 1, 0]), name) for trained in (plenty, scarce)]
        np.testing.assert_array_equal(*shown, strict=True)
    with pytest.raises(hb.InputError, match="member 3 has none"):
        scarce.weights(3, weights="best")


def test_a_state_reaches_a_member_that_waits():
    plenty, scarce = population(), population(max(sizes("native")))
    plenty.train()
    for member in (3, 0, 4):
        scarce.load_state(member, plenty.state(member))
    for member in (0, 3, 4):
        for name, array in plenty.state(member).items():
            np.testing.assert_array_equal(scarce.state(member)[name], array)


def test_a_member_too_large_names_it_and_both_numbers():
    with pytest.raises(hb.InsufficientMemory, match=r"widths \[24, 3\] need [\d,]+ bytes, 100 are free.*memory_limit"):
        population(100)


def test_without_a_limit_four_fifths_of_what_is_free_count(monkeypatch):
    monkeypatch.setattr("hyperband._common.memory.free_bytes", lambda: 1000)
    with pytest.raises(hb.InsufficientMemory, match="800 are free"):
        population()


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "4G", float("nan")])
def test_a_limit_is_a_number_of_bytes(limit):
    with pytest.raises(hb.InputError, match="`memory_limit` must be a whole number of bytes"):
        population(limit)
    with pytest.raises(hb.InputError, match="`memory_limit` must be a whole number of bytes"):
        hb.search(X, Y, algorithm=hb.RandomSearch(1, n=1), compute=hb.Compute(memory_limit=limit))


def test_a_full_disk_is_an_error_that_loses_nothing(monkeypatch):
    plenty, scarce = population(), population(max(sizes("native")))
    plenty.train()
    real = Path.open

    def full(path, mode="r", *args, **kwargs):
        if "w" in mode and "hyperband-" in str(path):
            real(path, "wb").close()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        with pytest.raises(hb.InsufficientMemory, match="No space left on device. Set TMPDIR"):
            scarce.train()
    scarce.train()
    assert everything(scarce) == everything(plenty)


def test_a_folder_that_cannot_be_made_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(hb.InsufficientMemory, match="could not be written"):
        population(max(sizes("native"))).train()


def test_no_file_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scarce = population(max(sizes("native")))
    scarce.train()
    assert len(list(tmp_path.glob("hyperband-*/*"))) >= 2
    del scarce
    assert list(tmp_path.iterdir()) == []


def test_threads_that_share_a_population_wait_for_one_another():
    """Forty members of which a few fit at a time: the bits are those of one thread."""
    shapes = [hb.Architecture(widths=[8 + k % 5]) for k in range(40)]
    alone, shared = (
        hb.Population(shapes, X, Y, seed=3, epochs=8, validation=(X[:30], Y[:30]), backend="native", memory_limit=limit)
        for limit in (None, 60_000)
    )
    failures = []

    def train(members):
        try:
            for until in range(1, 9):
                shared.train(members, until=until)
                shared.evaluate(members, X, Y)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=train, args=(range(k, k + 20),)) for k in (0, 20, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone.train()
    assert not failures
    assert everything(shared) == everything(alone)
