"""Pieces of the Numba backend against plain NumPy: tiles, transposition, elementary functions, the cache's fallback."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed")
pytest.importorskip("hyperband.engine.backends.numba_backend")

from hyperband.engine.backends.numba_backend import jit, plans
from hyperband.engine.backends.numba_backend.math32 import exp32, normal32, sigmoid32, tanh32
from hyperband.engine.backends.numba_backend.products import multiply, transpose

RNG = np.random.default_rng(1)
X = np.concatenate([np.linspace(-12, 12, 4001), [0.0, -0.6, 0.6, 1e-8, -1e-8]]).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 13, 29])
@pytest.mark.parametrize(("columns", "depth"), [(1, 1), (17, 5), (33, 40), (256, 3)])
def test_products_of_any_shape(rows: int, columns: int, depth: int) -> None:
    row = plans.stride(columns)
    a = RNG.normal(size=(rows, depth)).astype(np.float32)
    b, bias = np.zeros((depth, row), np.float32), np.zeros(row, np.float32)
    b[:, :columns], bias[:columns] = RNG.normal(size=(depth, columns)), RNG.normal(size=columns)
    expected = a.astype(float) @ b.astype(float) + bias
    c = np.full(rows * row + 64, np.float32(7))
    multiply(a.ravel(), 0, depth, 1, b.ravel(), 0, row, bias, 0, c, 32, row, rows, row, depth)
    np.testing.assert_allclose(c[32:-32].reshape(rows, row), expected, atol=2e-5)
    assert (c[:32] == 7).all() and (c[-32:] == 7).all(), "nothing beyond the matrix is touched"
    again = np.zeros(rows * row, np.float32)
    transposed = np.ascontiguousarray(a.T)
    multiply(transposed.ravel(), 0, 1, rows, b.ravel(), 0, row, bias, 0, again, 0, row, rows, row, depth)
    np.testing.assert_array_equal(again, c[32:-32])


@pytest.mark.parametrize("rows", [1, 15, 16, 40, 256])
def test_transposition_fills_up_with_zeros(rows: int) -> None:
    columns, target_row = 2 * jit.WIDTH, plans.stride(rows)
    a = RNG.normal(size=(rows, columns)).astype(np.float32)
    target = np.full(columns * target_row, np.nan, np.float32)
    transpose(a.ravel(), 0, columns, rows, columns, target, target_row)
    found = target.reshape(columns, target_row)
    np.testing.assert_array_equal(found[:, :rows], a.T)
    assert (found[:, rows:] == 0).all()


def _each(function: Any, index: int | None = None) -> np.ndarray:
    found = [function(x) for x in X]
    return np.array(found if index is None else [pair[index] for pair in found], np.float64)


def test_elementary_functions_are_within_their_stated_errors() -> None:
    x = X.astype(float)
    for function, expected in (
        (exp32, np.exp(x)), (sigmoid32, 1 / (1 + np.exp(-x))), (tanh32, np.tanh(x)),
    ):  # fmt: skip
        np.testing.assert_allclose(_each(function), expected, rtol=4e-7)
    phi = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in x])
    np.testing.assert_allclose(_each(normal32, 0), phi, atol=1.5e-7)
    np.testing.assert_allclose(_each(normal32, 1), np.exp(-x * x / 2) / math.sqrt(2 * math.pi), atol=1e-7)


def test_not_a_number_goes_through_and_the_ends_are_finite() -> None:
    for function in (exp32, sigmoid32, tanh32):
        assert math.isnan(function(np.float32(np.nan)))
        assert np.isfinite([function(np.float32(s * 1e30)) for s in (-1, 1)]).all()
    assert math.isnan(normal32(np.float32(np.nan))[0])


def test_without_a_folder_for_the_cache_functions_still_compile() -> None:
    """Numba finds no place for a function that has no file; so it is in a read-only installation."""
    namespace: dict[str, Any] = {}
    exec("def double(x):\n    return x + x\n", namespace)
    assert jit.entry(namespace["double"])(21) == 42


def test_the_entry_points_are_cached_under_a_stamp_of_all_sources() -> None:
    from hyperband.engine.backends.numba_backend import step

    for function in (step.train_steps, step.evaluate_rows, step.output_rows):
        values = [cell.cell_contents for cell in function.py_func.__closure__]
        assert jit.STAMP in values
