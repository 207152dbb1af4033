// The rows of a part forward through all layers, and gradients back.
#pragma once

#include "core/dropout.hpp"
#include "cuda/block/embedding.hpp"
#include "cuda/block/member_view.hpp"
#include "cuda/block/products.hpp"

namespace hyperband::cuda {

// How rows go forward: evaluation has no dropout and stores nothing for the backward pass.
struct ForwardPass {
    bool training;
    int rows, first;  // first: row of the batch, a multiple of 8
    uint32_t step, dropped;  // dropped: the limit of dropout, 0 in evaluation
};

template <int N> using Count = std::integral_constant<int, N>;

// run(rows, units) with the tile's constants.
template <class Run> HB_BLOCK void by_tile(Tile tile, const Run &run) {
    switch (tile) {
        case Tile::t8x4: return run(Count<8>{}, Count<4>{});
        case Tile::t4x4: return run(Count<4>{}, Count<4>{});
        case Tile::t4x1: return run(Count<4>{}, Count<1>{});
    }
}

// Number `row % 8` of the eight 16-bit numbers in four words.
HB_BLOCK uint32_t half_of(const uint32_t *w, int row) {
    const int r = row & 7;
    const uint32_t word = r < 4 ? (r < 2 ? w[0] : w[1]) : (r < 6 ? w[2] : w[3]);
    return word >> (16 * (r & 1)) & 0xffffu;
}

// Activation, derivative and dropout where a thread has just written z: rows row, row + 1, ... of a unit, at `at`.
template <class MemberView, class W>
HB_BLOCK void activate_piece(const MemberView &b, const ForwardPass &pass, int layer, bool stored, W weights, int unit, int row,
                             typename MemberView::Outputs::Index at) {
    const auto h = b.h(layer);
    const int64_t alpha = b.net.layout.layer[layer].alpha;
    Registers<kPiece> y = h.template load<kPiece>(at), slope, difference;
    by_activation(b.net.architecture.activation, [&](auto tag) {
        HB_UNROLL
        for (int i = 0; i < kPiece; ++i) {
            const float z = y[i];
            activate<decltype(tag)::value>(z, y[i], slope[i]);
            difference[i] = z;
        }
    });
    if (exists(alpha)) {
        const float weight = weights.load(static_cast<typename W::Index>(alpha + unit));
        HB_UNROLL
        for (int i = 0; i < kPiece; ++i) difference[i] = weigh_activation(difference[i], weight, y[i], slope[i]);
    }
    if (const uint32_t limit = pass.dropped; limit > 0) {
        const float scale = dropout_scale(limit);
        uint32_t w[4] = {static_cast<uint32_t>(unit), static_cast<uint32_t>((pass.first + row) / 8), pass.step,
                         dropout_word(layer)};
        philox(b.net.key, w[0], w[1], w[2], w[3]);
        HB_UNROLL
        for (int i = 0; i < kPiece; ++i) {
            const bool dropped = half_of(w, row + i) < limit;
            y[i] = dropped ? 0.0f : y[i] * scale;
            slope[i] = dropped ? 0.0f : slope[i] * scale;
            difference[i] = dropped ? 0.0f : difference[i] * scale;
        }
    }
    h.template store<kPiece>(at, y);
    if (stored) b.d(layer).template store<kPiece>(at, slope);
    if (stored && exists(alpha)) b.e(layer).template store<kPiece>(at, difference);
}

template <class MemberView, class A, class W>
HB_BLOCK void layer_forward(int tid, const MemberView &b, const ForwardPass &pass, int l, A a, W weights) {
    const DeviceLayer &y = b.net.layout.layer[l];
    const Activation activation = b.net.architecture.activation;
    const bool last = l + 1 == b.layers();
    using Index = typename MemberView::Outputs::Index;
    const auto to = last ? b.outputs() : b.h(l);
    const auto stride = static_cast<Index>(b.stride());
    const bool stored = pass.training && slope_of(b.net.architecture) == Slope::stored;
    const bool plain = last || (!stored && activation == Activation::identity);
    const bool rectified = !plain && !stored && activation == Activation::relu && !exists(y.alpha);
    const Tile tile = b.plan.forward[l];
    by_tile(tile, [&](auto rows, auto units) {
        forward_tiles<decltype(rows)::value, decltype(units)::value>(
            tid, b.block.threads(), a, b.stride(), pass.rows, b.k_end(l), weights + y.weights, y.stride, weights + y.bias,
            y.out, [&](int unit, int row, Registers<kPiece> z) {
                if (rectified) {
                    HB_UNROLL
                    for (int i = 0; i < kPiece; ++i) z[i] = max_(0.0f, z[i]);
                }
                to.template store<kPiece>(unit * stride + row, z);
            });
    });
    if (plain || rectified) return;
    own_pieces(tid, b.block.threads(), rows_of(tile), units_of(tile), pass.rows, y.out,
               [&](int unit, int row) { activate_piece(b, pass, l, stored, weights, unit, row, unit * stride + row); });
}

// Inputs of layer l: the gathered rows or the outputs of the layer below. They have one type even where these are in two kinds
// of memory, at the price of generic loads: a kernel that holds the products twice is too large to compile well.
template <class MemberView> HB_BLOCK auto inputs_of(const MemberView &b, int l, typename MemberView::Inputs first) {
    if constexpr (std::is_same_v<typename MemberView::Inputs, typename MemberView::Outputs>)
        return l == 0 ? first : b.h(l - 1);
    else
        return l == 0 ? b.block.either(first) : b.block.either(b.h(l - 1));
}

// The gathered rows through all layers; the last layer writes outputs().
template <class MemberView, class W> HB_BLOCK void forward(const MemberView &b, const ForwardPass &pass, W weights) {
    for (int l = 0; l < b.layers(); ++l)
        b.block.phase([&](int tid) { layer_forward(tid, b, pass, l, inputs_of(b, l, b.scaled()), weights); });
}

// The gradient of layer l's outputs becomes that of layer l - 1's.
template <class MemberView, class W> HB_BLOCK void layer_backward(int tid, const MemberView &b, int rows, int l, W weights) {
    const DeviceLayer &y = b.net.layout.layer[l];
    const Slope slope = slope_of(b.net.architecture);
    const bool weighted = exists(b.net.layout.layer[l - 1].alpha);
    using Index = typename MemberView::Outputs::Index;
    const auto stride = static_cast<Index>(b.stride());
    const auto to = b.g(l - 1), h = b.h(l - 1), d = b.d(l - 1), e = b.e(l - 1);
    const auto finish = [&](int unit, int row, auto s) {
        constexpr int kCount = static_cast<int>(sizeof(s) / sizeof(float));
        const Index at = unit * stride + row;
        if (slope == Slope::sign) {
            const auto out = h.template load<kCount>(at);
            HB_UNROLL
            for (int i = 0; i < kCount; ++i) s[i] = out[i] > 0.0f ? s[i] : 0.0f;
        } else if (slope == Slope::stored) {
            const auto factor = d.template load<kCount>(at);
            if (weighted) {
                auto terms = e.template load<kCount>(at);
                HB_UNROLL
                for (int i = 0; i < kCount; ++i) terms[i] = terms[i] * s[i];
                e.template store<kCount>(at, terms);
            }
            HB_UNROLL
            for (int i = 0; i < kCount; ++i) s[i] = s[i] * factor[i];
        }
        to.template store<kCount>(at, s);
    };
    by_tile(b.plan.backward[l], [&](auto row_count, auto unit_count) {
        backward_tiles<decltype(row_count)::value, decltype(unit_count)::value>(
            tid, b.block.threads(), b.g(l), b.stride(), rows, y.out, weights + y.weights, y.stride, y.in, finish);
    });
}

}  // namespace hyperband::cuda
