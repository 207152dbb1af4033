"""Every backend's curves against the float64 reference: see `hyperband.testing.backend_curves`."""

from __future__ import annotations

import pytest
from every_backend import OnComparedBackends

from hyperband.engine.backends.base import Backend
from hyperband.engine.losses import LOSSES
from hyperband.testing.backend_curves import CurveChecks


class TestCurves(OnComparedBackends, CurveChecks):
    pass


@pytest.mark.parametrize("loss", LOSSES)
def test_the_reference_lowers_the_loss(reference: Backend, loss: str) -> None:
    checks = CurveChecks()
    checks.backend = reference
    checks.test_training_lowers_the_loss(loss)
