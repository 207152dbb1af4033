"""Whether probabilities mean what they say, and the temperature that corrects them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

#: Groups of rows of the calibration error.
BINS = 15
#: Temperatures that are tried: of rows that are all predicted right, an ever lower one would be better.
COLDEST, HOTTEST = 0.05, 20.0
#: Rows after which half of the logarithm of a fitted temperature is believed.
PRIOR_ROWS = 300
#: Least log-probability that is used, of the smallest number in float64.
_LEAST = float(np.log(np.finfo(np.float64).tiny))


def calibration_error(y: NDArray[Any], p: F64, weight: F64 | None = None, bins: int = BINS) -> float:
    """Expected calibration error of the predicted class, in [0, 1].

    Rows are sorted by the probability of their likeliest class and cut into ``bins`` groups of equal weight; the result
    is the mean over rows of the distance between their group's mean probability and its accuracy. Guo et al. 2017,
    equation 3, with groups of equal weight instead of equal width (Nixon et al. 2019). Rows of equal probability are in
    one group.

    Parameters
    ----------
    y : class numbers, shape (n_rows,)
    p : float64 probabilities, shape (n_rows, n_classes)
    weight : shape (n_rows,), or None
    bins : int >= 1

    Examples
    --------
    >>> round(calibration_error(np.array([0, 0, 1, 1]), np.full((4, 2), 0.5) + [0.25, -0.25]), 6)
    0.25
    """
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    order = np.argsort(confidence, kind="stable")
    confidence, right, w = confidence[order], right[order], w[order]
    below = np.concatenate([[0.0], np.cumsum(w)[:-1]])[np.searchsorted(confidence, confidence, side="left")]
    group = np.minimum((below * (bins / w.sum())).astype(np.intp), bins - 1)
    gaps = np.bincount(group, weights=w * (confidence - right), minlength=bins)
    return float(np.abs(gaps).sum() / w.sum())


def fit_temperature(
    log_probabilities: F64, y: NDArray[Any], weight: F64 | None = None, *, prior_rows: float = 0.0
) -> float:
    """The temperature T that makes the log loss of ``softmax(log_probabilities / T)`` smallest.

    The loss is convex in 1 / T (Guo et al. 2017, section 4.2): Newton's method on its derivative, within a bracket that
    is halved where a step would leave it. Exact to 1e-6, between 0.05 and 20.

    Parameters
    ----------
    log_probabilities : float64, shape (n_rows, n_classes)
        Of rows that were not trained on; values below -708 count as -708.
    y : class numbers, shape (n_rows,)
    weight : shape (n_rows,), or None
    prior_rows : float >= 0
        The result is ``T ** (n_rows / (n_rows + prior_rows))``: few rows know little of T, and 1 is a good guess.
        `PRIOR_ROWS` is what measurements suggest; see docs/ensembles.md.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1]] * 4)                    # says 0.9 and is right three times of four
    >>> T = fit_temperature(np.log(p), np.array([0, 0, 0, 1]))
    >>> print(round(T, 6), round(np.log(9) / np.log(3), 6))
    2.0 2.0
    """
    logs = np.maximum(np.asarray(log_probabilities, dtype=np.float64), _LEAST)
    w = np.full(len(y), 1.0 / len(y)) if weight is None else np.asarray(weight, np.float64) / np.sum(weight)
    truth = float((w * np.take_along_axis(logs, y[:, None].astype(np.intp), axis=1)[:, 0]).sum())
    low, high, inverse = 1.0 / HOTTEST, 1.0 / COLDEST, 1.0
    for _ in range(100):
        slope, bend = _derivatives(logs, inverse, w)
        slope -= truth
        if slope == 0.0 or high - low <= 1e-9 * inverse:
            break
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / bend if bend > 0 else low - 1.0
        before, inverse = inverse, step if low < step < high else 0.5 * (low + high)
        if abs(inverse - before) <= 1e-10 * inverse:
            break
    return float((1.0 / inverse) ** (len(y) / (len(y) + prior_rows)))


def _derivatives(logs: F64, inverse: float, w: F64) -> tuple[float, float]:
    """Mean and variance of the log-probabilities under the tempered probabilities, averaged over rows."""
    p = np.exp(inverse * logs - (inverse * logs).max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    mean = (p * logs).sum(axis=1)
    spread = (p * (logs - mean[:, None]) ** 2).sum(axis=1)
    return float((w * mean).sum()), float((w * spread).sum())
