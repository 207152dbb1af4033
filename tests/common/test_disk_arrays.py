"""Arrays on disk: what is read is what was written, and no file is left behind."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from hyperband._common.disk_arrays import DiskArrays
from hyperband.errors import InsufficientMemory


def test_arrays_keep_dtypes_shapes_and_empty_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = DiskArrays()
    arrays = {"a": np.arange(3), "b": np.zeros((0, 4), np.float32), "c": np.full((2, 3), np.nan), "d": np.array(True)}
    stored.put(1, arrays)
    stored.put(2, {"a": np.arange(5)})
    for name, array in stored.read(1).items():
        np.testing.assert_array_equal(array, arrays[name], strict=True)
    stored.drop(1)
    stored.drop(1)
    assert 1 not in stored and stored.read(2)["a"].tolist() == [0, 1, 2, 3, 4]
    stored.close()
    assert list(tmp_path.iterdir()) == [], "the folder must be removed"


def test_an_array_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stored = DiskArrays()
    stored.put(1, {"a": np.arange(3)})

    def full(array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "ascontiguousarray", full)
    with pytest.raises(InsufficientMemory, match="64 bytes could not be written to .*No space left.*Set TMPDIR"):
        stored.put(2, {"a": np.arange(8)})
    assert 2 not in stored and stored.read(1)["a"].tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.glob("hyperband-*/*")] == ["1"]
