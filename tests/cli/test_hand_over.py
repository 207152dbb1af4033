"""The end of a search: signals, full disks, folders and readers that are gone; what was found is handed over."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import call

from hyperband.cli import results_folder, search
from hyperband.cli.stops import counted_stops
from hyperband.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "--algorithm",
    "random",
    "--n",
    "1",
    "--max-resource",
    "1",
    "--threads",
    "1",
    "--validation",
    "0.2",
    "--refit",
    "no",
]
LONG = ["search", "sklearn:digits", "--max-resource", "2187", "--threads", "1", "--validation", "0.2"]
#: A search in a process of its own; before the model is packed `{}` happens.
AT_THE_END = """
import os, signal, sys
import hyperband.model.file as file
pack = file._pack
def packing(model):
    {}
    return pack(model)
file._pack = packing
from hyperband.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(*arguments, **more):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **more
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_third_stop_ends_a_command(number, capfd):
    before = signal.getsignal(number)
    with counted_stops():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert capfd.readouterr().err == ""
        signal.raise_signal(number)
        assert "once more ends the command" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_while_results_are_written_the_second_one_does(capfd):
    with counted_stops() as stops:
        stops.hand_over()
        signal.raise_signal(signal.SIGTERM)
        assert "once more" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with counted_stops():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_hands_over_and_leaves_nothing_behind(here):
    (here / "temporary").mkdir()
    process = python("-m", "hyperband", *LONG, "--memory-limit", "60M", env={"TMPDIR": str(here / "temporary")})
    for line in process.stderr:
        if "best loss" in line:
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "best network" in out and (here / "hyperband-out" / "model.hyperband").exists()
    assert not list((here / "temporary").iterdir())


def test_ctrl_c_while_the_model_is_written(here):
    code = AT_THE_END.format("os.kill(os.getpid(), signal.SIGINT)")
    process = python("-c", code, "search", "sklearn:wine", *QUICK, "--out", "found")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "being written; once more" in err and "best network" in out
    assert json.loads((here / "found" / "result.json").read_text())["stopped"] == "finished"
    code = AT_THE_END.format("os.kill(os.getpid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGINT)")
    process = python("-c", code, "search", "sklearn:wine", *QUICK, "--out", "none")
    process.communicate(timeout=120)
    assert process.returncode == 130 and not (here / "none").exists()


def test_a_disk_that_is_full_for_all_files_leaves_the_report(here):
    code = AT_THE_END.format("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))")
    process = python("-c", code, "search", "sklearn:wine", *QUICK, "--out", "found")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2 and "best network" in out
    assert "only the report is above" in err and len(err.splitlines()) > 0
    assert not (here / "found").exists()


def test_results_that_cannot_be_written_are_written_elsewhere(here, monkeypatch):
    real, asked = results_folder.write_results, []

    def write(folder, *others):
        asked.append(folder)
        if len(asked) == 1:
            raise InputError("--out must be writable; it is not: No space left on device.")
        return real(folder, *others)

    monkeypatch.setattr(results_folder, "write_results", write)
    result = call("search", "sklearn:wine", *QUICK, "--out", "found", "--quiet")
    assert result.exit_code == 2
    (folder,) = re.findall(r"The results are in (\S+) now", result.stderr)
    assert f"{folder}/model.hyperband" in result.stdout and "found/" not in result.stdout
    assert {path.name for path in Path(folder).iterdir()} == {"model.hyperband", "trials.csv", "result.json"}


def test_a_folder_that_another_search_removed_is_made_again(here, monkeypatch):
    write = search._write

    def writing(*arguments):
        (here / "found").rmdir()
        return write(*arguments)

    monkeypatch.setattr(search, "_write", writing)
    assert call("search", "sklearn:wine", *QUICK, "--out", "found", "--quiet").exit_code == 0
    assert (here / "found" / "model.hyperband").exists()


@pytest.mark.parametrize("redirect", ["2> /dev/full", "2> >(head -1 > /dev/null)"])
def test_nobody_reads_stderr(here, redirect):
    if "full" in redirect and not Path("/dev/full").is_char_device():
        pytest.skip("there is no /dev/full here")
    words = " ".join([sys.executable, "-m", "hyperband", "search", "sklearn:wine", *QUICK, "--out", "found"])
    done = subprocess.run(
        ["bash", "-c", f"{words} {redirect}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "best network" in done.stdout and (here / "found" / "model.hyperband").exists()
