"""Every backend's gradients: see `hyperband.testing.backend_gradients`."""

from __future__ import annotations

from every_backend import OnEveryBackend

from hyperband.testing.backend_gradients import GradientChecks


class TestGradients(OnEveryBackend, GradientChecks):
    pass
