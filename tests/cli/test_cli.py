"""The command line: what it prints where, exit codes, files, interrupts."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import polars as pl
import pytest
from command_line import call
from hyperband_81_3 import EVALUATIONS

from hyperband.tables.views import VIEWS

ROOT = Path(__file__).parents[2]
QUICK = ["--max-resource", "9", "--threads", "1", "--validation", "0.2"]


def command(*arguments, **options):
    """The command as a process of its own, with pipes for output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    return subprocess.Popen(
        [sys.executable, "-m", "hyperband", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def table(path, n=60, seed=0, **columns):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    label = np.where(a + b > 0, "yes", "no")
    pl.DataFrame({"a": a, "b": b, "label": label, **columns}).write_csv(path)
    return path


def test_plan_of_243_has_six_brackets_and_611_evaluations():
    result = call("plan", "--max-resource", 243, "--eta", 3)
    assert result.exit_code == 0
    assert "6 brackets" in result.stdout and "611 evaluations" in result.stdout
    plan = json.loads(call("plan", "--max-resource", 243, "--json").stdout)
    assert (len(plan["brackets"]), plan["n_evaluations"]) == (6, 611)


@pytest.mark.parametrize(
    "options, evaluations",
    [
        (["successive-halving"], 121),
        (["random"], 64),
        (["adaptive"], 64),
        (["hyperband"], EVALUATIONS),
        (["hyperband", "--repetitions", "2"], 2 * EVALUATIONS),
        (["hyperband", "--repetitions", "endless"], EVALUATIONS),
        (["asha", "--n", "40"], 58),
        (["async-hyperband"], EVALUATIONS),
        (["pasha", "--n", "27"], 36),
        (["bohb"], EVALUATIONS),
        (["dehb"], EVALUATIONS),
        (["pbt", "--n", "8", "--interval", "27"], 24),
    ],
)
def test_plan_of_every_algorithm(options, evaluations):
    plan = json.loads(call("plan", "--algorithm", *options, "--json").stdout)
    assert plan["n_evaluations"] == evaluations
    assert plan["exact"] is (options[0] not in ("asha", "async-hyperband", "pasha"))
    assert plan["endless"] is ("endless" in options)


def test_a_plan_of_one_network_says_so(here):
    table(here / "t.csv")
    planned = call("plan", "--max-resource", 2)
    searched = call("search", "t.csv", "--target", "label", "--max-resource", 2, "--threads", 1, "--validation", 0.2)
    assert (planned.exit_code, searched.exit_code) == (0, 0)
    for result in (planned, searched):
        assert "note: The plan has one configuration, which is compared with none" in result.stderr
    assert "only one network was tried, and compared with none" in searched.stdout
    for options in (["--max-resource", 3], ["--max-resource", 2, "--algorithm", "successive-halving", "--n", 1]):
        assert "note" not in call("plan", *options).stderr
    quiet = call("search", "t.csv", "--target", "label", "--max-resource", 2, "--quiet", "--validation", 0.2)
    assert quiet.stderr == ""


def test_info_says_what_is_in_use_and_why():
    result = call("info")
    assert result.exit_code == 0
    for word in ("hyperband", "backend", "native", "cuda", "threads", "NumPy"):
        assert word in result.stdout
    assert json.loads(call("info", "--json").stdout)["backends"]["numpy"] == "available"


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version(argument):
    done = subprocess.run(
        [sys.executable, "-m", "hyperband", argument], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "hyperband" in done.stdout


def test_help_names_every_command():
    shown = call("-h").stdout
    assert all(
        name in shown for name in ("search", "space", "plan", "predict", "evaluate", "model", "distil", "info", "bench")
    )


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from hyperband.cli.main import main; main(['--help'], standalone_mode=False);"
        "heavy = {'numpy', 'polars', 'sklearn', 'numba', 'rich', 'pandas'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_search_then_the_printed_command(here):
    data = table(here / "my data.csv")
    result = call("search", data.name, "--target", "label", "--out", "my out", "--test", 0.2, *QUICK)
    assert result.exit_code == 0, result.output
    for words in (
        "22 evaluations of 17 networks",
        "test ",
        "accuracy",
        "the 10 best",
        "learning_rate",
        "model written",
    ):
        assert words in result.stdout
    printed = result.stdout.rstrip().splitlines()[-1]
    assert printed.strip().startswith("hyperband predict 'my out/model.hyperband' 'my data.csv'")
    again = call(*shlex.split(printed)[1:])
    assert again.exit_code == 0, again.output
    predictions = pl.read_csv(here / "my out" / "predictions.csv")
    assert predictions.columns == ["prediction", "probability_no", "probability_yes"]
    truth = pl.read_csv(data)["label"]
    assert (predictions["prediction"] == truth).mean() > 0.8
    sums = predictions["probability_no"] + predictions["probability_yes"]
    assert sums.to_numpy() == pytest.approx(1.0)
    trials = pl.read_csv(here / "my out" / "trials.csv")
    assert trials.height == 22
    assert {"trial", "bracket", "rung", "resource", "loss"} <= set(trials.columns)
    order = trials.select("bracket", "rung", "trial").rows()
    assert order == sorted(order)


def test_json_is_one_object_without_nan(here):
    result = call("search", "sklearn:iris", "--json", "--quiet", "--test", 0.2, *QUICK)
    assert result.exit_code == 0 and result.stderr == ""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    report = json.loads(result.stdout, parse_constant=refuse)
    assert {"configuration", "loss", "metric", "resource"} <= set(report["best"])
    assert report["best"]["loss"] > 0 and 0 <= report["best"]["metric"] <= 1
    assert 0 <= report["test"]["accuracy"] <= 1
    assert Path(report["model"]).is_file()
    assert json.loads((here / "hyperband-out" / "result.json").read_text()) == report


def test_regression_from_the_command_line(here):
    result = call("search", "sklearn:diabetes", "--json", "--quiet", *QUICK)
    report = json.loads(result.stdout)
    assert report["best"]["metric_name"] == "rmse" and report["test"] is None
    done = call("predict", report["model"], "sklearn:diabetes")
    lines = done.stdout.splitlines()
    assert lines[0] == "prediction" and len(lines) == 443


@pytest.mark.parametrize("resource", ["rows", "features"])
def test_other_resources(here, resource):
    result = call("search", "sklearn:wine", "--resource", resource, "--epochs", 3, "--json", "--quiet", "--threads", 1)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["unit"] == resource
    assert report["best"]["resource"] == {"rows": 142, "features": 13}[resource]


@pytest.mark.parametrize("algorithm", ["successive-halving", "random", "grid", "adaptive"])
def test_other_algorithms(here, algorithm):
    settings = ["--n", "9"] if algorithm != "grid" else ["--n", "30"]
    result = call("search", "sklearn:iris", "--algorithm", algorithm, *settings, "--json", "--quiet", *QUICK)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["n_configurations"] >= 9


@pytest.mark.parametrize(
    "options",
    [
        ["asha", "--n", "12"],
        ["async-hyperband"],
        ["pasha", "--n", "12"],
        ["bohb"],
        ["dehb"],
        ["pbt", "--n", "4", "--interval", "3"],
        ["hyperband", "--repetitions", "endless", "--time", "4s"],
    ],
    ids=lambda options: options[0],
)
def test_newer_algorithms(here, options):
    result = call("search", "sklearn:iris", "--algorithm", *options, "--json", "--quiet", *QUICK)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["n_evaluations"] >= (1 if "--time" in options else 12)
    assert report["best"]["resource"] <= 9


def test_a_target_that_nobody_named_is_told(here):
    table(here / "t.csv")
    result = call("search", "t.csv", *QUICK, "--json")
    assert "note: The target is label; --target names another column." in result.stderr
    assert json.loads(result.stdout)["target"] == ["label"]
    assert "The target is" not in call("search", "t.csv", "--target", "label", *QUICK, "--out", "o").stderr


def test_networks_that_see_the_table_differently_are_told_apart(here):
    table(here / "t.csv")
    report = call("search", "t.csv", "--target", "label", "--algorithm", "random", "--n", 6, *QUICK).stdout
    best = [line for line in report.splitlines() if " lr " in line]
    assert len(best) == 6 and all(line.rsplit(", ", 1)[1] in VIEWS for line in best)
    assert any(line.startswith("  view ") for line in report.splitlines())


def test_piped_progress_goes_to_stderr_as_plain_lines(here):
    process = command("search", "sklearn:wine", *QUICK, cwd=here)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    lines = [line for line in err.splitlines() if "bracket" in line]
    assert len(lines) > 1 and all(" epochs/s" in line and " trials left, " in line for line in lines)
    assert "bracket 2: rung 1 of 1, 0 trials left" in lines[-1]
    assert "\x1b" not in err + out
    assert " epochs/s" not in out and "model written to" in out


def test_quiet_says_nothing_on_stderr(here):
    process = command("search", "sklearn:wine", "--quiet", *QUICK, cwd=here)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "best network" in out


def test_ctrl_c_stops_with_the_best_so_far(here):
    rng = np.random.default_rng(0)
    big = {f"x{j}": rng.normal(size=20_000) for j in range(20)}
    pl.DataFrame({**big, "y": big["x0"] * big["x1"]}).write_csv(here / "big.csv")
    process = command("search", "big.csv", "--target", "y", "--max-resource", 6561, "--json", cwd=here)
    seen = ""
    for line in process.stderr:  # until the first loss is in
        seen += line
        if "best loss" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, seen + err
    report = json.loads(out)
    assert report["stopped"] == "interrupted" and report["best"]["loss"] > 0
    assert Path(here / report["model"]).is_file()


@pytest.mark.parametrize(
    ("text", "size"), [("4G", 4 << 30), ("1.5k", 1536), ("500MiB", 500 << 20), ("2tb", 2 << 40), ("1000", 1000)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    from hyperband.cli.options import Size

    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "G", "-1", "4X", "four", "0", "0.1"])
def test_other_sizes_are_refused(text):
    from hyperband.cli.options import Size

    with pytest.raises(click.BadParameter, match=r"not a size. Write 4G|not at least one byte"):
        Size().convert(text, None, None)


def test_a_memory_limit_changes_nothing_but_the_memory(here):
    for name, more in (("plenty", []), ("scarce", ["--memory-limit", "12M"])):
        assert call("search", "sklearn:iris", "--quiet", "--out", name, *QUICK, *more).exit_code == 0
    plenty, scarce = (pl.read_csv(here / name / "trials.csv")["loss"].to_list() for name in ("plenty", "scarce"))
    assert sorted(plenty) == sorted(scarce)
    refused = call("search", "sklearn:iris", "--memory-limit", "100", "--out", "none", *QUICK)
    assert refused.exit_code != 0 and "100 are free" in refused.stderr
    assert not (here / "none").exists()


def test_time_limit_hands_over_the_best_so_far(here):
    result = call("search", "sklearn:digits", "--max-resource", 19683, "--time", "2s", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["stopped"] == "time" and report["cost"] < 19683  # how busy the machine is decides about the seconds


def test_same_seed_same_result(here):
    results = [call("search", "sklearn:wine", "--json", "--quiet", "--out", name, *QUICK) for name in "ab"]
    bests = [json.loads(result.stdout)["best"] for result in results]
    assert bests[0] == bests[1]
    other = call("search", "sklearn:wine", "--json", "--quiet", "--seed", 1, *QUICK)
    assert json.loads(other.stdout)["best"] != bests[0]


def test_held_out_files(here):
    data, test = table(here / "train.csv"), table(here / "test.csv", seed=1)
    result = call("search", data, "--target", "label", "--test", test, "--json", "--quiet", *QUICK, "--validation", 0.3)
    report = json.loads(result.stdout)
    assert report["test"]["accuracy"] > 0.7


def refused(*arguments):
    """The one line of an error, the last that is said; checks the exit code and that nothing is left behind."""
    before = sorted(str(p) for p in Path.cwd().rglob("*"))
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert sorted(str(p) for p in Path.cwd().rglob("*")) == before, "something half-written was left behind"
    lines = result.stderr.strip().splitlines()
    assert [line.startswith("error: ") for line in lines] == [False] * (len(lines) - 1) + [True], result.stderr
    assert "Traceback" not in result.stderr
    return lines[-1]


def test_bad_tables_are_refused_in_one_line(here):
    table(here / "good.csv")
    (here / "empty.csv").write_text("")
    (here / "one.csv").write_text("a,label\n1,x\n")
    (here / "fake.parquet").write_text("a,b\n1,2\n")
    (here / "oneclass.csv").write_text("a,label\n" + "1,x\n2,x\n" * 9)
    (here / "flat.csv").write_text("a,label\n" + "".join(f"{k},0.5\n" for k in range(30)))
    (here / "infinite.csv").write_text("a,label\ninf,x\n" + "1,x\n2,y\n" * 9)

    def search(name, target="label", *more):
        return refused("search", name, "--target", target, *more, *QUICK)

    assert "'income'" in search("good.csv", "income")
    assert "nowhere.csv" in search("nowhere.csv")
    search("empty.csv")
    assert "row" in search("one.csv")
    assert "parquet" in search("fake.parquet")
    assert "two classes" in search("oneclass.csv")
    search("flat.csv", "label", "--task", "regression")
    assert "inf" in search("infinite.csv")
    assert "sklearn:" in search("sklearn:digts", "target")


@pytest.mark.parametrize(
    "options, words",
    [
        (["--eta", "1"], "--eta must be greater than 1; got 1"),
        (["--eta", "0.5"], "--eta must be greater than 1; got 0.5"),
        (["--max-resource", "3", "--min-resource", "9"], "--max-resource must be at least --min-resource"),
        (["--max-resource", "0"], "greater than 0"),
        (["--algorithm", "random", "--eta", "4"], "--eta does not belong to --algorithm random"),
        (["--n", "9"], "--n does not belong to --algorithm hyperband"),
        (
            ["--algorithm", "asha"],
            "The search must have a limit when the algorithm has no end; got none. Pass for instance --time 10m, or",
        ),
        (
            ["--repetitions", "endless"],
            "The search must have a limit when the algorithm has no end; got none. Pass for instance --time 10m, or",
        ),
        (["--algorithm", "pbt", "--interval", "100"], "--interval must be at most --max-resource (81); got 100"),
        (["--backend", "cuda:999"], "Backend 'cuda:999' cannot be used"),
        (["--backend", "fast"], "must be one of"),
        (["--backend", "numpy", "--precision", "bf16"], "no bf16 products"),
        (["--backend", "native", "--precision", "tf32"], "no tf32 products"),
        (["--backend", "native", "--device-memory", "1G"], "--device-memory is for --backend cuda"),
        (["--threads", "0"], "--threads must"),
        (["--seed", "-1"], "--seed must"),
        (["--epochs", "5"], "--epochs is for --resource rows or features"),
        (["--resource", "rows", "--max-resource", "9999"], "at most the number of training rows"),
        (["--test", "0.9", "--validation", "0.3"], "rows to train on"),
        (["--test", "1.5"], "--test must be a fraction"),
        (["--drop", "nothing"], "--drop must name a column of the table; got 'nothing'"),
    ],
)
def test_bad_options_are_refused_in_one_line(here, options, words):
    assert words in refused("search", "sklearn:iris", "--validation", "0.2", *options)


def test_the_plan_of_a_grid_needs_its_space(here):
    assert "--algorithm of a plan must be one that plans without the table" in refused("plan", "--algorithm", "grid")


def test_usage_errors_exit_with_2(here):
    bad = (["--time", "soon"], ["--time", "0s"], ["--algorithm", "best"], ["--max-resource", "many"], ["--nope"])
    bad += (["--repetitions", "²"], ["--repetitions", "0"])
    for options in bad:
        assert call("search", "sklearn:iris", *options).exit_code == 2
    assert call("serach").exit_code == 2


def test_output_is_checked_before_the_search(here):
    (here / "file").write_text("")
    start = time.monotonic()
    message = refused("search", "sklearn:digits", "--max-resource", 6561, "--out", "file")
    assert "must be a folder" in message
    assert "must be writable" in refused("search", "sklearn:digits", "--max-resource", 6561, "--out", "/proc/nowhere/x")
    assert time.monotonic() - start < 5


def test_predict_refuses_what_is_no_model(here):
    table(here / "good.csv")
    (here / "broken.hyperband").write_bytes(b"PK\x03\x04 not a zip")
    assert "broken.hyperband" in refused("predict", "broken.hyperband", "good.csv")
    assert "absent.hyperband" in refused("predict", "absent.hyperband", "good.csv")


def test_predict_refuses_a_table_without_the_columns(here):
    table(here / "good.csv")
    assert call("search", "good.csv", "--target", "label", "--quiet", *QUICK).exit_code == 0
    (here / "other.csv").write_text("a,c\n1,2\n3,4\n")
    assert "'b'" in refused("predict", "hyperband-out/model.hyperband", "other.csv", "--out", "p.csv")
    assert "folder" in refused("predict", "hyperband-out/model.hyperband", "good.csv", "--out", ".")


def test_the_plan_of_a_table_has_a_time(here):
    table(here / "t.csv", n=200)
    shown = call("plan", "t.csv", "--target", "label", "--max-resource", 27, "--validation", 0.2)
    assert shown.exit_code == 0, shown.output
    assert "4 brackets" in shown.stdout and "s of training here" in shown.stdout
    timed = json.loads(call("plan", "t.csv", "--target", "label", "--time", "20s", "--json").stdout)
    assert timed["seconds"] > 0 and timed["epochs_per_second"] > 0


@pytest.mark.parametrize("options", [["--target", "label"], ["--drop", "a"], ["--threads", 1], ["--seed", 0]])
def test_a_plan_without_a_table_refuses_options_of_one(here, options):
    assert f"{options[0]} needs a TABLE; got none" in refused("plan", *options)
