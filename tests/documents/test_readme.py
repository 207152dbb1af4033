"""Every command and every Python example of the README runs as it is printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hyperband.cli.main import main
from hyperband.engine.backends import registry

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
PYTHON = [code for kind, code in BLOCKS if kind == "python"]
SHELL = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines() if line.strip()]

#: Commands that set up a machine; the two `make` targets are what the continuous integration itself calls.
SETUP = ("git clone ", "cd ", "make ", "pip install ")


def test_the_readme_has_examples():
    assert len(PYTHON) >= 4 and len(SHELL) >= 5
    assert {kind for kind, _ in BLOCKS} <= {"python", "sh", "text"}, "only blocks that this test knows how to run"


def test_setup_commands_exist():
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = [line.split()[1] for line in SHELL if line.startswith("make ")]
    assert named and set(named) <= targets


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each command of this package prints, run in their order in one folder."""
    shown = {}
    here = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("readme"))
    try:
        for line in SHELL:
            if line.startswith(SETUP):
                continue
            words = shlex.split(line, comments=True)
            assert words[0] == "hyperband", f"{line!r}: neither a command of this package nor one that sets it up"
            result = CliRunner().invoke(main, words[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
            shown[line] = result.stdout
    finally:
        os.chdir(here)
    return shown


def test_commands_run_in_their_order(printed):
    assert {"search", "plan", "predict", "info"} <= {line.split()[1] for line in printed}


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.splitlines()[-1][:40])
def test_python_example_runs(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"


def test_the_printed_plan_is_the_real_one():
    (shown,) = (code for kind, code in BLOCKS if kind == "text" and "611 evaluations" in code)
    result = CliRunner().invoke(main, ["plan", "--max-resource", "243", "--eta", "3"])
    assert shown.strip() == result.stdout.strip()


def without_time(text: str) -> str:
    return re.sub(r"\d+\.\d s$", "... s", text.strip(), flags=re.MULTILINE)


@pytest.mark.skipif(bool(registry.available()["native"]), reason="the printed search is that of the compiled engine")
def test_the_printed_search_is_the_real_one(printed):
    """To the last digit of every loss: curves do not depend on the machine."""
    (shown,) = (code for kind, code in BLOCKS if kind == "text" and re.search(r"the \d+ best", code))
    assert without_time(shown) == without_time(printed[SHELL[0]])
