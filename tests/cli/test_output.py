"""Where commands write: pipes, devices, links and full disks; and where they find the model of a search."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import call

import hyperband as hb

ROOT = Path(__file__).parents[2]
FULL = pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
ROWS = 60


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a table and the folder ``out`` of a search."""
    folder = tmp_path_factory.mktemp("written")
    lines = [f"{i % 2 + i / 1000},{'pn'[i % 2]}\n" for i in range(ROWS)]
    (folder / "t.csv").write_text("a,y\n" + "".join(lines))
    run(folder, "search", "t.csv", "--target", "y", "--n", "1", "--max-resource", "1", *["--algorithm", "random"])
    return folder


@pytest.fixture
def here(written, tmp_path, monkeypatch):
    """An empty folder beside which lies what was written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").symlink_to(written / "t.csv")
    (tmp_path / "out").symlink_to(written / "hyperband-out")
    return tmp_path


def run(folder, *arguments, stdout=subprocess.PIPE):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HYPERBAND_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "hyperband", *arguments],
        cwd=folder,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )


def test_predict_and_distil_take_the_folder_of_a_search(here):
    by_folder, by_file = call("predict", "out", "t.csv"), call("predict", "out/model.hyperband", "t.csv")
    assert by_folder.exit_code == 0 and by_folder.stdout == by_file.stdout
    assert len(by_folder.stdout.splitlines()) == ROWS + 1
    assert len(hb.Model.load(here / "out").members) == len(hb.Model.load("out/model.hyperband").members)
    assert call("distil", "out", "t.csv", "--out", "small", "--epochs", "1").exit_code == 0
    assert len(hb.Model.load("small").members) == 1


def test_a_folder_without_a_model_is_refused_in_one_line(here):
    (here / "empty").mkdir()
    for command in (["predict", "empty", "t.csv"], ["distil", "empty", "t.csv", "--out", "small"]):
        result = call(*command)
        assert result.exit_code == 2 and result.stdout == ""
        assert "'empty' holds no model.hyperband" in result.stderr and len(result.stderr.splitlines()) == 1


def test_predictions_go_through_a_pipe_and_a_link(here):
    os.mkfifo("pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()), daemon=True)
    reader.start()
    assert call("predict", "out", "t.csv", "--out", "pipe").exit_code == 0
    reader.join(30)
    Path("link.csv").symlink_to("real.csv")
    assert call("predict", "out", "t.csv", "--out", "link.csv").exit_code == 0
    assert Path("pipe").is_fifo() and Path("link.csv").is_symlink()
    assert read == [Path("real.csv").read_text()] and len(read[0].splitlines()) == ROWS + 1


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout here")
def test_predictions_to_dev_stdout(here):
    piped = run(here, "predict", "out", "t.csv", "--out", "/dev/stdout")
    assert piped.returncode == 0 and piped.stdout == call("predict", "out", "t.csv").stdout
    with open("log", "w") as log:
        log.write("first\n")
        log.flush()
        run(here, "predict", "out", "t.csv", "--out", "/dev/stdout", stdout=log)
        log.write("last\n")
    assert Path("log").read_text() == f"first\n{piped.stdout}last\n"


@FULL
def test_a_file_on_a_full_disk_is_one_line(here):
    Path("full").symlink_to("/dev/full")
    for command in (["predict", "out", "t.csv"], ["distil", "out", "t.csv", "--epochs", "1"]):
        result = call(*command, "--out", "full")
        assert result.exit_code == 2 and result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ") and "must be writable; 'full' is not: No space left on device" in line
    assert Path("full").is_char_device()


@FULL
@pytest.mark.parametrize("arguments", ["predict out t.csv", "plan --max-resource 9", "--help", "--version"])
def test_a_full_disk_behind_stdout_is_one_line(here, arguments):
    with open("/dev/full", "w") as full:
        result = run(here, *arguments.split(), stdout=full)
    assert result.returncode == 2
    assert result.stderr == "error: The standard output must be writable; it is not: No space left on device.\n"


def test_a_reader_that_stops_early_is_no_error(here):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-m", "hyperband", "plan"], stdout=write, stderr=subprocess.PIPE, env=environment, text=True
    )
    os.close(write)
    assert result.returncode == 1 and result.stderr == ""
