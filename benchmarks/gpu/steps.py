"""Programs that run one after another, each within a time limit, and their records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

#: Lines of a program's output that its record keeps, and seconds for it to end by itself after it was told to.
KEPT, GRACE = 60, 5.0


class Steps:
    """Steps that share a time limit.

    Parameters
    ----------
    logs : folder for what programs print
    seconds : float, for everything
    reserve : float, seconds of it that steps leave to later ones; set it to 0 for those
    environment : mapping, variables for all steps
    """

    def __init__(self, logs: Path, seconds: float, reserve: float, environment: Mapping[str, str]) -> None:
        self._logs, self._seconds, self.reserve = logs, seconds, min(reserve, seconds / 2)
        self.environment, self.folder = dict(environment), Path.cwd()
        self._began = time.monotonic()
        self._records: dict[str, dict[str, Any]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def left(self) -> float:
        """Seconds for the next step."""
        return max(0.0, self._seconds - self.reserve - self.spent())

    def run(
        self, name: str, command: Sequence[str], limit: float, environment: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Run a program; returns its record: status ("passed", "failed", "timed out", "skipped"), seconds, output."""
        limit = min(limit, self.left())
        if limit < 1.0:
            return self.skip(name, "no time is left for it", essential=True)
        click.echo(f"== {name}: at most {limit:.0f} s ==")
        log = self._logs / f"{''.join(c if c.isalnum() else '-' for c in name)}.log"
        began = time.monotonic()
        status, code = _run(command, limit, log, self._variables(environment), self.folder)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        record = {"status": status, "code": code, "seconds": time.monotonic() - began, "output": lines[-KEPT:]}
        self._records[name] = record
        click.echo("\n".join(f"   {line[:200]}" for line in lines[-12:]))
        click.echo(
            f"   {status} after {record['seconds']:.1f} s" + ("" if code in (0, None) else f", exit code {code}")
        )
        return record

    def skip(self, name: str, reason: str, essential: bool = False) -> dict[str, Any]:
        """Record that a step is left out, and why; one that is essential counts as failed."""
        click.echo(f"== {name}: SKIPPED, {reason} ==")
        self._records[name] = {"status": "skipped", "reason": reason, "essential": essential}
        return self._records[name]

    def ask(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a short program prints as JSON, empty when it fails; it is not recorded as a step."""
        try:
            done = subprocess.run(
                command, env=self._variables(environment), cwd=self.folder,
                capture_output=True, text=True, check=True, timeout=max(1.0, min(30.0, self.left())),
            )  # fmt: skip
            found: dict[str, Any] = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, json.JSONDecodeError):
            return {}
        return found

    def passed(self, name: str) -> bool:
        """Whether a step ran and passed."""
        return self._records.get(name, {}).get("status") == "passed"

    def failures(self) -> list[str]:
        """Steps that failed, ran out of time, or were essential and left out."""
        return [
            name
            for name, r in self._records.items()
            if r["status"] in ("failed", "timed out") or (r["status"] == "skipped" and r["essential"])
        ]

    def records(self) -> dict[str, dict[str, Any]]:
        """Records by step, in their order; passed ones keep only the end of their output."""
        return {
            name: {**r, "output": r["output"][-15:]} if r["status"] == "passed" else r
            for name, r in self._records.items()
        }

    def _variables(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1", **self.environment, **(more or {})}


def take_json(record: dict[str, Any]) -> dict[str, Any]:
    """Remove the last line of JSON from a step's output and return it; empty when there is none."""
    for number, line in reversed(list(enumerate(record.get("output", [])))):
        if line.startswith("{"):
            del record["output"][number]
            found: dict[str, Any] = json.loads(line)
            return found
    return {}


def _run(
    command: Sequence[str], limit: float, log: Path, environment: Mapping[str, str], folder: Path
) -> tuple[str, int | None]:
    """Status and exit code; after ``limit`` seconds the program and its children get Ctrl-C, then are killed."""
    with log.open("wb") as file:
        try:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=folder,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            file.write(f"{error}\n".encode())
            return "failed", None
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            _end(process)
            return "timed out", None
        except BaseException:
            _end(process)
            raise
    return ("passed" if code == 0 else "failed"), code


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the whole group of processes, then kill what is left of it."""
    for number, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
