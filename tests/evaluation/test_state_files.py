"""States as files: whole or not at all, and never those of another search."""

from __future__ import annotations

import os
import threading

import pytest

from hyperband.errors import InputError
from hyperband.evaluation.functions.state_files import StateFiles, pickled


def test_a_state_comes_back_at_its_resource_only(tmp_path):
    files = StateFiles(tmp_path / "a" / "b")
    assert files.read(3, 1) is None
    files.write(3, pickled(1, None))
    assert files.has(3)
    assert files.read(3, 1) == (None,)
    assert files.read(3, 1.0) == (None,)
    assert files.read(3, 2) is None
    files.write(3, pickled(2, {"weights": [1.0]}))
    assert files.read(3, 2) == ({"weights": [1.0]},)
    files.remove([3, 4])
    assert os.listdir(tmp_path / "a" / "b") == []


def test_a_copy_of_nothing_removes_what_another_search_left(tmp_path):
    files = StateFiles(tmp_path)
    files.write(1, pickled(1, "old"))
    files.copy(0, 1)
    assert not files.has(1)
    files.write(0, pickled(1, "new"))
    files.copy(0, 1)
    assert files.read(1, 1) == ("new",)


def test_half_a_file_never_replaces_a_whole_one(tmp_path, monkeypatch):
    files = StateFiles(tmp_path)
    files.write(1, pickled(1, "whole"))
    monkeypatch.setattr(os, "replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        files.write(1, pickled(2, "lost"))
    assert files.read(1, 1) == ("whole",)
    files.remove([1])
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_pickled_says_so():
    with pytest.raises(TypeError, match="the state cannot be pickled .*lock.*, which `state_dir` needs"):
        pickled(1, threading.Lock())


@pytest.mark.parametrize("path", [__file__, __file__ + "/below", 3])
def test_a_path_that_is_no_directory_is_refused(path):
    with pytest.raises(InputError, match="`state_dir` must be a directory"):
        StateFiles(path)
