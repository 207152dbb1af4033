"""Which networks are in the engine's memory: those that are not due can be written to disk for a while."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.disk_arrays import DiskArrays
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import I64, Engine, Member, TrainingProgress
from hyperband.engine.backends.checks import check_bytes
from hyperband.errors import InputError, InsufficientMemory

#: Bytes of networks that are initialised at a time.
CHUNK = 64 << 20


@dataclass(slots=True)
class _Network:
    member: Member
    n_bytes: int
    id: int | None = None  # in the engine
    shown: tuple[Any, ...] = ()  # its `TrainingProgress`, field by field, while it is on disk


#: What a network shows before it is in the engine, field by field.
_NEW = TrainingProgress(
    step=np.zeros(1, np.int64),
    epoch=np.zeros(1, np.int64),
    loss=np.full(1, math.nan),
    error=np.full(1, math.nan),
    best_loss=np.full(1, math.inf),
    best_error=np.full(1, math.nan),
    best_step=np.full(1, -1, np.int64),
    train_loss=np.full(1, math.nan),
    diverged=np.zeros(1, np.bool_),
)
_FIELDS = tuple(f.name for f in fields(TrainingProgress))


class Residency:
    """Networks of one engine, by keys of the caller's; there may be more than memory holds.

    A network is allocated when it is first due, and stays in the engine from then on. When memory is short, those that
    are not due are evicted: written to a temporary folder, and read back when they are due again. No curve depends on
    that.

    Parameters
    ----------
    engine : Engine
    memory_limit : int >= 1 or None
        Bytes that networks may take in memory. None: 80 % of what is free now.
    size_of : callable (member) -> int, optional
        Bytes of a member; None: ``engine.bytes_per_member`` of its architecture.

    Raises
    ------
    InputError
        When ``memory_limit`` is no such number.
    """

    def __init__(
        self, engine: Engine, memory_limit: int | None = None, size_of: Callable[[Member], int] | None = None
    ) -> None:
        self._engine = engine
        limit = check_bytes(memory_limit, "memory_limit")
        self._budget = engine.capacity() if limit is None else limit
        self._networks: dict[int, _Network] = {}
        self._size_of = size_of or (lambda member: engine.bytes_per_member(member.architecture))
        self._sizes: dict[tuple[Architecture, int], int] = {}
        self._used = 0
        self._evicted = DiskArrays()

    def declare(self, key: int, member: Member) -> None:
        """A new network, not allocated yet."""
        kind = member.architecture, member.dataset
        size = self._sizes.get(kind)
        if size is None:
            size = self._sizes[kind] = self._size_of(member)
        self._networks[key] = _Network(member, size)

    def copy(self, key: int, member: Member, parent: int) -> None:
        """A new network that starts with what ``parent`` has now; it is written to disk until it is due.

        Raises
        ------
        InputError
            When the parent was never trained. `upload` rejects an architecture that does not hold the same numbers.
        """
        network = self._networks[parent]
        if network.id is None and parent not in self._evicted:
            raise InputError(f"A network must have been trained to be copied; got network {parent}.")
        shown = network.shown
        if network.id is not None:
            seen = self._engine.progress(self.ids([parent]))
            shown = tuple(getattr(seen, name)[0] for name in _FIELDS)
        state = self.state(parent)
        self.declare(key, member)
        self._evicted.put(key, state)
        self._networks[key].shown = shown

    def state(self, key: int) -> Mapping[str, NDArray[Any]]:
        """The whole state of a network that was trained or copied, from memory or from disk."""
        identity = self._networks[key].id
        return self._evicted.read(key) if identity is None else self._engine.export_state(identity)

    def __contains__(self, key: int) -> bool:
        return key in self._networks

    def is_resident(self, key: int) -> bool:
        """Whether a network is in the engine's memory."""
        return self._networks[key].id is not None

    def member(self, key: int) -> Member:
        """What the network is made from."""
        return self._networks[key].member

    def ids(self, keys: Iterable[int]) -> I64:
        """Engine ids of networks that are resident."""
        return np.array([self._networks[k].id for k in keys], dtype=np.int64)

    def progress(self, keys: Sequence[int]) -> TrainingProgress:
        """Progress of networks in memory or on disk; nothing is read back for it."""
        networks = [self._networks[k] for k in keys]
        resident = [column for column, network in enumerate(networks) if network.id is not None]
        waiting = [(column, network.shown) for column, network in enumerate(networks) if network.shown]
        found = self._engine.progress(self.ids(keys[column] for column in resident))
        columns = {}
        for number, name in enumerate(_FIELDS):
            values = np.repeat(getattr(_NEW, name), len(networks))
            values[resident] = getattr(found, name)
            for column, shown in waiting:
                values[column] = shown[number]
            columns[name] = values
        return TrainingProgress(**columns)

    def waves(self, keys: Iterable[int]) -> Iterator[list[int]]:
        """All of these in their order, as many at a time as fit together.

        Raises
        ------
        InsufficientMemory
            When not even one of them fits.
        """
        waiting = list(keys)
        while waiting:
            wave = self.upload(waiting)
            yield wave
            there = set(wave)
            waiting = [k for k in waiting if k not in there]

    def require_each(self) -> None:
        """Raise `InsufficientMemory` when there is a network that would not fit even alone."""
        largest = max(self._networks.values(), key=lambda network: network.n_bytes)
        if self._budget is not None and largest.n_bytes > self._budget:
            raise _does_not_fit(largest, self._budget)

    def upload(self, due: Collection[int], seconds: float = math.inf) -> list[int]:
        """Upload as many of the due networks as fit, in their order; returns those that are resident.

        After about ``seconds`` the rest is left for the next call: thousands of networks take a while to initialise.

        Raises
        ------
        InsufficientMemory
            When not even one of them fits.
        """
        waiting = [k for k in due if self._networks[k].id is None]
        deadline = time.monotonic() + seconds
        for chunk in self._chunks(self._fitting(waiting, set(due))):
            self._allocate(chunk)
            if time.monotonic() > deadline:
                break
        resident = [k for k in due if self._networks[k].id is not None]
        if due and not resident:
            raise _does_not_fit(self._networks[waiting[0]], (self._budget or 0) - self._used)
        return resident

    def _fitting(self, waiting: list[int], due: set[int]) -> list[int]:
        if self._budget is None or not waiting:
            return waiting
        idle = [k for k, network in self._networks.items() if network.id is not None and k not in due]
        chosen, needed = [], 0
        for key in waiting:
            size = self._networks[key].n_bytes
            while idle and self._used + needed + size > self._budget:
                self._write_out(idle.pop(0))
            if self._used + needed + size > self._budget:
                break  # in order: otherwise small ones could overtake a large one for ever
            chosen.append(key)
            needed += size
        return chosen

    def _chunks(self, keys: list[int]) -> Iterator[list[int]]:
        """Parts that take little time to initialise, so that Ctrl-C works in between."""
        chunk: list[int] = []
        size = 0
        for key in keys:
            chunk.append(key)
            size += self._networks[key].n_bytes
            if size >= CHUNK:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _allocate(self, keys: list[int]) -> None:
        networks = [self._networks[k] for k in keys]
        ids = self._engine.add([network.member for network in networks])
        for key, network, identity in zip(keys, networks, ids.tolist(), strict=True):
            network.id = int(identity)
            self._used += network.n_bytes
            if key in self._evicted:
                self._engine.import_state(network.id, self._evicted.read(key))
                self._evicted.drop(key)
                network.shown = ()

    def _write_out(self, key: int) -> None:
        network = self._networks[key]
        shown = self._engine.progress(self.ids([key]))
        self._evicted.put(key, self._engine.export_state(int(self.ids([key])[0])))
        self._evict(network)
        network.shown = tuple(getattr(shown, name)[0] for name in _FIELDS)

    def _evict(self, network: _Network) -> None:
        if network.id is not None:
            self._engine.release(np.array([network.id], dtype=np.int64))
            self._used -= network.n_bytes
            network.id = None

    def release(self, keys: Iterable[int]) -> None:
        """Free networks that will not be trained again."""
        for key in keys:
            network = self._networks.pop(key, None)
            if network is not None:
                self._evict(network)
                self._evicted.drop(key)

    def close(self) -> None:
        """Free everything, the temporary folder included."""
        self.release(list(self._networks))
        self._evicted.close()


def _does_not_fit(network: _Network, free: int) -> InsufficientMemory:
    return InsufficientMemory(
        f"One network must fit in free memory: widths {list(network.member.architecture.widths)} need "
        f"{network.n_bytes:,} bytes, {free:,} are free. Use smaller widths, or raise `memory_limit`."
    )
