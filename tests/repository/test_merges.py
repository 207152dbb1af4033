"""No file holds what a merge left behind."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("hyperband", "csrc", "tests", "benchmarks", "docs", "examples", ".ci")
SUFFIXES = {".py", ".pyi", ".md", ".hpp", ".cpp", ".cu", ".cuh", ".toml", ".cmake", ".txt", ".json", ".yml", ""}
MARK = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)", re.M)


def test_no_mark_of_a_conflict() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    paths += [path for path in ROOT.iterdir() if path.name in ("Makefile", "CMakeLists.txt") or path.suffix == ".md"]
    read = [path for path in paths if path.is_file() and path.suffix in SUFFIXES and "__pycache__" not in path.parts]
    assert len(read) > 300
    found = [path.relative_to(ROOT).as_posix() for path in read if MARK.search(path.read_text("utf-8", "replace"))]
    assert not found


def test_a_mark_is_noticed() -> None:
    assert MARK.search("a\n" + "<" * 7 + " HEAD\nb") and MARK.search(">" * 7 + " other")
    assert not MARK.search("cout << x;\n" + "=" * 7 + "\nheading")
