"""Every file in `examples/` runs unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import hyperband_81_3
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


#: Examples that need a package that the tests do not; without it they say so and end.
NEEDS = {"pytorch_loop": "torch"}


def run(path: Path, folder: Path, *arguments: str) -> str:
    """The output of an example, which must run with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_examples():
    names = {path.stem for path in EXAMPLES}
    assert {"compare_algorithms", "random_features", "training_rows", "external_program", *NEEDS} <= names


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    said = run(path, tmp_path)
    assert not list(tmp_path.iterdir()), "an example must not leave files behind"
    needed = NEEDS.get(path.stem)
    if needed and find_spec(needed) is None:
        assert said.startswith(f"skipped: {needed} is not installed")
        pytest.skip(f"{needed} is not installed: the example says so and ends")
    assert "best" in said


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_teaches(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert len(text.splitlines()) < 80


def test_the_comparison_draws_its_landscapes(tmp_path):
    said = run(ROOT / "examples" / "compare_algorithms.py", tmp_path, "--plot", "found.png")
    assert "landscapes: found.png" in said
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_the_classic_algorithms_spend_about_the_same(tmp_path):
    lines = run(ROOT / "examples" / "compare_algorithms.py", tmp_path).splitlines()[1:6]
    spent = [float(line.split()[-2]) for line in lines]
    assert max(spent) / min(spent) < 1.1
    assert max(spent) == hyperband_81_3.COST
