"""The folder of a search: which one it is, that nothing is overwritten, and what `result.json` says of the call."""

from __future__ import annotations

import json
import os
import platform

import numpy as np
import pytest
from command_line import call

import hyperband as hb
from hyperband.cli import results_folder
from hyperband.cli.results_folder import FILES, claim_folder, write_results
from hyperband.errors import InputError
from hyperband.tables import fingerprint

FAST = ["--algorithm", "random", "--n", "1", "--max-resource", "1", "--threads", "1", "--validation", "0.3"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{i % 2 + i / 1000},{'pn'[i % 2]}\n" for i in range(60)]
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(lines))
    return tmp_path


def search(*more):
    result = call("search", "t.csv", "--target", "y", *FAST, *more)
    assert result.exit_code == 0, result.output
    return result


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_default_folder_is_never_overwritten(here):
    assert "there already" not in search().stderr
    first = contents(here / "hyperband-out")
    again = search()
    assert "note: hyperband-out is there already: the results go to hyperband-out-2.\n" in again.stderr
    assert (
        "hyperband predict hyperband-out-2/model.hyperband t.csv --out hyperband-out-2/predictions.csv" in again.stdout
    )
    assert (
        sorted(contents(here / "hyperband-out-2")) == sorted(first) == ["model.hyperband", "result.json", "trials.csv"]
    )
    assert (
        json.loads((here / "hyperband-out-2" / "result.json").read_text())["model"] == "hyperband-out-2/model.hyperband"
    )
    assert contents(here / "hyperband-out") == first
    search("--force", "--seed", "5")
    assert contents(here / "hyperband-out")["model.hyperband"] != first["model.hyperband"]
    assert not (here / "hyperband-out-3").exists()


def test_a_file_or_a_folder_of_another_search_is_taken(here):
    (here / "hyperband-out").write_text("")
    (here / "hyperband-out-2").mkdir()  # of a search that still runs, for all that is known
    (here / "hyperband-out-3").symlink_to("nowhere")
    assert claim_folder(None, False) == (results_folder.Path("hyperband-out-4"), True)


def test_earlier_results_in_a_named_folder_are_moved_aside(here):
    search("--out", "mine", "--test", "0.2")
    before = contents(here / "mine")
    assert sorted(before) == sorted(FILES)
    (here / "mine" / "notes.txt").write_text("mine")
    again = search("--out", "mine", "--seed", "3")
    assert "note: the earlier results in mine are in mine-2 now.\n" in again.stderr
    assert contents(here / "mine-2") == before
    after = contents(here / "mine")
    assert sorted(after) == ["model.hyperband", "notes.txt", "result.json", "trials.csv"]  # no test rows any more
    assert after["model.hyperband"] != before["model.hyperband"]
    search("--out", "mine", "--seed", "4")
    assert contents(here / "mine-3")["model.hyperband"] == after["model.hyperband"]


def test_force_overwrites_results(here):
    search("--out", "mine", "--test", "0.2")
    before = contents(here / "mine")
    (here / "mine" / "notes.txt").write_text("mine")
    (here / "mine" / "model.hyperband").chmod(0o600)
    search("--out", "mine", "--force", "--seed", "3")
    assert not (here / "mine-2").exists()
    after = contents(here / "mine")
    assert sorted(after) == ["model.hyperband", "notes.txt", "result.json", "trials.csv"]
    assert after["model.hyperband"] != before["model.hyperband"]
    assert (here / "mine" / "model.hyperband").stat().st_mode & 0o777 == 0o600
    (here / "other").mkdir()
    (here / "other" / "notes.txt").write_text("mine")
    search("--out", "other")


def test_links_are_written_through(here):
    search("--out", "one")
    (here / "two").mkdir()
    (here / "two" / "trials.csv").symlink_to("../real.csv")
    search("--out", "two", "--force")
    assert (here / "two" / "trials.csv").is_symlink()
    assert (here / "real.csv").read_bytes() == (here / "one" / "trials.csv").read_bytes()


@pytest.mark.parametrize("earlier", [False, True])
def test_a_write_that_fails_leaves_the_folder_as_it_was(here, monkeypatch, earlier):
    if earlier:
        search("--out", "mine")
        before = contents(here / "mine")
    real, written = results_folder.write_text, []

    def full(path, text):
        written.append(path)
        if len(written) == 2:
            raise InputError(f"The output must be writable; {str(path)!r} is not: No space left on device.")
        real(path, text)

    monkeypatch.setattr(results_folder, "write_text", full)
    result = call(
        "search", "t.csv", "--target", "y", *FAST, "--quiet", "--out", "mine", *(["--force"] if earlier else [])
    )
    assert result.exit_code == 2 and "best network" in result.stdout
    said = "error: The output must be writable; 'mine/result.json' is not: No space left on device. The results are in "
    assert result.stderr.startswith(said)
    assert contents(here / "mine") == before if earlier else not (here / "mine").exists()


def test_a_folder_that_cannot_be_written_is_one_error(here, monkeypatch):
    class Model:
        def save(self, path):
            raise AssertionError("not reached")

    (here / "nowhere").write_text("a file")
    with pytest.raises(InputError, match="--out must be writable; 'nowhere' is not: File exists"):
        write_results(results_folder.Path("nowhere"), Model(), {})
    if os.geteuid() != 0:
        here.chmod(0o500)
        with pytest.raises(InputError, match="--out must be writable"):
            claim_folder(None, False)
        here.chmod(0o700)


def test_result_json_says_how_it_was_made(here):
    arguments = [
        "search",
        "t.csv",
        "--target",
        "y",
        *FAST,
        "--seed",
        "7",
        "--time",
        "1m",
        "--drop",
        "b",
        "--json",
        "--quiet",
    ]
    (here / "t.csv").write_text("a,b,y\n" + "".join(f"{i % 5},{i % 3},{'pn'[i % 2]}\n" for i in range(60)))
    report = json.loads(call(*arguments).stdout)
    assert report == json.loads((here / "hyperband-out" / "result.json").read_text())
    assert report["command"] == ["hyperband", *arguments]
    assert report["seed"] == 7
    options = report["options"]
    assert (options["target"], options["drop"], options["time"], options["max-resource"]) == (["y"], ["b"], 60.0, 1)
    assert options["scaling"] == "auto" and options["space"] is None and "table" not in options
    assert hb.Space.from_dict(report["space"]).names[0] == "n_layers"
    versions, info = report["versions"], json.loads(call("info", "--json").stdout)
    assert (versions["hyperband"], versions["numpy"]) == (hb.__version__, np.__version__)
    assert platform.python_version() in versions["python"]
    assert (versions["backend"], versions["build"]) == (info["backend"], info["build"])
    assert versions["engine"].keys() == info["engine"].keys()
    assert report["fingerprints"] == {"table": fingerprint("t.csv")}


def test_fingerprints_are_of_what_the_files_hold(here):
    (here / "copy.csv").write_bytes((here / "t.csv").read_bytes())
    base = search("--json", "--quiet", "--out", "o1")
    copied = call("search", "copy.csv", "--target", "y", *FAST, "--json", "--quiet", "--out", "o2", "--test", "t.csv")
    first, second = (json.loads(result.stdout)["fingerprints"] for result in (base, copied))
    assert second == {"table": first["table"], "test": first["table"]}


def test_a_folder_called_like_a_file_of_results_is_refused_before_the_search(here):
    (here / "o" / "result.json").mkdir(parents=True)
    refused = call("search", "t.csv", "--target", "y", "--out", "o", "--force", *FAST)
    assert refused.exit_code == 2 and "must hold no folder 'result.json'" in refused.stderr
    assert os.listdir(here / "o") == ["result.json"]


def test_a_target_called_row_leaves_the_numbers_of_rows(here):
    (here / "t.csv").write_text((here / "t.csv").read_text().replace("a,y", "a,row"))
    result = call("search", "t.csv", "--target", "row", "--test", "0.2", "--out", "o", *FAST)
    assert result.exit_code == 0, result.output
    assert (here / "o" / "test_predictions.csv").read_text().startswith("row,given_row,prediction,")
