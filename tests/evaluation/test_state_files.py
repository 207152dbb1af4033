"""States as files: whole or not at all, and never those of another search."""

from __future__ import annotations

import os
import threading

import pytest

from hyperband.errors import InputError
from hyperband.evaluation.functions.state_files import Saved, pickled


def test_a_state_comes_back_at_its_resource_only(tmp_path):
    saved = Saved(tmp_path / "a" / "b")
    assert saved.read(3, 1) is None
    saved.write(3, pickled(1, None))
    assert saved.has(3)
    assert saved.read(3, 1) == (None,)
    assert saved.read(3, 1.0) == (None,)
    assert saved.read(3, 2) is None
    saved.write(3, pickled(2, {"weights": [1.0]}))
    assert saved.read(3, 2) == ({"weights": [1.0]},)
    saved.remove([3, 4])
    assert os.listdir(tmp_path / "a" / "b") == []


def test_a_copy_of_nothing_removes_what_another_search_left(tmp_path):
    saved = Saved(tmp_path)
    saved.write(1, pickled(1, "old"))
    saved.copy(0, 1)
    assert not saved.has(1)
    saved.write(0, pickled(1, "new"))
    saved.copy(0, 1)
    assert saved.read(1, 1) == ("new",)


def test_half_a_file_is_never_in_place(tmp_path, monkeypatch):
    saved = Saved(tmp_path)
    saved.write(1, pickled(1, "whole"))
    monkeypatch.setattr(type(tmp_path), "replace", lambda *paths: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved.write(1, pickled(2, "lost"))
    assert saved.read(1, 1) == ("whole",)
    saved.remove([1])
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_pickled_says_so():
    with pytest.raises(TypeError, match="the state cannot be pickled .*lock.*, which `state_dir` needs"):
        pickled(1, threading.Lock())


@pytest.mark.parametrize("place", [__file__, __file__ + "/below", 3])
def test_a_place_that_is_no_directory_is_refused(place):
    with pytest.raises(InputError, match="`state_dir` must be a directory"):
        Saved(place)
