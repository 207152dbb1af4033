"""The fallback backend where nothing was compiled at installation: Numba, float32.

One generic routine with run-time sizes serves every architecture, so that it is compiled once and kept on disk.
Threads run over members; the compiled code releases the GIL.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import llvmlite.binding
import numba
import numpy as np

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import DEFAULT_SETTINGS, F32, Backend, EngineSettings, Member, Split
from hyperband.engine.backends.host import HostEngine
from hyperband.engine.backends.layout import Layout
from hyperband.engine.backends.numba_backend import jit, plans
from hyperband.engine.backends.numba_backend.kernels import NumbaKernels
from hyperband.engine.backends.state import MemberState
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.parameters import embedded_numbers, output_width


class NumbaBackend:
    """Makes float32 engines whose arithmetic is compiled at run time."""

    name = "numba"

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
        return HostEngine(
            NumbaKernels(loss, n_outputs), train, validation, loss, n_outputs, thread_count(settings.threads)
        )

    def forward(self, architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
        rows = checks.check_inputs(x, None, "x")
        given = checks.check_layers(architecture, weights, rows.shape[1])
        n_outputs = output_width(architecture, given)
        layout = Layout.of(architecture, rows.shape[1], n_outputs, plans.stride, embedded_numbers(architecture, given))
        numbers = plans.aligned(layout.size)
        for view, array in zip(layout.views(numbers), chain.from_iterable(given), strict=True):
            view[...] = array
        state = MemberState(Member(architecture, 0), layout, numbers, None, None)
        return NumbaKernels("mse", n_outputs).outputs(state, numbers, rows)

    def describe(self) -> dict[str, str]:
        return {
            "arithmetic": "float32",
            "threads": str(thread_count()),
            "numba": numba.__version__,
            "numpy": np.__version__,
            "processor": llvmlite.binding.get_host_cpu_name(),
            "vector": f"{32 * jit.WIDTH} bits",
        }


def backend() -> Backend:
    """The backend object; for `hyperband.engine.backends.registry`."""
    return NumbaBackend()
