"""Output files: checked before the work, written completely or not at all, nothing left behind after an error."""

from __future__ import annotations

import os

import pytest

from hyperband._common.files import check_writable, prepare_folder, remove_if_empty, write_bytes, write_text
from hyperband.errors import InputError


def test_a_file_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "out.txt"
    write_text(path, "first")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="The model file must be writable; .*No space left"):
        write_bytes(path, b"second", "The model file")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_usual_permissions(tmp_path):
    write_bytes(tmp_path / "out", b"", "The output")
    (tmp_path / "usual").touch()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_paths_are_checked_without_leaving_anything(tmp_path):
    check_writable(tmp_path / "out.txt")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="must be a file; .* is a folder"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match="must be writable"):
        check_writable(tmp_path / "absent" / "out.txt")


def test_folders_are_made_and_taken_back(tmp_path):
    folder = tmp_path / "a" / "b"
    assert prepare_folder(folder) is True and folder.is_dir() and not list(folder.iterdir())
    assert prepare_folder(folder) is False
    (folder / "kept").touch()
    remove_if_empty(folder)
    assert folder.is_dir()
    (folder / "kept").unlink()
    remove_if_empty(folder)
    assert not folder.exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--out must be a folder; .* is a file"):
        prepare_folder(tmp_path / "file")
