// Blocks of 16 x 16 floats: transposed, and reduced row by row.
#pragma once

#include "cpu/kernels.hpp"
#include "cpu/simd/vec.hpp"

namespace hyperband::cpu::HB_ISA {

// to[c][r] = from[r][c] for 16 rows anywhere in memory; rows of `to` are contiguous.
HB_FN void transpose_rows(const float *const *from, float *to) {
#if HB_LANES == 16
    for (int c = 0; c < 4; ++c) {  // quads c of all rows become rows 4 c to 4 c + 3
        __m512 q[4];               // q[i]: rows i, 4 + i, 8 + i, 12 + i
        for (int i = 0; i < 4; ++i) {
            const auto quad_of = [&](int r) { return _mm_load_ps(from[r] + 4 * c); };
            q[i] = _mm512_castps128_ps512(quad_of(i));
            q[i] = _mm512_maskz_insertf32x4(0xffff, q[i], quad_of(4 + i), 1);
            q[i] = _mm512_maskz_insertf32x4(0xffff, q[i], quad_of(8 + i), 2);
            q[i] = _mm512_maskz_insertf32x4(0xffff, q[i], quad_of(12 + i), 3);
        }
        const __m512 a = _mm512_maskz_unpacklo_ps(0xffff, q[0], q[1]), b = _mm512_maskz_unpackhi_ps(0xffff, q[0], q[1]);
        const __m512 e = _mm512_maskz_unpacklo_ps(0xffff, q[2], q[3]), f = _mm512_maskz_unpackhi_ps(0xffff, q[2], q[3]);
        _mm512_store_ps(to + (4 * c + 0) * kPanel, _mm512_maskz_shuffle_ps(0xffff, a, e, 0x44));
        _mm512_store_ps(to + (4 * c + 1) * kPanel, _mm512_maskz_shuffle_ps(0xffff, a, e, 0xee));
        _mm512_store_ps(to + (4 * c + 2) * kPanel, _mm512_maskz_shuffle_ps(0xffff, b, f, 0x44));
        _mm512_store_ps(to + (4 * c + 3) * kPanel, _mm512_maskz_shuffle_ps(0xffff, b, f, 0xee));
    }
#else
    quad_memory *o = reinterpret_cast<quad_memory *>(to);
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 4; ++c) {
            const auto quad_of = [&](int i) { return *reinterpret_cast<const quad_memory *>(from[4 * r + i] + 4 * c); };
            const quad a = quad_of(0), b = quad_of(1), e = quad_of(2), f = quad_of(3);
            quad ab0 = HB_SHUFFLE(a, b, 0, 4, 1, 5), ab1 = HB_SHUFFLE(a, b, 2, 6, 3, 7);
            quad ef0 = HB_SHUFFLE(e, f, 0, 4, 1, 5), ef1 = HB_SHUFFLE(e, f, 2, 6, 3, 7);
            o[(4 * c + 0) * 4 + r] = HB_SHUFFLE(ab0, ef0, 0, 1, 4, 5);
            o[(4 * c + 1) * 4 + r] = HB_SHUFFLE(ab0, ef0, 2, 3, 6, 7);
            o[(4 * c + 2) * 4 + r] = HB_SHUFFLE(ab1, ef1, 0, 1, 4, 5);
            o[(4 * c + 3) * 4 + r] = HB_SHUFFLE(ab1, ef1, 2, 3, 6, 7);
        }
#endif
}

// A 16 x 16 block, both sides contiguous rows of 16.
HB_FN void transpose_block(const float *from, float *to) {
    const float *rows[kPanel];
    for (int r = 0; r < kPanel; ++r) rows[r] = from + r * kPanel;
    transpose_rows(rows, to);
}

template <int kDistance, class Op> HB_FN V fold(V a, V b, const Op &op) {
    V x, y;
    deal<kDistance>(a, b, x, y);
    return op(x, y);
}

// Lane i of the result: row i of the block by the tree (j, j + 8), (j, j + 4), (j, j + 2), (j, j + 1) over its lanes.
template <class Op> HB_FN V reduce_rows(const float *block, const Op &op) {
    V quarter[4];  // quad k of quarter p: what is left of row 4 k + p
    for (int p = 0; p < 4; ++p) {
        const float *row = block + p * kPanel;
        const V low = fold<8>(load(row), load(row + 4 * kPanel), op);
        const V high = fold<8>(load(row + 8 * kPanel), load(row + 12 * kPanel), op);
        quarter[p] = fold<4>(low, high, op);
    }
    return fold<1>(fold<2>(quarter[0], quarter[1], op), fold<2>(quarter[2], quarter[3], op), op);
}
HB_FN V sum_rows(const float *block) {
    return reduce_rows(block, [](V a, V b) { return a + b; });
}
HB_FN V largest_of_rows(const float *block) {  // NaN may or may not win; callers check a sum
    return reduce_rows(block, [](V a, V b) { return max_(a, b); });
}

}  // namespace hyperband::cpu::HB_ISA
