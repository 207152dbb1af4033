"""Files of figures: formats as matplotlib finds them, written whole or not at all, through pipes and links."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

import hyperband as hb
from hyperband.errors import InputError

FIRST = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "eps": b"%!PS"}


@pytest.fixture(scope="module")
def figure():
    result = hb.minimize(lambda c, r: c["x"] / r, hb.Space({"x": hb.Float(0.0, 1.0)}), hb.Hyperband(9), seed=0)
    return result.plot.curves().figure


@pytest.mark.parametrize("ending", FIRST)
def test_the_ending_is_the_format(figure, tmp_path, ending):
    path = tmp_path / f"a.b.{ending}"
    figure.savefig(str(path))
    assert path.read_bytes().startswith(FIRST[ending]) and list(tmp_path.iterdir()) == [path]


def test_formats_and_names_that_are_given_otherwise(figure, tmp_path):
    figure.savefig(tmp_path / "plain")
    figure.savefig(tmp_path / "name.png", format="pdf")
    figure.savefig(file := io.BytesIO(), format="svg", dpi=30)
    assert (tmp_path / "plain.png").read_bytes().startswith(FIRST["png"])
    assert (tmp_path / "name.png").read_bytes().startswith(FIRST["pdf"])
    assert file.getvalue().startswith(FIRST["svg"])
    with pytest.raises(ValueError, match="not supported"):
        figure.savefig(tmp_path / "name.abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["name.png", "plain.png"]


def test_a_figure_goes_through_a_pipe_and_a_link(figure, tmp_path):
    pipe, link = tmp_path / "pipe.png", tmp_path / "link.png"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    figure.savefig(pipe)
    reader.join(30)
    assert pipe.is_fifo() and read[0].startswith(FIRST["png"])
    link.symlink_to("real.png")
    figure.savefig(link)
    assert link.is_symlink() and (tmp_path / "real.png").read_bytes().startswith(FIRST["png"])


def test_a_figure_that_cannot_be_written(figure, tmp_path):
    with pytest.raises(InputError, match="The figure must be writable; .*No such file"):
        figure.savefig(tmp_path / "absent" / "name.png")
    if Path("/dev/full").is_char_device():
        (tmp_path / "full.png").symlink_to("/dev/full")
        with pytest.raises(InputError, match="The figure must be writable; .*No space left"):
            figure.savefig(tmp_path / "full.png")
