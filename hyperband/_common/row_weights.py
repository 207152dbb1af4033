"""Weights of rows, scaled so that a mean over rows needs no further division."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import DataError


def with_mean_one(weight: NDArray[np.float64]) -> NDArray[np.float32]:
    """The weights divided by their mean, float32.

    Parameters
    ----------
    weight : float64 array, shape (n_rows,), finite, >= 0

    Raises
    ------
    DataError
        When every weight is 0.

    Examples
    --------
    >>> with_mean_one(np.array([1.0, 3.0])).tolist()
    [0.5, 1.5]
    """
    mean = weight.mean()
    if not mean > 0:
        raise DataError(
            "Weights must not all be 0; every row of a split has weight 0. Give some rows a weight above 0."
        )
    return np.ascontiguousarray(weight / mean, dtype=np.float32)
