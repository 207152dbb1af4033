"""The exported contracts catch mistakes: third-party implementations with one fault each fail the check named.

They are run as a third party runs them: a file and a folder of their own, without the settings of this project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: File in tests/support -> checks that the implementation without a fault is to pass here.
FILES = {
    "broken_samplers": "TestHealthy",
    "broken_schedulers": "TestHealthy",
    "broken_backends": "TestHealthy and (gradient or state or everything or order or rows)",
}
CASES = [(file, name) for file in FILES for name in import_module(file).MUST_FAIL]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("third party")


@cache
def outcomes(file: str, folder: Path) -> dict[tuple[str, str], list[str]]:
    """Messages of the failures by class and check; an empty list where a check passed in all of its cases."""
    shutil.copy(ROOT / "tests" / "support" / f"{file}.py", folder / f"test_{file}.py")
    faults = import_module(file).MUST_FAIL
    selection = " or ".join([f"({FILES[file]})", *(f"({name} and {check})" for name, (check, _) in faults.items())])
    report = folder / f"{file}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", "-k", selection]
    done = subprocess.run(
        [*command, f"test_{file}.py"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[tuple[str, str], list[str]] = {}
    for case in xml.parse(report).iter("testcase"):
        key = (case.attrib["classname"].split(".")[-1], case.attrib["name"].split("[")[0])
        found.setdefault(key, []).extend(part.attrib["message"] for part in case if part.tag in ("failure", "error"))
    return found


@pytest.mark.parametrize("file", FILES)
def test_an_implementation_without_a_fault_passes(file: str, folder: Path) -> None:
    found = {key: messages for key, messages in outcomes(file, folder).items() if key[0] == "TestHealthy"}
    assert len(found) >= 10
    assert {key: messages for key, messages in found.items() if messages} == {}


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}-{name}" for file, name in CASES])
def test_a_fault_is_caught_and_named(file: str, name: str, folder: Path) -> None:
    check, words = import_module(file).MUST_FAIL[name]
    messages = outcomes(file, folder)[name, check]
    assert messages, f"{name} must fail {check}"
    assert any(words in message for message in messages), messages


def test_without_pytest_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['pytest'] = None\nfrom hyperband.testing import lab, SamplerContract"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "`hyperband.testing` needs pytest, which is not installed. Install it: pip install pytest" in done.stderr
