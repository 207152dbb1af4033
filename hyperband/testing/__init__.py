"""The contracts of samplers, schedulers and backends as test classes, for implementations outside of this package.

A contract is a class of pytest tests. A subclass says what is tested, and pytest runs every check on it::

    from hyperband.testing import SamplerContract

    class TestMySampler(SamplerContract):
        sampler = MySampler()

The same checks run on the samplers, schedulers and backends of this package. Each says in its docstring what is
promised; each assertion says where to look when it fails. No check needs a GPU, a network or a file.
"""

from __future__ import annotations

try:
    import pytest
except ImportError as error:
    raise ImportError(
        "`hyperband.testing` needs pytest, which is not installed. Install it: pip install pytest"
    ) from error

#: Assertions of these modules show their values, as those of a test file do.
pytest.register_assert_rewrite(
    *(f"{__name__}.{part}" for part in ("sampler_contract", "scheduler_contract", "run_contract", "backend_contract")),
    *(f"{__name__}.backend_{part}" for part in ("gradients", "curves", "bits", "edges", "state")),
    *(f"{__name__}.{part}" for part in ("sampler_cases", "scheduler_cases")),
)

from hyperband.testing.backend_contract import BackendContract  # noqa: E402
from hyperband.testing.sampler_contract import SamplerContract  # noqa: E402
from hyperband.testing.scheduler_contract import SchedulerContract  # noqa: E402

__all__ = ["BackendContract", "SamplerContract", "SchedulerContract"]
