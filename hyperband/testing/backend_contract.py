"""What every backend promises: right gradients, the reference's curves, the same bits however networks are trained."""

from __future__ import annotations

from hyperband.engine.backends.base import Backend
from hyperband.testing.backend_bits import BitChecks
from hyperband.testing.backend_curves import CurveChecks
from hyperband.testing.backend_edges import EdgeChecks
from hyperband.testing.backend_gradients import GradientChecks
from hyperband.testing.backend_state import StateChecks
from hyperband.testing.tolerances import FLOAT32, Tolerances


class BackendContract(GradientChecks, CurveChecks, BitChecks, EdgeChecks, StateChecks):
    """Every promise of `hyperband.engine.backends.base.Backend`, checked on ``backend``.

    Attributes
    ----------
    backend : Backend
        What is tested; the checks make some hundred small engines.
    tolerances : Tolerances
        How far float32 may be from the float64 reference; `hyperband.testing.tolerances.FLOAT64` for a backend that
        computes in float64.

    Examples
    --------
    >>> from hyperband.testing import BackendContract
    >>> from hyperband.engine.backends import registry
    >>> from hyperband.testing.tolerances import FLOAT64
    >>> class TestReference(BackendContract):
    ...     backend, tolerances = registry.get("numpy"), FLOAT64
    """

    backend: Backend
    tolerances: Tolerances = FLOAT32
