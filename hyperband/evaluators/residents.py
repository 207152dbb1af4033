"""Which networks are in the engine's memory: paused ones make room for others by going to disk for a while."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyperband.architecture import Architecture
from hyperband.backends.base import I64, Engine, Member
from hyperband.errors import InsufficientMemory
from hyperband.memory import free_bytes

#: Of the free memory, what networks may take; the rest is left to scratch space, results and other programs.
USABLE = 0.8

#: Bytes of networks that are made at a time.
CHUNK = 64 << 20


@dataclass(slots=True)
class _Network:
    member: Member
    n_bytes: int
    id: int | None = None  # in the engine
    file: Path | None = None  # on disk


class Residents:
    """The networks of a search, by trial.

    A network is born when it is first due, and lives in the engine from then on. When memory is short, those that are
    paused (waiting for their rung to fill) are written to a temporary folder and read back when they are due again;
    their curves do not change by that.

    Parameters
    ----------
    engine : Engine
    budget : int or None
        Bytes that networks may take. None: 80 % of what is free now.
    """

    def __init__(self, engine: Engine, budget: int | None = None) -> None:
        self._engine = engine
        free = free_bytes()
        self._budget = budget if budget is not None else None if free is None else int(free * USABLE)
        self._networks: dict[int, _Network] = {}
        self._sizes: dict[Architecture, int] = {}
        self._used = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # removed at exit, whatever happens

    def declare(self, trial: int, member: Member) -> None:
        """A new network, not allocated yet."""
        size = self._sizes.get(member.architecture)
        if size is None:
            size = self._sizes[member.architecture] = self._engine.bytes_per_member(member.architecture)
        self._networks[trial] = _Network(member, size)

    def __contains__(self, trial: int) -> bool:
        return trial in self._networks

    def member(self, trial: int) -> Member:
        """What the network was born from."""
        return self._networks[trial].member

    def ids(self, trials: Iterable[int]) -> I64:
        """Engine ids of networks that are resident."""
        return np.array([self._networks[t].id for t in trials], dtype=np.int64)

    def bring(self, due: Collection[int], seconds: float = math.inf) -> list[int]:
        """Make as many of the due networks resident as fit, in their order; returns those that are.

        After about ``seconds`` the rest is left for the next call: thousands of networks take a while to be born.

        Raises
        ------
        InsufficientMemory
            When not even one of them fits.
        """
        waiting = [t for t in due if self._networks[t].id is None]
        deadline = time.monotonic() + seconds
        for chunk in self._chunks(self._fitting(waiting, set(due))):
            self._allocate(chunk)
            if time.monotonic() > deadline:
                break
        resident = [t for t in due if self._networks[t].id is not None]
        if due and not resident:
            network = self._networks[waiting[0]]
            free = (self._budget or 0) - self._used
            raise InsufficientMemory(
                f"One network must fit in free memory: widths {list(network.member.architecture.widths)} need "
                f"{network.n_bytes:,} bytes, {free:,} are free. Use smaller widths in the space."
            )
        return resident

    def _fitting(self, waiting: list[int], due: set[int]) -> list[int]:
        if self._budget is None:
            return waiting
        idle = [t for t, network in self._networks.items() if network.id is not None and t not in due]
        chosen, needed = [], 0
        for trial in waiting:
            size = self._networks[trial].n_bytes
            while idle and self._used + needed + size > self._budget:
                self._spill(idle.pop(0))
            if self._used + needed + size > self._budget:
                break  # in order: a small one must not overtake for ever
            chosen.append(trial)
            needed += size
        return chosen

    def _chunks(self, trials: list[int]) -> Iterator[list[int]]:
        """Parts that are quickly made, so that Ctrl-C is heard."""
        chunk: list[int] = []
        size = 0
        for trial in trials:
            chunk.append(trial)
            size += self._networks[trial].n_bytes
            if size >= CHUNK:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _allocate(self, trials: list[int]) -> None:
        networks = [self._networks[t] for t in trials]
        ids = self._engine.add([network.member for network in networks])
        for network, identity in zip(networks, ids.tolist(), strict=True):
            network.id = int(identity)
            self._used += network.n_bytes
            if network.file is not None:
                with np.load(network.file, allow_pickle=False) as state:
                    self._engine.import_state(network.id, dict(state))
                network.file.unlink()
                network.file = None

    def _spill(self, trial: int) -> None:
        network = self._networks[trial]
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="hyperband-")
        state: dict[str, NDArray[np.generic]] = self._engine.export_state(int(self.ids([trial])[0]))
        file = Path(self._folder.name) / f"{trial}.npz"
        np.savez(file, **state)  # type: ignore[arg-type]
        self._forget(network)
        network.file = file

    def _forget(self, network: _Network) -> None:
        if network.id is not None:
            self._engine.release(np.array([network.id], dtype=np.int64))
            self._used -= network.n_bytes
            network.id = None
        if network.file is not None:
            network.file.unlink(missing_ok=True)
            network.file = None

    def release(self, trials: Iterable[int]) -> None:
        """These networks will never go on."""
        for trial in trials:
            network = self._networks.pop(trial, None)
            if network is not None:
                self._forget(network)

    def close(self) -> None:
        """Free everything, the temporary folder included."""
        self.release(list(self._networks))
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
