"""The contracts of samplers, schedulers and backends as test classes, for implementations outside of this package.

A contract is a class of pytest tests. A subclass says what is tested, and pytest runs every check on it::

    from hyperband.testing import SamplerContract

    class TestMySampler(SamplerContract):
        sampler = MySampler()

The same checks run on the samplers, schedulers and backends of this package. Each says in its docstring what is
promised; each assertion says where to look when it fails. No check needs a GPU, a network or a file.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.testing.backend_contract import BackendContract as BackendContract
    from hyperband.testing.sampler_contract import SamplerContract as SamplerContract
    from hyperband.testing.scheduler_contract import SchedulerContract as SchedulerContract

#: Contract -> its module; imported on first use, so that the networks of `lab` can be had without pytest.
_MODULE_OF = {
    "BackendContract": "backend_contract",
    "SamplerContract": "sampler_contract",
    "SchedulerContract": "scheduler_contract",
}
#: Modules whose assertions show their values, as those of a test file do.
_REWRITTEN = (
    *("sampler_contract", "scheduler_contract", "run_contract", "backend_contract"),
    *(f"backend_{part}" for part in ("gradients", "curves", "bits", "edges", "state")),
    *("sampler_cases", "scheduler_cases"),
)

__all__ = ["BackendContract", "SamplerContract", "SchedulerContract"]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import pytest
    except ImportError as error:
        raise ImportError(
            "`hyperband.testing` needs pytest, which is not installed. Install it: pip install pytest"
        ) from error
    parts = [f"{__name__}.{part}" for part in _REWRITTEN]
    pytest.register_assert_rewrite(*(part for part in parts if part not in sys.modules))  # too late for the others
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value
