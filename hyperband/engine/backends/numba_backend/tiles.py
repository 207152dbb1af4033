"""The inner tiles of matrix products and transpositions, as vector instructions for LLVM.

Numba cannot say "keep these sums in registers"; an intrinsic can. A tile of C = bias + A B holds ``rows`` x ``vectors``
vectors of sums and walks over k in order, so that each number's sum has one order whatever the tile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hyperband.engine.backends.numba_backend.jit import WIDTH

_intrinsic: Any = intrinsic
_INT = ir.IntType(64)
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_LANE = ir.IntType(32)
_EIGHT_BYTES = 4  #: alignment that loads may rely on: that of one float


def _address(builder: Any, base: Any, offset: Any) -> Any:
    return builder.gep(base, [offset])


def _load(builder: Any, base: Any, offset: Any) -> Any:
    pointer = builder.bitcast(_address(builder, base, offset), _VECTOR.as_pointer())
    return builder.load(pointer, align=_EIGHT_BYTES)


def _store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    pointer = builder.bitcast(_address(builder, base, offset), _VECTOR.as_pointer())
    builder.store(value, pointer, align=_EIGHT_BYTES)


def _broadcast(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_LANE, 0))
    zeros = ir.Constant(ir.VectorType(_LANE, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fadd(c, builder.fmul(a, b, flags=("contract",)), flags=("contract",))


def _shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_LANE, WIDTH), lanes))


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def make_tile(rows: int, vectors: int) -> Any:
    """``tile(a, at, a_row, a_k, b, bt, b_k, bias, it, c, ct, c_row, depth)``, all arrays flat float32, depth >= 1.

    ``c[ct + i * c_row + j] = bias[it + j] + sum_k a[at + i * a_row + k * a_k] * b[bt + k * b_k + j]`` for ``rows``
    values of i and ``vectors * WIDTH`` values of j.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, bias, c = (_data(context, builder, signature.args[i], arguments[i]) for i in (0, 4, 7, 9))
        at, a_row, a_k, bt, b_k, it, ct, c_row, depth = (arguments[i] for i in (1, 2, 3, 5, 6, 8, 10, 11, 12))
        a_rows = [_address(builder, a, builder.add(at, builder.mul(a_row, _INT(i)))) for i in range(rows)]
        starts = [_load(builder, bias, builder.add(it, _INT(v * WIDTH))) for v in range(vectors)]
        before, body, after = builder.block, builder.append_basic_block("k"), builder.append_basic_block("stored")
        builder.branch(body)
        builder.position_at_end(body)
        k = builder.phi(_INT)
        sums = [[builder.phi(_VECTOR) for _ in range(vectors)] for _ in range(rows)]
        b_at = builder.add(bt, builder.mul(k, b_k))
        columns = [_load(builder, b, builder.add(b_at, _INT(v * WIDTH))) for v in range(vectors)]
        a_at, added = builder.mul(k, a_k), []
        for i in range(rows):
            value = _broadcast(builder, builder.load(_address(builder, a_rows[i], a_at), align=4))
            added.append([_multiply_add(builder, value, b, s) for b, s in zip(columns, sums[i], strict=True)])
        following = builder.add(k, _INT(1))
        builder.cbranch(builder.icmp_signed("<", following, depth), body, after)
        k.add_incoming(_INT(0), before)
        k.add_incoming(following, body)
        builder.position_at_end(after)
        for i in range(rows):
            row = builder.add(ct, builder.mul(c_row, _INT(i)))
            for v in range(vectors):
                sums[i][v].add_incoming(starts[v], before)
                sums[i][v].add_incoming(added[i][v], body)
                _store(builder, added[i][v], c, builder.add(row, _INT(v * WIDTH)))
        return context.get_dummy_value()

    @_intrinsic
    def tile(
        typing: Any, a: Any, at: Any, a_row: Any, a_k: Any, b: Any, bt: Any, b_k: Any, bias: Any, it: Any, c: Any,
        ct: Any, c_row: Any, depth: Any,
    ) -> Any:  # fmt: skip
        i = types.int64
        return types.void(a, i, i, i, b, i, i, bias, i, c, i, i, i), generate

    return tile


@_intrinsic
def transpose_block(typing: Any, source: Any, at: Any, row: Any, target: Any, to: Any, to_row: Any) -> Any:
    """``target[to + j * to_row + i] = source[at + i * row + j]`` for i, j < WIDTH."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, start, stride, _, begin, step = arguments
        a = _data(context, builder, signature.args[0], arguments[0])
        c = _data(context, builder, signature.args[3], arguments[3])
        rows = [_load(builder, a, builder.add(start, builder.mul(stride, _INT(i)))) for i in range(WIDTH)]
        size = 1
        while size < WIDTH:  # swap the off-diagonal blocks of 1, 2, 4 ... lanes
            low = [j if j & size == 0 else WIDTH + j - size for j in range(WIDTH)]
            high = [j + size if j & size == 0 else WIDTH + j for j in range(WIDTH)]
            for i in range(WIDTH):
                if i & size == 0:
                    a, b = rows[i], rows[i + size]
                    rows[i], rows[i + size] = _shuffle(builder, a, b, low), _shuffle(builder, a, b, high)
            size *= 2
        for j in range(WIDTH):
            _store(builder, rows[j], c, builder.add(begin, builder.mul(step, _INT(j))))
        return context.get_dummy_value()

    i = types.int64
    return types.void(source, i, i, target, i, i), generate
