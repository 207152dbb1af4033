"""Noise keyed by a configuration, so that every evaluation of it gives the same loss."""

from __future__ import annotations

import hashlib

import numpy as np

from benchmarks.quality.tasks.base import F64


def generator(*values: F64) -> np.random.Generator:
    """A generator of its own for these numbers."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        digest.update(np.ascontiguousarray(value, dtype=np.float64).tobytes())
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest.digest(), "little")))


def normal(x: F64, resources: F64) -> F64:
    """One standard normal number for each row of ``x`` (n, d) at its resource (n,)."""
    return np.array([generator(row, resource).standard_normal() for row, resource in zip(x, resources, strict=True)])
