"""The one table of tolerances: how far a float32 backend may be from the float64 reference.

Each bound is some five times the largest difference measured over all cases on x86-64, and far below what a wrong
sign, a missing term or one wrong random number would do (`test_backends_mutations.py` proves that).
Differences are relative to the largest magnitude of what is compared.
"""

from __future__ import annotations

#: gradients against central differences of the reference's loss (float64 differences are good to about 1e-8)
GRADIENT = {"numpy": 1e-7, "numba": 2e-5, "native": 2e-5}

#: validation losses of a curve, then weights after it, by what amplifies rounding most
CURVE_LOSS = {"smooth": 5e-5, "kinked": 5e-5, "adaptive": 5e-4}
CURVE_WEIGHTS = {"smooth": 1e-4, "kinked": 1e-4, "adaptive": 2e-3}

#: outputs of one forward pass
OUTPUTS = {"numpy": 1e-6, "numba": 2e-5, "native": 2e-5}


def kind(architecture: object) -> str:
    """Row of the table: adaptive optimisers divide by a root of squared gradients, which amplifies rounding."""
    if getattr(architecture, "optimizer") != "sgd":  # noqa: B009
        return "adaptive"
    return "kinked" if getattr(architecture, "activation") in ("relu", "leaky_relu", "step") else "smooth"  # noqa: B009
