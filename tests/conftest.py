"""For every test: where the real data is, and a report of the backends and instruction sets that really ran."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from required import REQUIRED

from hyperband._common import build_info
from hyperband.engine.backends import registry

ROOT = Path(__file__).resolve().parent.parent

# A shell starts what it runs in the background with SIGINT ignored, and the tests of Ctrl-C need it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# No test fails because the machine is busy; in CI the draws are the same in every run.
hypothesis.settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets: ``HYPERBAND_DATA``, or ``../shared/data`` beside the project."""
    folder = Path(os.environ.get("HYPERBAND_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there is no folder of real data sets at {folder}; set HYPERBAND_DATA to one")
    return folder


class _Engines:
    """Counts the engines that this run made, by backend and instruction set."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def watch(self) -> Iterator[None]:
        kinds: set[Any] = {type(registry.get(name)) for name, reason in registry.available().items() if not reason}
        if not registry.available()["native"]:
            kinds.add(import_module("hyperband.engine.backends.cuda").CudaBackend)  # tests make it without a GPU too
        originals = {kind: kind.engine for kind in kinds}
        for kind in kinds:
            kind.engine = self._counting(kind.engine)
        yield
        for kind, original in originals.items():
            kind.engine = original

    def _counting(self, original: Any) -> Any:
        def engine(this: Any, *args: Any, **more: Any) -> Any:
            isa = this.describe().get("instruction set", "").split(" ")[0]
            self.made[f"{this.name} {isa}".strip()] += 1
            return original(this, *args, **more)

        return engine


_engines = _Engines()


@pytest.fixture(scope="session", autouse=True)
def _count_engines() -> Iterator[None]:
    yield from _engines.watch()


@pytest.fixture(scope="session")
def ran_elsewhere() -> Counter[str]:
    """Tests that run an engine in another process say so here: ``ran_elsewhere["native avx2"] += 1``."""
    return _engines.made


def pytest_report_header() -> list[str]:
    lines = [f"hyperband build: {build_info.summary()}"]
    for name, reason in registry.available().items():
        lines.append(f"backend {name}: {reason or 'available; ' + _described(name)}")
    return lines


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("engines that really ran")
    for name, count in sorted(_engines.made.items()):
        terminalreporter.line(f"{name}: {count} engines")
    if not _engines.made:
        terminalreporter.line("none in this process")
    for name, reason in registry.available().items():
        if reason:
            terminalreporter.line(f"{name}: DID NOT RUN. {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: the first one prints what all of them made
        session.config.workeroutput["engines"] = dict(_engines.made)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what one of the processes made among which pytest-xdist deals the tests."""
    _engines.made.update(getattr(node, "workeroutput", {}).get("engines", {}))


def pytest_sessionstart(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return
    for name in REQUIRED:
        reason = registry.available().get(name, "there is no such backend")
        if reason:
            pytest.exit(f"HYPERBAND_REQUIRE names {name}, which cannot be used. {reason}", returncode=1)


def _described(name: str) -> str:
    return ", ".join(f"{key} {value}" for key, value in registry.get(name).describe().items())
