"""Counter-based randomness: Philox 4x32-10, initial weights, the order of rows, dropout; all stateless.

A number is a function of (seed, purpose, layer, position) alone: other draws, their order and the machine do not
matter. `docs/numerics.md` fixes the counters. NumPy, vectorised over positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.philox import philox as philox64
from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import Parameter, uniform_bound

U32 = NDArray[np.uint32]

INITIAL_WEIGHTS, ROW_ORDER, DROPOUT = 1, 2, 3

_MASK = np.uint64(0xFFFFFFFF)


def philox(seed: int, c0: ArrayLike, c1: ArrayLike, c2: ArrayLike, c3: ArrayLike) -> tuple[U32, U32, U32, U32]:
    """`hyperband._common.philox.philox` in four uint32 arrays."""
    w0, w1, w2, w3 = (word.astype(np.uint32) for word in philox64(seed, c0, c1, c2, c3))
    return w0, w1, w2, w3


def initial_weights(seed: int, layer: int, n_in: int, n_out: int, bound: np.float32) -> NDArray[np.float32]:
    """Initial weight matrix, shape (n_in, n_out), uniform on [-bound, bound); bound 0 gives 0, never -0."""
    return _uniform(_initial_words(seed, layer, 0, n_in * n_out), bound).reshape(n_in, n_out)


def _initial_words(seed: int, layer: int, stream: int, count: int) -> U32:
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    return np.stack(philox(seed, blocks, stream, 0, INITIAL_WEIGHTS << 16 | layer), axis=1).reshape(-1)[:count]


def _uniform(words: U32, bound: np.float32) -> NDArray[np.float32]:
    unit = (words >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    return (np.float32(2.0) * unit - np.float32(1.0)) * bound + np.float32(0.0)


def normal_quantile(words: U32) -> NDArray[np.float64]:
    """The normal distribution's quantiles at (word + 1/2) / 2^32, same shape.

    Wichura 1988, "Algorithm AS 241", PPND7, with a relative error of about 1e-7; the logarithm is a series, so that
    every operation is exact to the bit on every platform.

    Examples
    --------
    >>> normal_quantile(np.array([2**31], np.uint32)).round(6).tolist()
    [0.0]
    """
    p = (words.astype(np.float64) + 0.5) * 2.0**-32
    q = p - 0.5
    r = 0.180625 - q * q
    middle = q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179)
    middle = middle / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0)
    far = np.sqrt(-_log(np.where(q < 0.0, p, 1.0 - p)))
    r = far - 1.6
    near = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) / (
        (0.12021132975 * r + 0.73700164250) * r + 1.0
    )
    r = far - 5.0
    tail = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) / (
        (0.012258202635 * r + 0.24197894225) * r + 1.0
    )
    outer = np.where(far <= 5.0, near, tail)
    return np.where(np.abs(q) <= 0.425, middle, np.where(q < 0.0, -outer, outer))


def _log(x: NDArray[np.float64]) -> NDArray[np.float64]:
    mantissa, exponent = np.frexp(x)
    small = mantissa < 0.7071067811865476
    mantissa, exponent = np.where(small, 2.0 * mantissa, mantissa), np.where(small, exponent - 1, exponent)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q, series = s * s, np.zeros_like(s)
    for k in range(25, 0, -2):
        series = 1.0 / k + q * series
    return np.asarray(2.0 * s * series + exponent * 0.6931471805599453, np.float64)


def initial_values(seed: int, architecture: Architecture, parameter: Parameter) -> NDArray[np.float32]:
    """What a parameter of a new network holds, in the parameter's shape."""
    initial = parameter.kind.initial
    if initial in ("zeros", "ones"):
        return np.full(parameter.shape, 1.0 if initial == "ones" else 0.0, np.float32)
    if parameter.kind.stream == 0:
        n_in, n_out = parameter.shape
        return initial_weights(seed, parameter.layer, n_in, n_out, uniform_bound(architecture, parameter))
    words = _initial_words(seed, parameter.layer, parameter.kind.stream, math.prod(parameter.shape))
    if initial == "normal":
        return (architecture.frequency_scale * normal_quantile(words)).astype(np.float32).reshape(parameter.shape)
    return _uniform(words, uniform_bound(architecture, parameter)).reshape(parameter.shape)


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The order of one epoch's rows: a bijection on [0, n), computed where it is asked for.

    An unbalanced Feistel network on the next power of two; values that fall outside are sent through it again.

    Examples
    --------
    >>> sorted(RowOrder.of(7, 5, epoch=0)(np.arange(5)).tolist())
    [0, 1, 2, 3, 4]
    """

    n: int
    low_bits: int
    high_bits: int
    keys: U32  #: shape (8,); the first six are used

    @classmethod
    def of(cls, seed: int, n: int, epoch: int) -> RowOrder:
        bits = max(2, (n - 1).bit_length())
        found = philox(seed, np.arange(2), 0, epoch, ROW_ORDER << 16)
        return cls(n, bits // 2, bits - bits // 2, np.stack(found, axis=1).reshape(8))

    def __call__(self, positions: NDArray[Any]) -> NDArray[np.int64]:
        """Row numbers at these positions of the epoch, same shape."""
        if self.n <= 1:
            return np.zeros(positions.shape, np.int64)
        x = self._scramble(positions.astype(np.uint64))
        while True:
            outside = x >= self.n
            if not outside.any():
                return x.astype(np.int64)
            x[outside] = self._scramble(x[outside])

    def _scramble(self, x: NDArray[np.uint64]) -> NDArray[np.uint64]:
        low = np.uint64(self.low_bits)
        low_mask, high_mask = np.uint64((1 << self.low_bits) - 1), np.uint64((1 << self.high_bits) - 1)
        left, right = x >> low, x & low_mask
        for r in range(6):
            if r % 2 == 0:
                left = left ^ (_mix(right, self.keys[r]) & high_mask)
            else:
                right = right ^ (_mix(left, self.keys[r]) & low_mask)
        return left << low | right


def _mix(v: NDArray[np.uint64], key: np.uint32) -> NDArray[np.uint64]:
    h = ((v ^ np.uint64(key)) * np.uint64(0x9E3779B1)) & _MASK
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(0x85EBCA77)) & _MASK
    return h ^ (h >> np.uint64(13))


def dropout_threshold(dropout: float) -> int:
    """A unit is dropped when its 16-bit number is below this."""
    return min(65535, math.floor(dropout * 65536.0 + 0.5))


def dropout_mask(seed: int, layer: int, step: int, rows: int, width: int, dropout: float) -> NDArray[np.float32]:
    """What the outputs of hidden layer ``layer`` are multiplied by: 0 or 1 / (1 - dropout); shape (rows, width)."""
    threshold = dropout_threshold(dropout)
    units, blocks = np.arange(width)[None, :], np.arange((rows + 7) // 8)[:, None]
    found = np.stack(philox(seed, units, blocks, step & 0xFFFFFFFF, DROPOUT << 16 | layer), axis=1)
    halves = np.stack([found & np.uint32(0xFFFF), found >> np.uint32(16)], axis=2)  # (blocks, 4, 2, width)
    numbers = halves.reshape(-1, width)[:rows]
    keep = np.float32(65536.0 / (65536.0 - threshold))
    return np.where(numbers < threshold, np.float32(0.0), keep).astype(np.float32)
