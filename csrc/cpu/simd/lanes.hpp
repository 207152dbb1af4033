// Sixteen members side by side, one in each lane: their rows as vectors, and their matrix products.
#pragma once

#include "cpu/simd/blocks.hpp"
#include "cpu/simd/gemm.hpp"

namespace hyperband::cpu::HB_ISA {

// Which of the three products of a layer, (m, steps) x (steps, n): only the strides differ. Elements are vectors of lanes;
// the ones that lie side by side are known here, the others are `lda` and `ldb` floats apart.
enum class Sweep {
    forward,  // a by rows, b by rows: sums over the inputs of a layer
    back,     // a by rows, b by columns: over its outputs
    outer     // a by columns, b by rows: over the rows of a batch
};

// c[r][v] = finish(start + sum_t a[r][t] b[t][v]), t in order; start: null, or start[r][v] with rows ld_start apart.
template <Sweep kSweep, int MR, int NR, Finish kFinish>
void lane_tile(const float *a, size_t lda, int steps, const float *b, size_t ldb, const float *start, size_t ld_start, float *c,
               size_t ldc, [[maybe_unused]] const float *gate) {
    const size_t a_row = kSweep == Sweep::outer ? kLanes : lda, a_step = kSweep == Sweep::outer ? lda : kLanes;
    const size_t b_column = kSweep == Sweep::back ? ldb : kLanes, b_step = kSweep == Sweep::back ? kLanes : ldb;
    constexpr int kGroups = (MR + 2) / 3;  // three rows share a pointer: base, base + lda, base + 2 lda
    const auto in = [](const float *p) { return *reinterpret_cast<const nf_memory *>(p); };
    for (int part = 0; part < 16; part += HB_LANES) {
        nf acc[MR][NR];
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < NR; ++v) acc[r][v] = start ? in(start + r * ld_start + v * kLanes + part) : broadcast(0.0f);
        const float *p[kGroups], *q[2] = {b + part, b + 3 * b_column + part};
#pragma GCC unroll 16
        for (int g = 0; g < kGroups; ++g) p[g] = a + 3 * g * a_row + part;
        for (int t = 0; t < steps; ++t) {
            nf bv[NR];
#pragma GCC unroll 8
            for (int v = 0; v < NR; ++v) bv[v] = in(q[v / 3] + (v % 3) * b_column);
#pragma GCC unroll 16
            for (int r = 0; r < MR; ++r) {
                const nf av = in(p[r / 3] + (r % 3) * a_row);
#pragma GCC unroll 8
                for (int v = 0; v < NR; ++v) acc[r][v] = fma_native(av, bv[v], acc[r][v]);
            }
#pragma GCC unroll 16
            for (int g = 0; g < kGroups; ++g) p[g] += a_step;
            q[0] += b_step;
            q[1] += b_step;
        }
#pragma GCC unroll 16
        for (int r = 0; r < MR; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < NR; ++v) {
                const size_t at = r * ldc + v * kLanes + part;
                nf x = acc[r][v];
                if constexpr (kFinish == Finish::rectify) x = max_native(broadcast(0.0f), x);
                if constexpr (kFinish == Finish::gate) x = in(gate + at) > broadcast(0.0f) ? x : broadcast(0.0f);
                *reinterpret_cast<nf_memory *>(c + at) = x;
            }
    }
}

using LaneTile = void (*)(const float *, size_t, int, const float *, size_t, const float *, size_t, float *, size_t,
                          const float *);

constexpr int kLaneRows = HB_LANE_ROWS, kLaneColumns = HB_LANE_COLUMNS;

// Tiles by their number of rows and columns.
template <Sweep kSweep, Finish kFinish, int... N> struct LaneTiles {
    static constexpr LaneTile tiles[] = {&lane_tile<kSweep, N / kLaneColumns + 1, N % kLaneColumns + 1, kFinish>...};
};
template <Sweep kSweep, Finish kFinish, int N, int... Rest>
struct MakeLaneTiles : MakeLaneTiles<kSweep, kFinish, N - 1, N - 1, Rest...> {};
template <Sweep kSweep, Finish kFinish, int... N> struct MakeLaneTiles<kSweep, kFinish, 0, N...> {
    using type = LaneTiles<kSweep, kFinish, N...>;
};

struct LaneProduct {
    int m, n, steps;
    const float *a;
    size_t lda;
    const float *b;
    size_t ldb;
    const float *start;  // null: sums start at 0
    size_t ld_start;
    float *c;
    size_t ldc;

    template <Sweep kSweep, Finish kFinish = Finish::none> HB_FN void run(const float *gate = nullptr) const {
        using Made = typename MakeLaneTiles<kSweep, kFinish, kLaneRows * kLaneColumns>::type;
        const size_t a_row = kSweep == Sweep::outer ? kLanes : lda, b_column = kSweep == Sweep::back ? ldb : kLanes;
        const Tiles rows(m, kLaneRows), columns(n, kLaneColumns);
        for (int j = 0; j < columns.count; ++j)
            for (int i = 0; i < rows.count; ++i) {
                const size_t r = static_cast<size_t>(rows.begin(i)), v = static_cast<size_t>(columns.begin(j));
                const size_t at = r * ldc + v * kLanes;
                Made::tiles[(rows.size(i) - 1) * kLaneColumns + columns.size(j) - 1](
                    a + r * a_row, lda, steps, b + v * b_column, ldb, start ? start + r * ld_start + v * kLanes : nullptr,
                    ld_start, c + at, ldc, kFinish == Finish::gate ? gate + at : nullptr);
            }
    }
};

// to[c][lane] = from[lane][c] for c below `count`, at most 16 of them.
HB_FN void turn(const float *const *from, int count, float *to) {
    if (count == kLanes) return transpose_rows(from, to);
    alignas(64) float turned[kLanes * kLanes];
    transpose_rows(from, turned);
    for (int c = 0; c < count; ++c) store(to + c * kLanes, load(turned + c * kLanes));
}

// to[b][c][lane] = column c, below `columns`, of the row of `rows` that is number b of this lane; rows of `to` are ld apart.
// index[lane * index_stride + b]; a stride of 0: the same row in every lane.
HB_FN void gather_lanes(const float *rows, size_t stride, const uint32_t *index, size_t index_stride, int n, int columns,
                        float *to, size_t ld) {
    for (int b = 0; b < n; ++b, to += ld) {
        if (index_stride == 0) {
            const float *row = rows + index[b] * stride;
            for (int c = 0; c < columns; ++c) store(to + c * kLanes, V(row[c]));
            continue;
        }
        const float *from[kLanes];
        for (int i = 0; i < kLanes; ++i) from[i] = rows + index[i * index_stride + b] * stride;
        for (int c = 0; c < columns; c += kLanes) {
            turn(from, columns - c < kLanes ? columns - c : kLanes, to + c * kLanes);
            for (int i = 0; i < kLanes; ++i) from[i] += kLanes;
        }
    }
}

// One of sixteen values by the tree (j, j + 8), (j, j + 4), (j, j + 2), (j, j + 1): that of reduce_rows, lane by lane.
template <class Op> HB_FN V fold_positions(V *s, const Op &op) {
#pragma GCC unroll 4
    for (int d = 8; d > 0; d /= 2)
#pragma GCC unroll 8
        for (int j = 0; j < d; ++j) s[j] = op(s[j], s[j + d]);
    return s[0];
}
HB_FN V sum_positions(V *s) {
    return fold_positions(s, [](V a, V b) { return a + b; });
}

}  // namespace hyperband::cpu::HB_ISA
