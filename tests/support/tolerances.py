"""The one table of tolerances: how far a float32 backend may be from the float64 reference.

Each bound is ten times the largest difference measured over all cases on x86-64 (in brackets), and far below what a
wrong sign, a missing term or one wrong random number does: `test_backends_mutations.py` proves that. Differences are
relative to the largest magnitude of what is compared.
"""

from __future__ import annotations

#: gradients against central differences of the reference's loss, which are good to about 3e-8 [3.3e-8; 2.9e-7]
GRADIENT = {"numpy": 3e-7, "numba": 3e-6, "native": 3e-6, "cuda-host": 3e-6, "cuda": 3e-6}

#: losses of a curve of 12 steps [6.6e-8]
CURVE_LOSS = 7e-7

#: weights after it [3.8e-7]
CURVE_WEIGHTS = 4e-6

#: outputs of one forward pass against another one of the same backend [2e-7]
OUTPUTS = {"numpy": 1e-6, "numba": 2e-6, "native": 2e-6, "cuda-host": 2e-6, "cuda": 2e-6}
