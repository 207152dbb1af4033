"""Run after run, each in a process of its own, appended to the file as it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from benchmarks.accuracy import runs
from benchmarks.accuracy.child import busy
from benchmarks.accuracy.runs import Work
from benchmarks.common.paths import ROOT

#: Libraries that start threads of their own read how many from these.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "POLARS_MAX_THREADS")
#: Seconds that imports, reading and prediction may take beyond twice the budget before a run is ended.
GRACE = 300
#: Cores that other processes may use for the machine to be called quiet.
QUIET = 0.3

Execute = Callable[[Work], Mapping[str, Any]]


def in_child(work: Work, threads: int) -> dict[str, Any]:
    """The outcome of a run in a new process, which is ended with all that it started when it takes too long."""
    limit = 2 * work.budget + GRACE if work.unit == "seconds" else None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.json"
        file.write_text(json.dumps({"work": work.to_dict(), "threads": threads}), encoding="utf-8")
        with (Path(folder) / "stderr").open("w+b") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.accuracy.child", str(file)],
                cwd=ROOT,
                env={**os.environ, **dict.fromkeys(THREADS, str(threads))},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                return {"error": f"ended after {limit:g} s"}
            finally:
                _end(process)
            if code:
                stderr.seek(0)
                return {"error": f"exit status {code}: {stderr.read().decode(errors='replace')[-1500:]}"}
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_quiet(longest: float) -> None:
    """Wait until other processes have left the machine alone for a second; so many seconds at most."""
    end = time.monotonic() + longest
    while time.monotonic() < end and (before := busy()) is not None:
        began = time.monotonic()
        time.sleep(1.0)
        if ((busy() or 0.0) - before) / (time.monotonic() - began) < QUIET:
            return


@dataclass
class Session:
    """Runs of one call of the command.

    Parameters
    ----------
    file : Path, where runs are appended
    stamp : mapping, fields of every line: commit, machine, source, date
    deadline : float, seconds from now; no run is started that would end later
    any_commit : bool, whether runs of other commits need not be repeated
    """

    file: Path
    stamp: Mapping[str, Any]
    deadline: float = float("inf")
    any_commit: bool = False
    _began: float = field(default_factory=time.monotonic)

    def carry_out(self, todo: Sequence[Work], execute: Execute) -> None:
        """Every run that is not there yet, with a line on the screen for each."""
        there = runs.done(runs.read(self.file), None if self.any_commit else self.stamp["commit"])
        for work in todo:
            if work in there:
                _say(work, "there already")
                continue
            length = work.budget if work.unit == "seconds" else 0.0
            if time.monotonic() - self._began + length > self.deadline:
                _say(work, "left out, it would end after the deadline")
                continue
            found = execute(work)
            if "skipped" in found:
                _say(work, f"left out, {found['skipped']}")
                continue
            runs.append(self.file, {**work.to_dict(), **self.stamp, **found})
            _say(work, described(found))


def described(found: Mapping[str, Any]) -> str:
    """An outcome in a line."""
    if "error" in found:
        return "went wrong: " + found["error"].strip().splitlines()[-1]
    figures = ", ".join(f"{name} {value:.5g}" for name, value in found["metrics"].items())
    mark = f"; disturbed: others used {found['other_cores']:g} cores" if found["disturbed"] else ""
    return f"{figures} after {found['seconds']:.1f} s{mark}"


def _say(work: Work, what: str) -> None:
    click.echo(f"{work.set}, {work.contender}, seed {work.seed}, {work.budget:g} {work.unit}: {what}")
