// The three products of a layer on tensor cores: factors rounded to tf32 or bf16, sums in float32.
//
// A warp computes tiles of 16 by 16 or 32 numbers of the result, in fragments of 16 by 8; B::Warp loads and multiplies them.
// Sums run in the order of the hardware, so that bits hold for one kind of device.
#pragma once

#include "core/precision.hpp"
#include "cuda/block/updates.hpp"

namespace hyperband::cuda {

// Numbers that are summed over at a time.
template <Precision P> constexpr int kDepth = P == Precision::tf32 ? 8 : 16;
constexpr int kWarpRows = 16, kFragmentUnits = 8;

HB_BLOCK int below(int i, int end) { return i < end ? i : end - 1; }

// Factors in memory: number i, for k of the sum, is at i * across + k * along.
template <class M> struct Factors {
    M memory;
    typename M::Index across, along;
};

// s[i][j] = start(j) + sum over k of left(i, k) right(j, k), for i < rows, j < units, k < depth; once a tile, ready()
// returns a function that is called with (i, j, s[i][j], s[i][j + 1]) for even j, where j + 1 may be `units`.
// kPairs: whether neighbouring k of one lane should be neighbours in memory, see Warp.
template <Precision P, bool kPairs, int kFragments, class Warp, class L, class R, class Start, class Ready>
HB_BLOCK void tensor_tiles(const Warp &warp, int rows, int units, int depth, const Factors<L> &left, const Factors<R> &right,
                           const Start &start, const Ready &ready) {
    constexpr int kUnits = kFragments * kFragmentUnits;
    const int row_tiles = (rows + kWarpRows - 1) / kWarpRows, unit_tiles = (units + kUnits - 1) / kUnits;
    warp.deal(row_tiles * unit_tiles, [&](int t) {
        const int row = t % row_tiles * kWarpRows, unit = t / row_tiles * kUnits;
        typename Warp::Sums sum[kFragments];
        typename Warp::template LeftOffsets<typename L::Index> left_at;
        typename Warp::template RightOffsets<typename R::Index> right_at[kFragments];
        left_at.set(warp, [&](int i) { return below(row + i, rows) * left.across; });
        HB_UNROLL
        for (int n = 0; n < kFragments; ++n) {
            const int first = unit + n * kFragmentUnits;
            sum[n].begin(warp, [&](int j) { return start(below(first + j, units)); });
            right_at[n].set(warp, [&](int j) { return below(first + j, units) * right.across; });
        }
        const auto add = [&](int k, auto bounded) {
            constexpr bool kBounded = decltype(bounded)::value;
            typename Warp::template Left<P> a;
            a.template load<kPairs, kBounded>(warp, left, left_at, k, depth);
            HB_UNROLL
            for (int n = 0; n < kFragments; ++n) {
                typename Warp::template Right<P> b;
                b.template load<kPairs, kBounded>(warp, right, right_at[n], k, depth);
                sum[n].add(a, b);
            }
        };
        int k = 0;
        HB_UNROLL_2
        for (; k + kDepth<P> <= depth; k += kDepth<P>) add(k, std::false_type{});
        if (k < depth) add(k, std::true_type{});
        const auto take = ready();
        HB_UNROLL
        for (int n = 0; n < kFragments; ++n)
            sum[n].visit(warp, [&](int i, int j, float first, float second) {
                const int u = unit + n * kFragmentUnits + j;
                if (row + i < rows && u < units) take(row + i, u, first, second);
            });
    });
}
// The same with two fragments a tile where there are no units for four.
template <Precision P, bool kPairs, class Warp, class L, class R, class Start, class Ready>
HB_BLOCK void tensor_product(const Warp &warp, int rows, int units, int depth, const Factors<L> &left, const Factors<R> &right,
                             const Start &start, const Ready &ready) {
    if (units > 2 * kFragmentUnits)
        tensor_tiles<P, kPairs, 4>(warp, rows, units, depth, left, right, start, ready);
    else
        tensor_tiles<P, kPairs, 2>(warp, rows, units, depth, left, right, start, ready);
}

// As layer_forward, without the activation unless it is relu or none: see tensor_activation.
template <Precision P, class MemberView, class A, class W>
HB_BLOCK void tensor_forward(int tid, const MemberView &b, const ForwardPass &pass, int l, A a, W weights) {
    using Index = typename MemberView::Outputs::Index;
    const DeviceLayer &y = b.net.layout.layer[l];
    const bool last = l + 1 == b.layers();
    const bool rectified = !last && slope_of(b.net.architecture) == Slope::sign;
    const auto to = last ? b.outputs() : b.h(l);
    const auto w = weights + y.weights, bias = weights + y.bias;
    const auto stride = static_cast<Index>(b.stride());
    const auto left_stride = static_cast<typename A::Index>(b.stride());
    const auto right_stride = static_cast<typename W::Index>(y.stride);
    tensor_product<P, true>(
        typename MemberView::Block::Warp(tid, b.block.threads()), pass.rows, y.out, b.k_end(l), Factors<A>{a, 1, left_stride},
        Factors<W>{w, 1, right_stride}, [&](int unit) { return bias.load(unit); },
        [&] {
            return [&](int row, int unit, float first, float second) {
                to.store(unit * stride + row, rectified ? max_(0.0f, first) : first);
                if (unit + 1 < y.out) to.store((unit + 1) * stride + row, rectified ? max_(0.0f, second) : second);
            };
        });
}

// Whether tensor_forward leaves the activation of a layer to tensor_activation.
template <class MemberView> HB_BLOCK bool waits_for_activation(const MemberView &b, int l) {
    return l + 1 < b.layers() && slope_of(b.net.architecture) == Slope::stored;
}
template <class MemberView, class W>
HB_BLOCK void tensor_activation(int tid, const MemberView &b, const ForwardPass &pass, int l, W weights) {
    const int pieces = (pass.rows + kPiece - 1) / kPiece;
    const auto stride = static_cast<typename MemberView::Outputs::Index>(b.stride());
    deal(tid, b.block.threads(), pieces * b.net.layout.layer[l].out, [&](int i) {
        const int unit = i / pieces, row = i % pieces * kPiece;
        activate_piece(b, pass, l, true, weights, unit, row, unit * stride + row);
    });
}

// As layer_backward.
template <Precision P, class MemberView, class W>
HB_BLOCK void tensor_backward(int tid, const MemberView &b, int rows, int l, W weights) {
    using Index = typename MemberView::Outputs::Index;
    const DeviceLayer &y = b.net.layout.layer[l];
    const Slope slope = slope_of(b.net.architecture);
    const bool weighted = exists(b.net.layout.layer[l - 1].alpha);
    const auto w = weights + y.weights;
    const auto g = b.g(l), to = b.g(l - 1), h = b.h(l - 1), d = b.d(l - 1), e = b.e(l - 1);
    const auto stride = static_cast<Index>(b.stride());
    const auto right_stride = static_cast<typename W::Index>(y.stride);
    tensor_product<P, true>(
        typename MemberView::Block::Warp(tid, b.block.threads()), rows, y.in, y.out,
        Factors<typename MemberView::Outputs>{g, 1, stride}, Factors<W>{w, right_stride, 1}, [](int) { return 0.0f; },
        [&] {
            const auto take = [&](Index at, float s) {
                if (slope == Slope::sign) s = h.load(at) > 0.0f ? s : 0.0f;
                if (weighted) e.store(at, e.load(at) * s);
                if (slope == Slope::stored) s = s * d.load(at);
                to.store(at, s);
            };
            return [&, take](int row, int unit, float first, float second) {
                take(unit * stride + row, first);
                if (unit + 1 < y.in) take((unit + 1) * stride + row, second);
            };
        });
}

// As layer_columns.
template <Precision P, class MemberView, class A, class Start, class Ready>
HB_BLOCK void tensor_columns(int tid, const MemberView &b, int rows, int l, A a, const Start &start, const Ready &ready) {
    using Index = typename MemberView::Outputs::Index;
    const DeviceLayer &y = b.net.layout.layer[l];
    const auto left_stride = static_cast<typename A::Index>(b.stride());
    const auto right_stride = static_cast<Index>(b.stride());
    tensor_product<P, false>(
        typename MemberView::Block::Warp(tid, b.block.threads()), b.k_end(l), y.out, rows, Factors<A>{a, left_stride, 1},
        Factors<typename MemberView::Outputs>{b.g(l), right_stride, 1}, [](int) { return 0.0f; },
        [&] {
            return [&, take = ready(weights_of(l))](int k, int j, float first, float second) {
                const int64_t offset = weight_at(y, k, j);
                Registers<2> s = start(offset, Registers<2>{});
                s[0] = s[0] + first, s[1] = s[1] + second;
                take(offset, s, y.out - j);
            };
        });
    bias_columns(tid, b, rows, l, start, ready);
}

}  // namespace hyperband::cuda
