// A step whose products take bfloat16 numbers and add them up in float32; weights, moments and all else stay float32.
//
// The including file defines HB_BF16_AMX as 1, for tiles of AMX, or 0, for dot products of AVX512_BF16. Both give the same
// bits whatever other networks train at the same time and however many rows go together; from each other they differ in
// rounding.
//
// Operands of products are in tiles of 1 KiB. Left: tile (m / 16, k / 32) holds rows of 32 k. Right: tile (n / 16, k / 32)
// holds rows k, k + 1 interleaved: [k / 2][n][2]. Elements beyond a matrix are 0.
#pragma once

#include "cpu/simd/step.hpp"

namespace hyperband::cpu::HB_ISA {

constexpr int kTileNumbers = 512, kDeep = 32;  // numbers in a tile; k in a tile
HB_FN int deep(int n) { return (n + kDeep - 1) / kDeep; }
HB_FN size_t numbers_in(int n) { return static_cast<size_t>(deep(n)) * kTileNumbers; }  // of one row of tiles over n

// The first argument in the low half.
HB_FN __m512i two_bf16(V low, V high) { return (__m512i)_mm512_cvtne2ps_pbh((__m512)high.x[0], (__m512)low.x[0]); }
HB_FN void store_row(uint16_t *to, __m512i x) { _mm512_store_si512(to, x); }
// low[0], high[0], low[1], high[1], ...
HB_FN __m512i interleaved(V low, V high) {
    alignas(64) static constexpr uint16_t kOrder[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_maskz_permutexvar_epi16(0xffffffff, _mm512_load_si512(kOrder), two_bf16(low, high));
}

// Up to 32 rows of floats; rows beyond n are 0.
struct FloatRows {
    const float *row[kDeep];
    int n, width;
    HB_FN V at(int r, int c) const {
        if (r >= n || c >= width) return V(0.0f);
        const V x = load(row[r] + c);
        return c + kPanel <= width ? x : select(below(width - c), x, V(0.0f));
    }
};

// Rows of a batch as the left side of a product over columns.
HB_FN void to_left(const FloatRows &from, uint16_t *tiles, int first) {
    const int nk = deep(from.width);
    for (int r = 0; r < kDeep; ++r)
        for (int k = 0; k < nk; ++k)
            store_row(tiles + (static_cast<size_t>((first + r) / kPanel) * nk + k) * kTileNumbers + r % kPanel * kDeep,
                      two_bf16(from.at(r, k * kDeep), from.at(r, k * kDeep + kPanel)));
}

// The transposed matrix as the left side of a product over the rows of a part: its row tiles run over columns.
HB_FN void to_left_transposed(const FloatRows &from, uint16_t *tiles, int first, int part) {
    alignas(64) float block[2][kPanel * kPanel], zero[kPanel] = {};
    for (int c = 0; c < from.width; c += kPanel) {
        for (int half = 0; half < 2; ++half) {
            const float *rows[kPanel];
            for (int r = 0; r < kPanel; ++r) rows[r] = half * kPanel + r < from.n ? from.row[half * kPanel + r] + c : zero;
            transpose_rows(rows, block[half]);
        }
        uint16_t *to = tiles + (static_cast<size_t>(c / kPanel) * deep(part) + first / kDeep) * kTileNumbers;
        for (int r = 0; r < kPanel; ++r) {
            const bool inside = c + r < from.width;
            store_row(to + r * kDeep,
                      inside ? two_bf16(load(block[0] + r * kPanel), load(block[1] + r * kPanel)) : two_bf16(V(0.0f), V(0.0f)));
        }
    }
}

// Rows of a part as the right side of a product over them.
HB_FN void to_right(const FloatRows &from, uint16_t *tiles, int first, int part) {
    for (int c = 0; c < from.width; c += kPanel) {
        uint16_t *to = tiles + (static_cast<size_t>(c / kPanel) * deep(part) + first / kDeep) * kTileNumbers;
        for (int r = 0; r < kDeep; r += 2) store_row(to + r / 2 * kDeep, interleaved(from.at(r, c), from.at(r + 1, c)));
    }
}

// Weights k to k + count - 1 (k a multiple of 16) of panel p, as right sides: of the product over inputs and, from layer 1
// on, of the product over outputs.
HB_FN void weights_to_right(const Layer &y, const float *weights, uint16_t *over_in, uint16_t *over_out, int p, int k,
                            int count) {
    const float *from = weights + y.weights + (static_cast<size_t>(p) * y.in) * kPanel;
    for (int i = k; i < k + count; i += 2) {
        const V next = i + 1 < y.in ? load(from + (i + 1) * kPanel) : V(0.0f);
        store_row(over_in + (static_cast<size_t>(p) * deep(y.in) + i / kDeep) * kTileNumbers + i % kDeep / 2 * kDeep,
                  interleaved(load(from + i * kPanel), next));
    }
    if (!over_out) return;
    alignas(64) float turned[kPanel * kPanel], zero[kPanel] = {};
    for (int i = k; i < k + count; i += kPanel) {
        const float *rows[kPanel];
        for (int r = 0; r < kPanel; ++r) rows[r] = i + r < y.in ? from + (i + r) * kPanel : zero;
        transpose_rows(rows, turned);
        uint16_t *to =
            over_out + (static_cast<size_t>(i / kPanel) * deep(y.out) + p / 2) * kTileNumbers + p % 2 * (kTileNumbers / 2);
        for (int j = 0; j < kPanel; j += 2)
            store_row(to + j / 2 * kDeep, interleaved(load(turned + j * kPanel), load(turned + (j + 1) * kPanel)));
    }
}

#if HB_BF16_AMX
// Eight tiles of 16 rows of 64 bytes for as long as this lives.
struct Tiles16 {
    Tiles16() {
        struct alignas(64) {
            uint8_t palette = 1, start = 0, reserved[14] = {};
            uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } config;
        _tile_loadconfig(&config);
    }
    ~Tiles16() { _tile_release(); }
};

// c (16 m, 16 n): sums over nk tiles of 32, in order. Rows of c are ldc floats apart, its panels of 16 columns `panel` floats;
// panels of b next_b numbers.
HB_FN void product_16(const uint16_t *a, int m, const uint16_t *b, size_t next_b, int n, int nk, float *c, size_t ldc,
                      size_t panel) {
    const size_t next = static_cast<size_t>(nk) * kTileNumbers;
    const auto bytes = static_cast<long>(ldc * sizeof(float));
    for (int j = 0; j < n; j += 2)
        for (int i = 0; i < m; i += 2) {
            const uint16_t *a0 = a + i * next, *b0 = b + j * next_b;
            float *to = c + static_cast<size_t>(i) * kPanel * ldc + j * panel;
            const bool tall = i + 1 < m, wide = j + 1 < n;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (int k = 0; k < nk; ++k, a0 += kTileNumbers, b0 += kTileNumbers) {
                _tile_loadd(4, a0, 64);
                _tile_loadd(6, b0, 64);
                _tile_dpbf16ps(0, 4, 6);
                if (wide) {
                    _tile_loadd(7, b0 + next_b, 64);
                    _tile_dpbf16ps(1, 4, 7);
                }
                if (!tall) continue;
                _tile_loadd(5, a0 + next, 64);
                _tile_dpbf16ps(2, 5, 6);
                if (wide) _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, to, bytes);
            if (wide) _tile_stored(1, to + panel, bytes);
            if (tall) _tile_stored(2, to + kPanel * ldc, bytes);
            if (tall && wide) _tile_stored(3, to + kPanel * ldc + panel, bytes);
        }
}
#else
struct Tiles16 {
    ~Tiles16() {}
};

template <int N>
HB_FN void rows_16(const uint16_t *a, const uint16_t *b, size_t next_b, int nk, float *c, size_t ldc, size_t panel) {
    constexpr int kRows = 8;
    __m512 acc[kRows][N];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < N; ++v) acc[r][v] = _mm512_setzero_ps();
    for (int k = 0; k < nk; ++k, a += kTileNumbers, b += kTileNumbers)
        for (int i = 0; i < kDeep; i += 2) {
            __m512bh bv[N];
#pragma GCC unroll 2
            for (int v = 0; v < N; ++v) bv[v] = (__m512bh)_mm512_load_si512(b + v * next_b + i / 2 * kDeep);
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
                int32_t pair;
                __builtin_memcpy(&pair, a + r * kDeep + i, sizeof pair);
                const __m512bh av = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 2
                for (int v = 0; v < N; ++v) acc[r][v] = _mm512_dpbf16_ps(acc[r][v], av, bv[v]);
            }
        }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < N; ++v) _mm512_store_ps(c + r * ldc + v * panel, acc[r][v]);
}

HB_FN void product_16(const uint16_t *a, int m, const uint16_t *b, size_t next_b, int n, int nk, float *c, size_t ldc,
                      size_t panel) {
    const size_t next = static_cast<size_t>(nk) * kTileNumbers;
    for (int j = 0; j < n; j += 2)
        for (int i = 0; i < 2 * m; ++i) {
            const uint16_t *from = a + (i / 2) * next + i % 2 * 8 * kDeep;
            float *to = c + static_cast<size_t>(i) * 8 * ldc + j * panel;
            if (j + 1 < n)
                rows_16<2>(from, b + j * next_b, next_b, nk, to, ldc, panel);
            else
                rows_16<1>(from, b + j * next_b, next_b, nk, to, ldc, panel);
        }
}
#endif

// Calls visit(rows, number of the first) for every 32 rows of the part, rows beyond it missing.
template <bool kPrefetch = false, class RowAt, class Visit>
HB_FN void each_32_rows(int n, int width, const RowAt &row_at, const Visit &visit) {
    FloatRows rows;
    rows.width = width;
    for (int first = 0; first < n; first += kDeep) {
        rows.n = n - first < kDeep ? n - first : kDeep;
        for (int r = 0; r < rows.n; ++r) rows.row[r] = row_at(first + r);
        if constexpr (kPrefetch)  // they are scattered in memory: prefetch the next ones
            for (int r = first + kDeep; r < first + 2 * kDeep && r < n; ++r) ask_for(row_at(r), static_cast<size_t>(width), 1);
        visit(rows, first);
    }
}

inline void bf16_copy_weights(const Layout &layout, const float *weights, const Workspace &work) {
    __builtin_memset(work.bf16.weights, 0, work.bf16.weights_bytes);
    for (int l = 0; l < layout.n_layers; ++l)
        for (int p = 0; p < layout.layer[l].panels; ++p)
            weights_to_right(layout.layer[l], weights, work.bf16.w[l], l > 0 ? work.bf16.wt[l] : nullptr, p, 0,
                             layout.layer[l].in);
}

inline void bf16_forward(const StepArgs &s) {
    const Architecture &arch = *s.architecture;
    const bool stored = slope_of(arch) == Slope::stored;
    const Bf16Operands &half = s.work->bf16;
    const int m = 2 * deep(s.rows);
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        const bool last = l + 1 == s.layout->n_layers;
        float *const c = last ? s.work->outputs : s.work->h[l];
        const auto ld = static_cast<size_t>(row_stride(y.out));
        // Tiles of inputs that take no part come after those of the active inputs, so that they are left out.
        product_16(l == 0 ? half.x : half.h[l - 1], m, half.w[l], numbers_in(y.in), y.panels, deep(l == 0 ? s.inputs : y.in), c,
                   ld, kPanel);
        for (int b = 0; b < s.rows; ++b)
            for (int j = 0; j < y.panels * kPanel; j += kPanel)
                store(c + b * ld + j, load(c + b * ld + j) + load(s.weights + y.bias + j));
        if (last) return;
        float *const d = stored ? s.work->d[l] : nullptr, *const e = s.work->e[l];
        by_activation(arch.activation, [&](auto tag) {
            constexpr Activation kActivation = decltype(tag)::value;
            if (e)
                ActivateWeighted<kActivation>{c, d, e, s.weights + y.alpha, ld, s.rows}(0, y.panels);
            else
                Activate<kActivation>{c, d, ld, s.rows}(0, y.panels);
        });
        if (e)
            drop<true>(c, d, e, ld, s.first, s.rows, y.panels, s.key, s.step, l, s.dropped);
        else if (arch.dropout > 0.0)
            drop(c, d, nullptr, ld, s.first, s.rows, y.panels, s.key, s.step, l, s.dropped);
        each_32_rows(
            s.rows, y.out, [&](int b) { return c + b * ld; },
            [&](const FloatRows &rows, int first) {
                to_left(rows, half.h[l], first);
                to_left_transposed(rows, half.ht[l], first, s.rows);
            });
    }
}

inline void bf16_backward(const StepArgs &s) {
    const Slope slope = slope_of(*s.architecture);
    const Bf16Operands &half = s.work->bf16;
    for (int l = s.layout->n_layers - 1; l >= 0; --l) {
        const Layer &y = s.layout->layer[l];
        const float *const g = s.work->g[l];
        const auto ldg = static_cast<size_t>(row_stride(y.out));
        each_32_rows(
            s.rows, y.out, [&](int b) { return g + b * ldg; },
            [&](const FloatRows &rows, int first) {
                if (l > 0) to_left(rows, half.g, first);
                to_right(rows, half.gt[l], first, s.rows);
            });
        if (l == 0) return;
        float *const below_g = s.work->g[l - 1];
        const auto ld = static_cast<size_t>(row_stride(y.in));
        product_16(half.g, 2 * deep(s.rows), half.wt[l], numbers_in(y.out), panels_of(y.in), deep(y.out), below_g, ld, kPanel);
        if (float *const e = s.work->e[l - 1]) {
            times_slope_and_alpha(below_g, s.work->d[l - 1], e, ld, s.rows, panels_of(y.in));
            continue;
        }
        if (slope == Slope::one) continue;
        const float *const h = s.work->h[l - 1], *const d = s.work->d[l - 1];
        for (int b = 0; b < s.rows; ++b)
            for (int j = 0; j < padded(y.in); j += kPanel) {
                const size_t at = b * ld + j;
                const V x = load(below_g + at);
                store(below_g + at, slope == Slope::sign ? select(load(h + at) > V(0.0f), x, V(0.0f)) : x * load(d + at));
            }
    }
}

inline void bf16_rows(const StepArgs &s, Share) {
    const Tiles16 tiles;
    each_32_rows<true>(
        s.rows, s.inputs, [&](int b) { return s.data.x + s.index[b] * s.data.stride; },
        [&](const FloatRows &rows, int first) {
            to_left(rows, s.work->bf16.x, first);
            to_left_transposed(rows, s.work->bf16.xt, first, s.rows);
        });
    bf16_forward(s);
    row_losses<true>(
        {s.loss, s.n_outputs, s.rows, s.batch, s.data, s.index, static_cast<float>(s.architecture->label_smoothing), s.work});
    bf16_backward(s);
}

inline void bf16_columns(const StepArgs &s, Share share) {
    const Tiles16 tiles;
    const UpdateRun run = update_of(*s.architecture);
    const Update weights[2] = {s.update.of(Group::first_weights), s.update};
    const bool collected = s.work->gradient != nullptr, accumulate = s.first > 0;
    const Bf16Operands &half = s.work->bf16;
    const int nk = deep(s.rows);
    alignas(64) float out[kTilePanels][kRunRows * kPanel];
    vector_columns(s, share, run, accumulate);
    for_each_block(*s.layout, s.inputs, share, [&](const Block &b) {
        const Layer &y = s.layout->layer[b.l];
        const uint16_t *a = (b.l == 0 ? half.xt : half.ht[b.l - 1]) + static_cast<size_t>(b.k / kPanel) * nk * kTileNumbers;
        product_16(a, panels_of(b.count), half.gt[b.l] + b.panel * numbers_in(s.rows), numbers_in(s.rows), b.panels, nk, out[0],
                   kPanel, kRunRows * kPanel);
        for (int p = 0; p < b.panels; ++p) {
            const size_t at = y.weights + (static_cast<size_t>(b.panel + p) * y.in + b.k) * kPanel;
            if (collected) {
                float *const to = s.work->gradient + at;
                for (int i = 0; i < b.count * kPanel; i += kPanel)
                    store(to + i, accumulate ? load(to + i) + load(out[p] + i) : load(out[p] + i));
                continue;
            }
            run(s.weights + at, moments(s.m, at), moments(s.v, at), out[p], static_cast<size_t>(b.count) * kPanel,
                weights[b.l > 0]);
            weights_to_right(y, s.weights, half.w[b.l], b.l > 0 ? half.wt[b.l] : nullptr, b.panel + p, b.k, b.count);
        }
    });
}

inline void bf16_update(const StepArgs &s, Share share) {
    update_with(s, share, [&](const Layer &y, int l, int p, int k, int count) {
        weights_to_right(y, s.weights, s.work->bf16.w[l], l > 0 ? s.work->bf16.wt[l] : nullptr, p, k, count);
    });
}

}  // namespace hyperband::cpu::HB_ISA

// Entries that are missing here are those of float32.
#define HB_BF16_TABLE(NAME)                   \
    {.name = NAME,                            \
     .transpose = &HB_ISA::bf16_copy_weights, \
     .rows = &HB_ISA::bf16_rows,              \
     .columns = &HB_ISA::bf16_columns,        \
     .update = &HB_ISA::bf16_update}
