"""The C++ engine on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hyperband import _core
from hyperband._common import memory
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import (
    DEFAULT_SETTINGS,
    F32,
    PRECISIONS,
    Backend,
    EngineSettings,
    Split,
    TrainingPart,
)
from hyperband.engine.backends.compiled import QUANTUM, CompiledEngine, Records, forward
from hyperband.engine.backends.threads import thread_count
from hyperband.errors import BackendUnavailable, InputError


class NativeEngine(CompiledEngine):
    """`hyperband.engine.backends.base.Engine` in C++: fused kernels, threads over members."""

    def _require_memory(self, records: Records) -> None:
        memory.require(int(self._core.bytes_per_member(records).sum()), f"{len(records)} members", checks.FEWER)

    def capacity(self) -> int | None:
        return memory.usable_bytes()


class NativeBackend:
    """Makes C++ engines; the instruction set is chosen once, see `describe`."""

    name = "native"

    def engine(
        self,
        train: Split,
        validation: Split | None,
        loss: str,
        n_outputs: int,
        settings: EngineSettings = DEFAULT_SETTINGS,
    ) -> NativeEngine:
        checks.refuse(self.name, settings, ("float32", "bf16"))
        if settings.precision == "bf16":
            try:
                _core.bf16()
            except ValueError as error:
                raise BackendUnavailable(f"Backend 'native' cannot be used so: {error}") from error
        precision = PRECISIONS.index(settings.precision)
        make = partial(_core.Engine, precision=precision, threads=thread_count(settings.threads))
        engine = NativeEngine(train, validation, loss, n_outputs, make)
        engine.means = ("native", settings.precision)
        return engine

    def train_together(
        self, parts: Sequence[TrainingPart], *, evaluate: bool = True, seconds: float | None = None
    ) -> list[NDArray[np.bool_]]:
        """See `hyperband.engine.backends.base.TrainsTogether`."""
        given = []
        for part in parts:
            if not isinstance(part.engine, NativeEngine):
                raise InputError(f"`parts` must be of native engines; got a {type(part.engine).__name__}.")
            given.append(part.engine.checked_part(part.members, part.until_step, part.rows, part.inputs))
        while True:
            quantum = QUANTUM if seconds is None else max(0.0, seconds)
            arrived = [np.array(one, np.bool_) for one in _core.train_together(given, evaluate, quantum)]
            if seconds is not None or all(one.all() for one in arrived):
                return arrived

    def forward(self, architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
        return forward(architecture, weights, x)

    def describe(self) -> dict[str, str]:
        name, reason = _core.isa()
        try:
            bf16 = _core.bf16()
        except ValueError:
            bf16 = "not offered by this machine"
        set_in_use = f"{name} ({reason})"
        return {
            "arithmetic": "float32", "instruction set": set_in_use, "bf16": bf16, "threads": str(thread_count())
        }  # fmt: skip


def backend() -> Backend:
    """The backend object; for `hyperband.engine.backends.registry`.

    Raises
    ------
    InputError
        When ``HYPERBAND_ISA`` names an instruction set that is unknown, not built, or not offered by this machine: what
        was asked for is never replaced by another engine.
    """
    try:
        _core.isa()
    except ValueError as error:
        raise InputError(str(error)) from error
    return NativeBackend()
