"""The reference backend: NumPy in float64, written to be read next to docs/numerics.md. The oracle of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import DEFAULT_SETTINGS, F32, Backend, EngineSettings, Split
from hyperband.engine.backends.host import HostEngine
from hyperband.engine.backends.numpy64 import network
from hyperband.engine.backends.numpy64.kernels import ReferenceKernels
from hyperband.engine.backends.numpy64.stage import Stage, behind
from hyperband.engine.backends.threads import thread_count


class ReferenceBackend:
    """Makes float64 engines; slow, always available."""

    name = "numpy"

    def engine(
        self,
        train: Split,
        validation: Split | None,
        loss: str,
        n_outputs: int,
        settings: EngineSettings = DEFAULT_SETTINGS,
    ) -> HostEngine:
        checks.check_problem(loss, n_outputs)
        checks.refuse(self.name, settings, ("float32",))
        kernels = ReferenceKernels(loss, n_outputs)
        return HostEngine(kernels, train, validation, loss, n_outputs, thread_count(settings.threads))

    def forward(self, architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
        rows = checks.check_inputs(x, None, "x")
        layers = checks.check_layers(architecture, weights, rows.shape[1])
        wide = [tuple(array.astype(np.float64) for array in layer) for layer in layers]
        with np.errstate(all="ignore"):
            inputs = Stage.of(architecture, wide[0]).inputs(rows.astype(np.float64))
            return network.forward(architecture.activation, behind(architecture, wide), inputs).astype(np.float32)

    def describe(self) -> dict[str, str]:
        return {"arithmetic": "float64", "threads": str(thread_count()), "numpy": np.__version__, "blas": _blas()}


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    return str(config.get("Build Dependencies", {}).get("blas", {}).get("name", "unknown"))


def backend() -> Backend:
    """The backend object; for `hyperband.engine.backends.registry`."""
    return ReferenceBackend()
