"""HYPERBAND_ISA: obeyed or refused, never replaced by another engine."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from hyperband.engine.backends import registry

pytestmark = pytest.mark.skipif(
    bool(registry.available()["native"]), reason=f"no native engine: {registry.available()['native']}"
)

SCRIPT = "from hyperband.engine.backends import registry; print(registry.get('auto').describe()['instruction set'])"


def run(isa: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HYPERBAND_ISA": isa}
    environment.pop("HYPERBAND_BACKEND", None)
    return subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)


def test_portable_runs_everywhere() -> None:
    assert run("portable").stdout.startswith("portable (chosen by HYPERBAND_ISA)")


def test_an_unknown_name_is_refused() -> None:
    answer = run("mmx")
    assert answer.returncode != 0
    assert "`HYPERBAND_ISA` must be one of" in answer.stderr and "'mmx'" in answer.stderr


@pytest.mark.parametrize(
    ("number", "exact", "points", "ulps"),
    [
        (0, np.exp, np.linspace(-59, 59, 4001), 2),
        (1, np.log, np.geomspace(1e-30, 1e30, 4001), 3),
        (2, np.tanh, np.linspace(-12, 12, 4001), 3),
        (3, lambda x: 1 / (1 + np.exp(-x)), np.linspace(-50, 50, 4001), 3),
        (5, np.sqrt, np.geomspace(1e-30, 1e30, 4001), 2),
    ],
)
def test_elementwise_functions_are_nearly_exact(number: int, exact: object, points: np.ndarray, ulps: float) -> None:
    from hyperband import _core

    x = points.astype(np.float32)
    truth = exact(x.astype(np.float64))  # type: ignore[operator]
    error = np.abs(_core.elementwise(number, x) - truth) / np.spacing(np.abs(truth).astype(np.float32))
    assert error.max() <= ulps


def test_the_normal_distribution_to_its_stated_error() -> None:
    from math import erf, sqrt

    from hyperband import _core

    x = np.linspace(-8, 8, 4001).astype(np.float32)
    truth = np.array([0.5 * (1 + erf(v / sqrt(2))) for v in x.astype(np.float64)])
    assert np.abs(_core.elementwise(4, x) - truth).max() < 1.5e-7


@pytest.mark.parametrize(("number", "exact"), [(6, np.cos), (7, np.sin)])
def test_turns_to_their_stated_error(number: int, exact: object) -> None:
    from hyperband import _core

    x = np.concatenate([np.linspace(-3, 3, 6001), np.linspace(-1e5, 1e5, 4001), [2.0**22, 1e30, -1e30]])
    x = x.astype(np.float32)
    turns = np.clip(x.astype(np.float64), -(2.0**22), 2.0**22)
    truth = exact(2 * np.pi * (turns - np.rint(turns)))  # type: ignore[operator]
    assert np.abs(_core.elementwise(number, x) - truth).max() < 2e-7


@pytest.mark.parametrize("number", range(8))
def test_not_a_number_stays_one(number: int) -> None:
    from hyperband import _core

    assert np.isnan(_core.elementwise(number, np.full(16, np.nan, np.float32))).all()
