"""A table with columns of every kind."""

from __future__ import annotations

import numpy as np
import polars as pl


def odd(n=400, seed=0, levels=60):
    """Numbers of every kind, and categories of two, few and many levels, with missing values in both."""
    rng = np.random.default_rng(seed)
    many = rng.integers(0, levels, n)
    number = rng.normal(size=n)
    holes = rng.random(n) < 0.1
    return pl.DataFrame(
        {
            "number": number,
            "heavy": np.exp(6 * rng.normal(size=n)),
            "spiked": np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n)),
            "whole": rng.integers(0, 9, n),
            "codes": rng.integers(1, 5, n),
            "flag": rng.random(n) < 0.5,
            "two": np.where(rng.random(n) < 0.5, 7.0, -2.0),
            "holes": pl.Series(np.where(holes, np.nan, rng.normal(10, 3, n))).fill_nan(None),
            "same": np.full(n, 7),
            "sex": pl.Series([None if h else s for h, s in zip(holes, rng.choice(["m", "f"], n), strict=True)]),
            "colour": rng.choice(["red", "green", "blue"], n),
            "city": pl.Series([None if i % 50 == 3 else f"c{k}" for i, k in enumerate(many)]),
            "y": number + 0.1 * many + rng.normal(size=n) * 0.1,
        }
    )
