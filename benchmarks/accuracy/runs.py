"""Runs as lines of JSON in one file: what is there, what is still to do, which run of several counts.

A line has ``set``, ``contender``, ``seed``, ``budget`` and ``unit``; ``commit``, ``machine``, ``source`` and ``date``;
then either ``error``, or what `benchmarks.accuracy.child.carry_out` returns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.paths import RESULTS

FILE, ABLATION_FILE = RESULTS / "accuracy.jsonl", RESULTS / "ablation.jsonl"
LEFT_OUT_FILE = RESULTS / "left_out.jsonl"
#: Cores that other processes used on average, above which a run is marked as disturbed.
DISTURBED = 0.15
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """One run."""

    set: str
    contender: str
    seed: int
    budget: float
    unit: str = "seconds"

    @classmethod
    def of(cls, record: Record) -> Work:
        """What a line is a run of."""
        return cls(*(record[name] for name in ("set", "contender", "seed")), float(record["budget"]), record["unit"])

    def to_dict(self) -> dict[str, Any]:
        """As the first fields of a line."""
        return asdict(self)


def read(file: Path) -> list[dict[str, Any]]:
    """All lines; none where there is no file."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def append(file: Path, record: Record) -> None:
    """One more line. It is written by one call, so that a run that is cut off leaves no half line."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record, separators=(",", ":"), default=str) + "\n")


def done(records: Iterable[Record], commit: str | None) -> set[Work]:
    """Runs that need not be repeated: those with figures, of this commit (None: of any)."""
    return {Work.of(r) for r in records if "metrics" in r and commit in (None, r["commit"])}


def counting(records: Sequence[Record]) -> dict[Work, Record]:
    """The run that counts of each kind: the last undisturbed one of its last commit, else the last of that commit."""
    groups: dict[Work, list[Record]] = {}
    for record in records:
        if "metrics" in record:
            groups.setdefault(Work.of(record), []).append(record)
    chosen = {}
    for work, group in groups.items():
        last = [record for record in group if record["commit"] == group[-1]["commit"]]
        chosen[work] = ([record for record in last if not record.get("disturbed")] or last)[-1]
    return chosen
