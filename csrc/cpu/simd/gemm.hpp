// Matrix products in register tiles: every sum over k runs in order, in one accumulator per output, whatever the tile.
#pragma once

#include "cpu/kernels.hpp"
#include "cpu/simd/vec.hpp"

namespace hyperband::cpu::HB_ISA {

// Rows [begin, begin + size) of tile t when n rows are dealt evenly to the fewest tiles of at most `most` rows.
struct Tiles {
    int count, base, extra;
    HB_FN Tiles(int n, int most) : count((n + most - 1) / most), base(count ? n / count : 0), extra(count ? n % count : 0) {}
    HB_FN int begin(int t) const { return t * base + (t < extra ? t : extra); }
    HB_FN int size(int t) const { return base + (t < extra ? 1 : 0); }
};

// What is done to a sum before it is stored: nothing; max(0, x); or 0 where `gate`, laid out like c, is not positive.
enum class Finish { none, rectify, gate };

// c[r][16 NV] = start + sum_k a[r][k] b[k][16 NV]; panels of b are `panel` floats apart. The start of row r is
// start + r * ld_start: a bias for every row (ld_start = 0), or c itself to continue with a sum.
template <int MR, int NV, Finish kFinish>
void tile(const float *a, size_t lda, int k_end, const float *b, size_t panel, const float *start, size_t ld_start, float *c,
          size_t ldc, [[maybe_unused]] const float *gate) {
    V acc[MR][NV];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) acc[r][v] = start ? load(start + r * ld_start + v * kPanel) : V(0.0f);
    constexpr int kGroups = (MR + 2) / 3;  // three rows share a pointer: base, base + lda, base + 2 lda
    const float *p[kGroups];
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) p[g] = a + 3 * g * lda;
    for (int k = 0; k < k_end; ++k) {
        V bv[NV];
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) bv[v] = load(b + v * panel);
        b += kPanel;
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            V av(p[r / 3][(r % 3) * lda]);
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) acc[r][v] = fma(av, bv[v], acc[r][v]);
        }
#pragma GCC unroll 16
        for (int g = 0; g < kGroups; ++g) ++p[g];
    }
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) {
            V x = acc[r][v];
            if constexpr (kFinish == Finish::rectify) x = max_(V(0.0f), x);
            if constexpr (kFinish == Finish::gate) x = select(load(gate + r * ldc + v * kPanel) > V(0.0f), x, V(0.0f));
            store(c + r * ldc + v * kPanel, x);
        }
}

// out[v * panel + 16 r ...] = sum_b a[b][r] g[b][16 v ...], b in order; kAccumulate: the sum starts with `out`.
template <int MR, int NV, bool kAccumulate>
void outer_tile(const float *a, size_t lda, int rows, const float *g, size_t ldg, float *out, size_t panel) {
    V acc[MR][NV];
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) acc[r][v] = kAccumulate ? load(out + v * panel + r * kPanel) : V(0.0f);
    for (int b = 0; b < rows; ++b) {
        V gv[NV];
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) gv[v] = load(g + v * kPanel);
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r) {
            V av(a[r]);
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) acc[r][v] = fma(av, gv[v], acc[r][v]);
        }
        a += lda;
        g += ldg;
    }
#pragma GCC unroll 16
    for (int r = 0; r < MR; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) store(out + v * panel + r * kPanel, acc[r][v]);
}

using Tile = void (*)(const float *, size_t, int, const float *, size_t, const float *, size_t, float *, size_t, const float *);
using OuterTile = void (*)(const float *, size_t, int, const float *, size_t, float *, size_t);

// Tables by the number of rows: kTileRows of this instruction set fills its registers.
template <int NV, int... R> struct TileTable {
    template <Finish kFinish> static constexpr Tile tiles[] = {&tile<R + 1, NV, kFinish>...};
    template <bool kAccumulate> static constexpr OuterTile outer[] = {&outer_tile<R + 1, NV, kAccumulate>...};
};
template <int NV, int N, int... R> struct MakeTable : MakeTable<NV, N - 1, N - 1, R...> {};
template <int NV, int... R> struct MakeTable<NV, 0, R...> {
    using type = TileTable<NV, R...>;
};
constexpr int kTileRows = HB_TILE_ROWS, kTilePanels = HB_TILE_PANELS;
template <int NV> using Table = typename MakeTable<NV, kTileRows>::type;

// Depth of the panels of b that stay in the first-level cache for all rows: kTilePanels * 16 * kDepth floats, 24 KiB.
constexpr int kDepth = 384 / kTilePanels;

// c = finish(bias + a b), then epilogue(first panel, number of panels) while these are in the first-level cache.
template <Finish kFinish, class Epilogue>
void gemm(const float *a, size_t lda, int rows, int k_end, const float *b, size_t panel, int panels, const float *bias,
          float *c, size_t ldc, const float *gate, const Epilogue &epilogue) {
    const Tiles tiles(rows, kTileRows), depths(k_end, kDepth);
    for (int d = 0; d < depths.count; ++d) {
        const int k = depths.begin(d), depth = depths.size(d);
        const bool last = d + 1 == depths.count;
        const Tile *const two =
            last ? Table<kTilePanels>::template tiles<kFinish> : Table<kTilePanels>::template tiles<Finish::none>;
        const Tile *const one = last ? Table<1>::template tiles<kFinish> : Table<1>::template tiles<Finish::none>;
        for (int j = 0; j < panels;) {
            const bool wide = kTilePanels == 2 && j + 2 <= panels;
            for (int t = 0; t < tiles.count; ++t) {
                const int r = tiles.begin(t), n = tiles.size(t);
                const Tile f = (wide ? two : one)[n - 1];
                const size_t at = r * ldc + j * kPanel;
                float *to = c + at;
                const float *start = d > 0 ? to : bias ? bias + j * kPanel : nullptr;
                f(a + r * lda + k, lda, depth, b + j * panel + k * kPanel, panel, start, d > 0 ? ldc : 0, to, ldc,
                  kFinish == Finish::gate ? gate + at : nullptr);
            }
            if (last) epilogue(j, wide ? 2 : 1);
            j += wide ? 2 : 1;
        }
    }
}

template <bool kAccumulate> HB_FN OuterTile outer(int rows, bool wide) {
    return (wide ? Table<kTilePanels>::template outer<kAccumulate> : Table<1>::template outer<kAccumulate>)[rows - 1];
}

// The gradient of `count` rows of one or two panels of a weight matrix, or what the rows of this part add to it:
// out[v * panel + 16 k] = sum_b a[b][k] g[b][16 v], after announce(first k, number of k) for each register tile.
template <bool kAccumulate, class Announce>
void outer_product(const float *a, size_t lda, int rows, int count, const float *g, size_t ldg, bool wide, float *out,
                   size_t panel, const Announce &announce) {
    const Tiles tiles(count, kTileRows);
    for (int t = 0; t < tiles.count; ++t) {
        const int k = tiles.begin(t), n = tiles.size(t);
        announce(k, n);
        outer<kAccumulate>(n, wide)(a + k, lda, rows, g, ldg, out + k * kPanel, panel);
    }
}

}  // namespace hyperband::cpu::HB_ISA
