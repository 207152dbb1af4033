"""Matrix products on flat float32 arrays, out of the tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from hyperband.engine.backends.numba_backend.jit import WIDTH, inlined, jit
from hyperband.engine.backends.numba_backend.tiles import make_tile, transpose_block

#: rows of the large tile: as many sums as the registers hold
ROWS = 8 if WIDTH == 16 else 6
PAIR = 2 * WIDTH
F32s = Any


def _columns(vectors: int) -> Any:
    """All rows of a product for ``vectors`` x WIDTH of its columns; arguments as those of `multiply`."""
    full, four, two, one = (make_tile(rows, vectors) for rows in (ROWS, 4, 2, 1))

    @inlined
    def columns(
        a: F32s, at: int, a_row: int, a_k: int, b: F32s, bt: int, b_k: int, bias: F32s, it: int, c: F32s, ct: int,
        c_row: int, rows: int, depth: int,
    ) -> None:  # fmt: skip
        i = 0
        while i + ROWS <= rows:
            full(a, at + i * a_row, a_row, a_k, b, bt, b_k, bias, it, c, ct + i * c_row, c_row, depth)
            i += ROWS
        if i + 4 <= rows:
            four(a, at + i * a_row, a_row, a_k, b, bt, b_k, bias, it, c, ct + i * c_row, c_row, depth)
            i += 4
        if i + 2 <= rows:
            two(a, at + i * a_row, a_row, a_k, b, bt, b_k, bias, it, c, ct + i * c_row, c_row, depth)
            i += 2
        if i < rows:
            one(a, at + i * a_row, a_row, a_k, b, bt, b_k, bias, it, c, ct + i * c_row, c_row, depth)

    return columns


_two_vectors, _one_vector = _columns(2), _columns(1)


@jit
def multiply(
    a: F32s, at: int, a_row: int, a_k: int, b: F32s, bt: int, b_k: int, bias: F32s, it: int, c: F32s, ct: int,
    c_row: int, rows: int, columns: int, depth: int,
) -> None:  # fmt: skip
    """``c[i, j] = bias[j] + sum_k a[i, k] b[k, j]``, k in order; ``columns`` is a multiple of WIDTH.

    Element (i, k) of a lies at ``at + i * a_row + k * a_k``, (k, j) of b at ``bt + k * b_k + j``, j of the bias at
    ``it + j`` and (i, j) of c at ``ct + i * c_row + j``.
    """
    j = 0
    while j + PAIR <= columns:
        _two_vectors(a, at, a_row, a_k, b, bt + j, b_k, bias, it + j, c, ct + j, c_row, rows, depth)
        j += PAIR
    if j < columns:
        _one_vector(a, at, a_row, a_k, b, bt + j, b_k, bias, it + j, c, ct + j, c_row, rows, depth)


@jit
def transpose(source: F32s, at: int, row: int, rows: int, columns: int, target: F32s, target_row: int) -> None:
    """``target[j, i] = source[i, j]`` for j < ``columns`` (a multiple of WIDTH), each row filled up with zeros."""
    whole = rows - rows % WIDTH
    for i in range(0, whole, WIDTH):
        for j in range(0, columns, WIDTH):
            transpose_block(source, at + i * row + j, row, target, j * target_row + i, target_row)
    if whole < rows:
        for j in range(columns):
            to = j * target_row + whole
            for i in range(rows - whole):
                target[to + i] = source[at + (whole + i) * row + j]
    for j in range(columns):
        target[j * target_row + rows : (j + 1) * target_row] = np.float32(0)
