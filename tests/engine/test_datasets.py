"""Engines of several data sets that train at once: the same bits as one after another."""

from __future__ import annotations

import numpy as np
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import EngineSettings, Member, Split, TrainingPart, TrainsTogether
from hyperband.engine.backends.registry import get
from hyperband.engine.datasets import DatasetEngines
from hyperband.errors import InputError

#: Data set of each member, its widths and its batch: packs of one shape, a team, and members by themselves.
MEMBERS = [(k, [8, 4], 16) for k in (0, 0, 1, 2, 2)] * 8 + [(1, [64, 64], 128), (2, [40], 64), (0, [64, 64], 128)]


@pytest.fixture
def native():
    pytest.importorskip("hyperband._core", reason="the compiled engine is not built")
    return get("native")


def _split(number: int) -> Split:
    """Data sets have their own rows and columns."""
    rng = np.random.default_rng(number)
    x = rng.normal(size=(150 + 40 * number, 3 + 5 * number)).astype(np.float32)
    return Split(x, np.tanh(x[:, :1] - x[:, 1:2]))


def _engines(backend, *, together: bool, threads: int) -> DatasetEngines:
    def make(number: int):
        return backend.engine(_split(number), _split(number), "mse", 1, EngineSettings(threads=threads))

    return DatasetEngines(make, backend if together else None)


def _states(engines: DatasetEngines, **arguments) -> list[dict]:
    ids = engines.add(
        [
            Member(Architecture(widths=widths, batch_size=batch, activation="tanh"), seed, 60, number)
            for seed, (number, widths, batch) in enumerate(MEMBERS)
        ]
    )
    until = np.arange(7, 7 + len(ids))
    while not engines.train(ids, until, **arguments).all():
        pass
    assert engines.progress(ids).step.tolist() == until.tolist()
    return [engines.export_state(i) for i in ids.tolist()]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("arguments", [{}, {"seconds": 0.0}, {"rows": 100, "inputs": 2}])
def test_members_of_several_data_sets_have_the_bits_of_one_after_another(native, threads, arguments):
    alone = _states(_engines(native, together=False, threads=1), **arguments)
    together = _states(_engines(native, together=True, threads=threads), **arguments)
    for one, other in zip(alone, together, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def test_nothing_to_train_is_no_work(native):
    assert native.train_together([]) == []
    engine = native.engine(_split(0), None, "mse", 1)
    nobody = np.zeros(0, np.int64)
    assert [part.tolist() for part in native.train_together([TrainingPart(engine, nobody, nobody)])] == [[]]


def test_parts_that_cannot_train_together_are_refused_and_nobody_is_trained(native):
    engine = native.engine(_split(0), None, "mse", 1)
    ids = engine.add([Member(Architecture(widths=[4]), seed=0)])
    part = TrainingPart(engine, ids, np.array([5]))
    with pytest.raises(ValueError, match="each engine once"):
        native.train_together([part, part])
    other = get("numpy").engine(_split(0), None, "mse", 1)
    with pytest.raises(InputError, match=r"`parts` must be of native engines; got a "):
        native.train_together([part, TrainingPart(other, ids, np.array([5]))])
    with pytest.raises(InputError, match="living members"):
        native.train_together([part, TrainingPart(native.engine(_split(1), None, "mse", 1), ids, np.array([5]))])
    assert engine.progress(ids).step.tolist() == [0]


def test_which_backends_train_together(native):
    assert isinstance(native, TrainsTogether)
    assert not isinstance(get("numpy"), TrainsTogether)
