"""Philox 4x32-10, the order of rows and dropout, as in `hyperband.engine.backends.philox`, for compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend.jit import jit
from hyperband.engine.backends.philox import DROPOUT, ROW_ORDER

u8 = np.uint64
_LOW, _32 = u8(0xFFFFFFFF), u8(32)
_M0, _M1, _W0, _W1 = u8(0xD2511F53), u8(0xCD9E8D57), u8(0x9E3779B9), u8(0xBB67AE85)
_H0, _H1, _S0, _S1 = u8(0x9E3779B1), u8(0x85EBCA77), u8(15), u8(13)
_HALF, _16 = np.uint32(0xFFFF), np.uint32(16)


@jit
def philox(k0: Any, k1: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four words, each in a uint64; all arguments are uint64 below 2^32."""
    for _ in range(10):
        p = _M0 * a
        q = _M1 * c
        a, b, c, d = (q >> _32) ^ b ^ k0, q & _LOW, (p >> _32) ^ d ^ k1, p & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return a, b, c, d


@jit
def _mix(v: Any, key: Any) -> Any:
    h = ((v ^ key) * _H0) & _LOW
    h ^= h >> _S0
    h = (h * _H1) & _LOW
    return h ^ (h >> _S1)


@jit
def row_numbers(keys: Any, n: int, low_bits: int, high_bits: int, first: int, count: int, out: Any) -> None:
    """Rows at positions ``first`` to ``first + count - 1`` of an epoch over n rows; ``keys``: `epoch_keys`."""
    low, high = u8(low_bits), u8(high_bits)
    low_mask, high_mask = (u8(1) << low) - u8(1), (u8(1) << high) - u8(1)
    for i in range(count):
        x = u8(first + i)
        while True:
            left, right = x >> low, x & low_mask
            for r in range(0, 6, 2):
                left ^= _mix(right, keys[r]) & high_mask
                right ^= _mix(left, keys[r + 1]) & low_mask
            x = (left << low) | right
            if x < u8(n) or n <= 1:
                break
        out[i] = np.int64(x) if n > 1 else 0


@jit
def drop(
    h: Any, d: Any, more: Any, stride: int, rows: int, width: int, layer: int, step: int, k0: Any, k1: Any,
    threshold: int, keep: Any, words: Any,
) -> None:  # fmt: skip
    """Multiply outputs, slopes and, unless it is empty, ``more``, (rows, stride) each, by the dropout mask.

    ``words``: uint32, 4 x stride, scratch.
    """
    least = np.uint32(threshold)
    purpose = u8(DROPOUT << 16) | u8(layer)
    w0, w1, w2, w3 = words[:stride], words[stride : 2 * stride], words[2 * stride : 3 * stride], words[3 * stride :]
    for block in range((rows + 7) // 8):
        for j in range(width):
            a, b, c, e = philox(k0, k1, u8(j), u8(block), u8(step) & _LOW, purpose)
            w0[j], w1[j], w2[j], w3[j] = np.uint32(a), np.uint32(b), np.uint32(c), np.uint32(e)
        for row in range(min(8, rows - 8 * block)):
            at = (8 * block + row) * stride
            word, high = words[(row >> 1) * stride :], row & 1
            shift = _16 if high else np.uint32(0)
            h_row, d_row = h[at : at + width], d[at : at + width]
            for j in range(width):
                mask = np.float32(0) if np.uint32((word[j] >> shift) & _HALF) < least else keep
                h_row[j] *= mask
                d_row[j] *= mask
                if more.size:
                    more[at + j] *= mask


@jit
def epoch_keys(k0: Any, k1: Any, epoch: int) -> Any:
    """The eight round keys of an epoch's order of rows, uint64 (8,)."""
    keys = np.zeros(8, np.uint64)
    for block in range(2):
        words = philox(k0, k1, u8(block), u8(0), u8(epoch) & _LOW, u8(ROW_ORDER << 16))
        for i in range(4):
            keys[4 * block + i] = words[i]
    return keys
