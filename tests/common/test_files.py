"""Output files: checked before the work, written completely or not at all, nothing left behind after an error.

What is no regular file (pipes, devices, links, open descriptors) stays what it is.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

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


def test_a_link_stays_and_the_file_at_its_end_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "far" / "file"
    first.symlink_to("second")
    second.symlink_to("far/file")  # which is not there yet
    check_writable(first)
    for text in ("new", "newer"):
        write_text(first, text)
        assert first.is_symlink() and second.is_symlink() and file.read_text() == text
    assert list((tmp_path / "far").iterdir()) == [file]
    other = tmp_path / "other"
    os.link(file, other)
    write_text(second, "newest")
    assert other.read_text() == "newer", "the file was written over instead of replaced"


def test_permissions_of_a_replaced_file_stay(tmp_path):
    path = tmp_path / "out"
    write_text(path, "first")
    path.chmod(0o640)
    write_text(path, "second")
    assert path.stat().st_mode & 0o777 == 0o640 and path.read_text() == "second"


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("n" * 255)
    check_writable(path)
    write_text(path, "all")
    assert path.read_text() == "all"
    for refuse in (check_writable, prepare_folder, lambda path: write_text(path, "")):
        with pytest.raises(InputError, match="must be writable; .*too long"):
            refuse(tmp_path / ("n" * 256))


def test_a_named_pipe_is_written_through(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_writable(pipe)  # waits for no reader
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_bytes(pipe, bytes(100_000), "The output")
    reader.join(30)
    assert read == [bytes(100_000)] and pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="no names for open descriptors here")
def test_an_open_file_goes_on_where_it_is(tmp_path):
    path = tmp_path / "log"
    with open(path, "wb", buffering=0) as file:
        file.write(b"first\n")
        link = tmp_path / "link"
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        check_writable(link)
        write_text(link, "second\n")
        file.write(b"third\n")
    assert path.read_text() == "first\nsecond\nthird\n"
    with pytest.raises(InputError, match="must be writable; .*Bad file descriptor"):
        check_writable(link)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_stays_a_device(tmp_path, device):
    if not Path(device).is_char_device():
        pytest.skip(f"no {device} here")
    link = tmp_path / "link"  # so that a fault replaces no device
    link.symlink_to(device)
    check_writable(link)
    if device == "/dev/null":
        write_text(link, "text")
    else:
        with pytest.raises(InputError, match="The model file must be writable; .*No space left"):
            write_bytes(link, b"model", "The model file")
    assert link.is_char_device() and list(tmp_path.iterdir()) == [link]


def test_links_without_an_end_are_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for path in (tmp_path / "loop", tmp_path / "file" / "below"):
        for refuse in (check_writable, lambda path: write_text(path, "")):
            with pytest.raises(InputError, match="must be writable"):
                refuse(path)
