"""One word for one thing: words that the glossary of CONTRIBUTING.md replaces do not come back."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Retired word (a regular expression, whole words, any case) -> what the field says.
RETIRED = {
    "twins?": "implementation",
    "mates?": "other networks trained at the same time",
    "books": "state, bookkeeping",
    "who is tried": "sampling",
    "who goes on": "promotion",
    "lots?": "proposal batch",
    "crews?": "worker pool",
    "(?<!CUDA_)homes?": "worker affinity",
    "obituar(?:y|ies)": "exit reason",
    "bury|buried": "drop a worker",
    "peace": "grace period",
    "judg(?:e|ed|es|ing|ement)": "validate, evaluate",
    "born|births?": "initialise",
    "(?<!of )courses?": "training cursor",
    "seats?": "training target",
    "take[_ ]down": "record a validation",
    "switch(?:ed|es)?[_ ]off": "inactive",
    "densities": "kernel density estimate",
    "amounts?": "resource",
    "in words": "with an explanatory message; constraint expression",
    "ladders?": "asynchronous rungs",
}
#: Words that are names of classes, so that case counts.
RETIRED_NAMES = {"News": "Event"}
#: Names of things in code that said too little; in prose "in place" is good English.
RETIRED_IDENTIFIERS = {"places?": "column, slot, memory plan, runner: whichever it is"}
#: Of memory on a GPU.
RETIRED_IN_KERNELS = {"far": "global memory", "near": "shared memory"}

SUFFIXES = {".py", ".pyi", ".md", ".hpp", ".cpp", ".cu", ".cuh", ".toml", ".cmake", ".txt"}
ROOMS = [
    *sorted(path for path in (ROOT / "hyperband").iterdir() if path.is_dir() and path.name != "__pycache__"),
    *sorted(path for path in (ROOT / "csrc").iterdir() if path.is_dir()),
    *(ROOT / name for name in ("benchmarks", "tests", "docs", "examples")),
]


def files(room: Path) -> Iterator[Path]:
    """Texts of a room that people read and write."""
    for path in sorted(room.rglob("*")):
        if path.suffix in SUFFIXES and path != Path(__file__).resolve() and "__pycache__" not in path.parts:
            yield path


def retired(text: str, words: dict[str, str], flags: int = re.IGNORECASE) -> Iterator[tuple[int, str, str]]:
    """Line, word and its replacement."""
    for word, better in words.items():
        for match in re.finditer(rf"(?<![A-Za-z])(?:{word})(?![a-z])", text, flags):
            yield text.count("\n", 0, match.start()) + 1, match[0], better


def identifiers(path: Path, text: str) -> str:
    """The code without comments and strings, line by line where it was."""
    if path.suffix in (".py", ".pyi"):
        lines: dict[int, list[str]] = {}
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                lines.setdefault(token.start[0], []).append(token.string)
        return "\n".join(" ".join(lines.get(number, [])) for number in range(1, text.count("\n") + 2))
    if path.suffix in (".hpp", ".cpp", ".cu", ".cuh"):
        return re.sub(r"//[^\n]*|\"[^\"\n]*\"", "", text)
    return ""


def faults(paths: Iterator[Path]) -> list[str]:
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        hits = [*retired(text, RETIRED), *retired(text, RETIRED_NAMES, 0)]
        hits += retired(identifiers(path, text), RETIRED_IDENTIFIERS)
        if "csrc" in path.parts:
            hits += retired(text, RETIRED_IN_KERNELS)
        found += [f"{path.relative_to(ROOT)}:{line}: {word!r}; say {better}" for line, word, better in sorted(hits)]
    return found


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(ROOT).as_posix())
def test_no_retired_word(room: Path) -> None:
    found = faults(files(room))
    assert not found, "\n".join([f"{len(found)} retired words", *found[:200]])


def test_no_retired_word_at_the_top() -> None:
    tops = [*ROOT.glob("*.md"), *(ROOT / "hyperband").glob("*.py*"), ROOT / "pyproject.toml", ROOT / "CMakeLists.txt"]
    found = faults(iter(sorted(tops)))
    assert not found, "\n".join([f"{len(found)} retired words", *found])


def test_a_retired_word_is_noticed() -> None:
    assert [word for _, word, _ in retired("the best mates, Crew_of, estimates, of course", RETIRED)] == [
        "mates",
        "Crew",
    ]
    assert "place" in identifiers(Path("x.py"), "place = 'places'  # in place") and not identifiers(Path("x.md"), "x")
