"""The one table of tolerances: how far a backend may be from the float64 reference.

Each bound is ten times the largest difference measured over all cases on x86-64 (in brackets), and far below what a
wrong sign, a missing term or one wrong random number does: `tests/contract/test_backends_mutations.py` proves that.
Differences are relative to the largest magnitude of what is compared.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Bounds of one precision.

    Parameters
    ----------
    gradient : float
        Of gradients against central differences of the reference's loss, which are good to about 3e-8.
    outputs : float
        Of one forward pass against another one of the same backend.
    curve_loss, curve_weights : float
        Of losses along a curve of 12 steps, and of the weights after it, against the reference's.
    """

    gradient: float
    outputs: float
    curve_loss: float = 7e-7  # [6.6e-8]
    curve_weights: float = 4e-6  # [3.8e-7]


FLOAT64 = Tolerances(gradient=3e-7, outputs=1e-6)  # [3.3e-8; 9e-8]
FLOAT32 = Tolerances(gradient=3e-6, outputs=2e-6)  # [2.9e-7; 2e-7]
