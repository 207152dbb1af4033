"""Calibration error by its definition, and temperatures that minimise the log loss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from hyperband.metrics import calibration_error, fit_temperature, log_probabilities


def rows(n, k, seed=0, sharp=2.0):
    """Logits, and classes drawn from their probabilities divided by ``sharp`` as a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * 2
    p = np.exp(log_probabilities(logits))
    y = (p.cumsum(axis=1) > rng.uniform(size=(n, 1))).argmax(axis=1)
    return log_probabilities(logits * sharp), y, rng.uniform(0.1, 3.0, size=n)


def by_definition(y, p, bins):
    order = np.argsort(p.max(axis=1))
    total = 0.0
    for part in np.array_split(order, bins):
        total += len(part) / len(y) * abs(p.max(axis=1)[part].mean() - (p.argmax(axis=1)[part] == y[part]).mean())
    return total


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("n", [150, 1500, 15000])
def test_error_by_its_definition(n, k):
    logs, y, _ = rows(n, k)
    assert calibration_error(y, np.exp(logs)) == pytest.approx(by_definition(y, np.exp(logs), 15), abs=1e-12)


def test_error_of_calibrated_and_of_sure_probabilities():
    logs, y, _ = rows(100_000, 3, sharp=1.0)
    assert calibration_error(y, np.exp(logs)) < 0.01
    assert calibration_error(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]])) == 0.5
    assert calibration_error(np.array([0]), np.array([[1.0, 0.0]])) == 0.0


def test_weights_are_repetitions_and_order_does_not_count():
    logs, y, _ = rows(300, 3)
    p, times = np.round(np.exp(logs), 2), np.random.default_rng(1).integers(1, 4, size=300)
    repeated = calibration_error(np.repeat(y, times), np.repeat(p, times, axis=0))
    assert calibration_error(y, p, times.astype(float)) == pytest.approx(repeated, abs=1e-12)
    order = np.random.default_rng(2).permutation(300)
    assert calibration_error(y[order], p[order]) == pytest.approx(calibration_error(y, p), abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sharp", [0.2, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("k", [2, 6])
def test_temperature_as_scipy_finds_it(k, sharp, weighted):
    logs, y, w = rows(500, k, sharp=sharp)
    w = w if weighted else None

    def loss(inverse):
        return -np.average(log_probabilities(logs * inverse)[np.arange(len(y)), y], weights=w)

    best = minimize_scalar(loss, bounds=(0.05, 20.0), method="bounded", options={"xatol": 1e-10}).x
    found = fit_temperature(logs, y, w)
    assert found == pytest.approx(1 / best, rel=1e-5)  # what a search by values can find
    slopes = [(loss(1 / found + step) - loss(1 / found)) for step in (-1e-4, 1e-4)]
    assert min(slopes) > 0
    rough = 1e-6 / found**2
    assert loss(1 / found - rough) >= loss(1 / found) <= loss(1 / found + rough)


def test_temperature_at_the_ends():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(np.log(p), np.array([0, 1])) == pytest.approx(0.05, rel=1e-6)
    assert fit_temperature(np.log(p), np.array([1, 0])) == pytest.approx(20.0, rel=1e-6)
    assert fit_temperature(np.full((3, 4), np.log(0.25)), np.array([0, 1, 2])) == 1.0


def test_few_rows_move_the_temperature_little():
    logs, y, _ = rows(100, 3, sharp=4.0)
    exact = fit_temperature(logs, y)
    assert exact > 2.0
    assert fit_temperature(logs, y, prior_rows=300) == pytest.approx(exact**0.25)
    assert fit_temperature(logs, y, prior_rows=0) == exact


def test_temperature_of_impossible_classes():
    with np.errstate(divide="ignore"):
        logs = np.log(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert fit_temperature(logs, np.array([0, 1, 1])) == pytest.approx(20.0, rel=1e-6)
