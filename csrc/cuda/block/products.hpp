// The three products of a layer. A thread computes tiles of the result in registers; every sum runs in order over its index, by
// fused multiply-adds, whatever the tiles.
//
// Activations are matrices (units, rows) with `stride` floats between units: so that eight rows of a unit, four outputs of
// an input, or four rows of a gradient are one or two loads of 16 bytes.
#pragma once

#include "cuda/block/memory.hpp"

namespace hyperband::cuda {

// Tiles dealt to threads. Neighbours take up to four tiles of rows, then the next unit: their loads of 16 bytes fall into
// different banks, or are one load.
struct Grid {
    int row_tiles, unit_tiles, low;
    HB_BLOCK Grid(int rows, int units) : row_tiles(rows), unit_tiles(units), low(rows >= 4 ? 2 : rows >= 2 ? 1 : 0) {}
    HB_BLOCK int count() const { return (((row_tiles - 1) >> low) + 1) * unit_tiles << low; }
    HB_BLOCK int unit(int t) const { return (t >> low) % unit_tiles; }
    HB_BLOCK int row(int t) const { return ((t >> low) / unit_tiles << low) + (t & ((1 << low) - 1)); }
};

// z[u][r] = bias[u] + sum over k of a[k][r] w[k][u]. Then finish(u, r, z of rows r, r + 1, ...) for each piece of a tile; rows
// beyond `rows` may lie in padding.
template <int kRows, int kUnits, class A, class W, class Finish>
HB_BLOCK void forward_tiles(int tid, int threads, A a, int stride, int rows, int k_end, W w, int w_stride, W bias, int units,
                            const Finish &finish) {
    const Grid grid((rows + kRows - 1) / kRows, (units + kUnits - 1) / kUnits);
    deal(tid, threads, grid.count(), [&](int t) {
        const int row = grid.row(t) * kRows, unit = grid.unit(t) * kUnits;
        if (row >= rows) return;
        float sum[kUnits][kRows];
        const Registers<kUnits> start = bias.template load<kUnits>(unit);
        HB_UNROLL
        for (int u = 0; u < kUnits; ++u) HB_UNROLL
        for (int r = 0; r < kRows; ++r) sum[u][r] = start[u];
        HB_UNROLL_4
        for (int k = 0; k < k_end; ++k) {
            const Registers<kUnits> factor = w.template load<kUnits>(static_cast<typename W::Index>(k) * w_stride + unit);
            HB_UNROLL
            for (int r = 0; r < kRows; r += kPiece) {
                const Registers<kPiece> x = a.template load<kPiece>(static_cast<typename A::Index>(k) * stride + row + r);
                HB_UNROLL
                for (int u = 0; u < kUnits; ++u) HB_UNROLL
                for (int i = 0; i < kPiece; ++i) sum[u][r + i] = fma(x[i], factor[u], sum[u][r + i]);
            }
        }
        HB_UNROLL
        for (int u = 0; u < kUnits; ++u) {
            HB_UNROLL
            for (int r = 0; r < kRows; r += kPiece) {
                Registers<kPiece> z;
                HB_UNROLL
                for (int i = 0; i < kPiece; ++i) z[i] = sum[u][r + i];
                if (unit + u < units) finish(unit + u, row + r, z);
            }
        }
    });
}

// Visits each piece that forward_tiles gave this thread: visit(unit, row).
template <class Visit>
HB_BLOCK void own_pieces(int tid, int threads, int tile_rows, int tile_units, int rows, int units, const Visit &visit) {
    const Grid grid((rows + tile_rows - 1) / tile_rows, (units + tile_units - 1) / tile_units);
    deal(tid, threads, grid.count(), [&](int t) {
        const int row = grid.row(t) * tile_rows, unit = grid.unit(t) * tile_units;
        if (row >= rows) return;
        for (int u = unit; u < unit + tile_units && u < units; ++u)
            for (int r = row; r < row + tile_rows; r += kPiece) visit(u, r);
    });
}

// s[k][r] = sum over j of g[j][r] w[k][j], then finish(k, r, s of rows r, r + 1, ...).
template <int kRows, int kUnits, class G, class W, class Finish>
HB_BLOCK void backward_tiles(int tid, int threads, G g, int stride, int rows, int j_end, W w, int w_stride, int units,
                             const Finish &finish) {
    const Grid grid((rows + kRows - 1) / kRows, (units + kUnits - 1) / kUnits);
    deal(tid, threads, grid.count(), [&](int t) {
        const int row = grid.row(t) * kRows, first = grid.unit(t);
        if (row >= rows) return;
        int unit[kUnits];  // unit_tiles apart
        float sum[kUnits][kRows];
        HB_UNROLL
        for (int u = 0; u < kUnits; ++u) {
            unit[u] = first + u * grid.unit_tiles < units ? first + u * grid.unit_tiles : first;
            HB_UNROLL
            for (int r = 0; r < kRows; ++r) sum[u][r] = 0.0f;
        }
        int j = 0;
        for (; j + kVector <= j_end; j += kVector) {
            Registers<kVector> factor[kUnits];
            HB_UNROLL
            for (int u = 0; u < kUnits; ++u)
                factor[u] = w.template load<kVector>(static_cast<typename W::Index>(unit[u]) * w_stride + j);
            HB_UNROLL
            for (int c = 0; c < kVector; ++c) HB_UNROLL
            for (int r = 0; r < kRows; r += kPiece) {
                const Registers<kPiece> x = g.template load<kPiece>(static_cast<typename G::Index>(j + c) * stride + row + r);
                HB_UNROLL
                for (int u = 0; u < kUnits; ++u) HB_UNROLL
                for (int i = 0; i < kPiece; ++i) sum[u][r + i] = fma(x[i], factor[u][c], sum[u][r + i]);
            }
        }
        for (; j < j_end; ++j) {
            HB_UNROLL
            for (int r = 0; r < kRows; r += kPiece) {
                const Registers<kPiece> x = g.template load<kPiece>(static_cast<typename G::Index>(j) * stride + row + r);
                HB_UNROLL
                for (int u = 0; u < kUnits; ++u) {
                    const float factor = w.load(static_cast<typename W::Index>(unit[u]) * w_stride + j);
                    HB_UNROLL
                    for (int i = 0; i < kPiece; ++i) sum[u][r + i] = fma(x[i], factor, sum[u][r + i]);
                }
            }
        }
        HB_UNROLL
        for (int u = 0; u < kUnits; ++u) HB_UNROLL
        for (int r = 0; r < kRows; r += kPiece) {
            Registers<kPiece> s;
            HB_UNROLL
            for (int i = 0; i < kPiece; ++i) s[i] = sum[u][r + i];
            if (first + u * grid.unit_tiles < units) finish(unit[u], row + r, s);
        }
    });
}

// s[k][j] = start(k, j) + sum over rows b of a[k][b] g[j][b]. Once a tile, ready() returns a function
// that is called with (k, j, s of outputs j, j + 1, ...); numbers of outputs beyond `units` are undefined.
template <int kInputs, int kUnits, class A, class G, class Start, class Ready>
HB_BLOCK void column_tiles(int tid, int threads, A a, G g, int stride, int rows, int k_end, int units, const Start &start,
                           const Ready &ready) {
    static_assert(kUnits <= kVector);
    const Grid grid((k_end + kInputs - 1) / kInputs, (units + kUnits - 1) / kUnits);
    deal(tid, threads, grid.count(), [&](int t) {
        const int first = grid.row(t), unit = grid.unit(t) * kUnits;
        if (first >= grid.row_tiles) return;
        int k[kInputs];  // row_tiles apart
        Registers<kUnits> sum[kInputs];
        HB_UNROLL
        for (int i = 0; i < kInputs; ++i) {
            k[i] = first + i * grid.row_tiles < k_end ? first + i * grid.row_tiles : first;
            sum[i] = start(k[i], unit, Registers<kUnits>{});
        }
        int b = 0;
        for (; b + kVector <= rows; b += kVector) {
            Registers<kVector> y[kUnits];
            HB_UNROLL
            for (int u = 0; u < kUnits; ++u) {
                const int j = unit + u < units ? unit + u : unit;
                y[u] = g.template load<kVector>(static_cast<typename G::Index>(j) * stride + b);
            }
            HB_UNROLL
            for (int i = 0; i < kInputs; ++i) {
                const Registers<kVector> x = a.template load<kVector>(static_cast<typename A::Index>(k[i]) * stride + b);
                HB_UNROLL
                for (int c = 0; c < kVector; ++c) HB_UNROLL
                for (int u = 0; u < kUnits; ++u) sum[i][u] = fma(x[c], y[u][c], sum[i][u]);
            }
        }
        for (; b < rows; ++b) {
            HB_UNROLL
            for (int i = 0; i < kInputs; ++i) {
                const float x = a.load(static_cast<typename A::Index>(k[i]) * stride + b);
                HB_UNROLL
                for (int u = 0; u < kUnits; ++u) {
                    const int j = unit + u < units ? unit + u : unit;
                    sum[i][u] = fma(x, g.load(static_cast<typename G::Index>(j) * stride + b), sum[i][u]);
                }
            }
        }
        const auto take = ready();
        HB_UNROLL
        for (int i = 0; i < kInputs; ++i)
            if (first + i * grid.row_tiles < k_end) take(k[i], unit, sum[i]);
    });
}

}  // namespace hyperband::cuda
