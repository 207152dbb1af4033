"""The exported contracts catch mistakes: third-party implementations with one fault each fail the check that is named.

They are run as a third party runs them: a file of its own, in a folder of its own, without the settings of this project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: File in tests/support -> checks that the implementation without a fault must pass here.
FILES = {
    "broken_samplers": "TestHealthy",
    "broken_schedulers": "TestHealthy",
    "broken_backends": "TestHealthy and (gradient or state or everything or order)",
}
CASES = [(file, name) for file in FILES for name in import_module(file).MUST_FAIL]


def outcomes(file: str, folder: Path, selection: str) -> dict[tuple[str, str], list[str]]:
    """Messages of the failures by class and check; an empty list where a check passed in all of its cases."""
    shutil.copy(ROOT / "tests" / "support" / f"{file}.py", folder / f"test_{file}.py")
    report = folder / "report.xml"
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
def test_an_implementation_without_a_fault_passes(file: str, tmp_path: Path) -> None:
    found = outcomes(file, tmp_path, FILES[file])
    assert len(found) >= 10
    assert {key: messages for key, messages in found.items() if messages} == {}


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}-{name}" for file, name in CASES])
def test_a_fault_is_caught_and_named(file: str, name: str, tmp_path: Path) -> None:
    check, words = import_module(file).MUST_FAIL[name]
    messages = outcomes(file, tmp_path, f"{name} and {check}")[name, check]
    assert messages, f"{name} must fail {check}"
    assert any(words in message for message in messages), messages
