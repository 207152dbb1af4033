// The rows at hand forward through all layers, and gradients back.
#pragma once

#include "core/dropout.hpp"
#include "cuda/block/bench.hpp"
#include "cuda/block/products.hpp"

namespace hyperband::cuda {

// How rows go through a network. For evaluation: without dropout, nothing kept for the way back.
struct Passage {
    bool training;
    int rows, first;  // first: of the batch, a multiple of 8
    uint32_t step;
};

// Half `row % 8` of four words.
HB_BLOCK uint32_t half_of(const uint32_t *w, int row) {
    const int r = row & 7;
    const uint32_t word = r < 4 ? (r < 2 ? w[0] : w[1]) : (r < 6 ? w[2] : w[3]);
    return word >> (16 * (r & 1)) & 0xffffu;
}

// Activation, derivative and dropout of what z a thread has just written for rows row, row + 1, ... of a unit.
template <int N, class H>
HB_BLOCK void activate_piece(const Network &net, const Passage &pass, int layer, H h, H d, bool stored, uint32_t limit,
                             float scale, int unit, int row, typename H::Index at) {
    Some<N> y = h.template load<N>(at), slope;
    by_activation(net.architecture.activation, [&](auto tag) {
        HB_UNROLL
        for (int i = 0; i < N; ++i) {
            const float z = y[i];
            activate<decltype(tag)::value>(z, y[i], slope[i]);
        }
    });
    if (limit > 0) {
        uint32_t w[4] = {static_cast<uint32_t>(unit), static_cast<uint32_t>((pass.first + row) / 8), pass.step,
                         dropout_word(layer)};
        philox(net.key, w[0], w[1], w[2], w[3]);
        HB_UNROLL
        for (int i = 0; i < N; ++i) {
            const bool dropped = half_of(w, row + i) < limit;
            y[i] = dropped ? 0.0f : y[i] * scale;
            slope[i] = dropped ? 0.0f : slope[i] * scale;
        }
    }
    h.template store<N>(at, y);
    if (stored) d.template store<N>(at, slope);
}

template <class Bench, class A, class W>
HB_BLOCK void layer_forward(int tid, const Bench &b, const Passage &pass, int l, A a, W weights) {
    const Network &net = b.net;
    const DeviceLayer &y = net.layout.layer[l];
    const Architecture &arch = net.architecture;
    const bool last = l + 1 == b.layers();
    const auto to = last ? b.outputs() : b.h(l);
    const auto d = b.d(last ? 0 : l);
    using Index = typename Bench::Outputs::Index;
    const auto stride = static_cast<Index>(b.stride());
    const bool stored = pass.training && slope_of(arch.activation, arch.dropout) == Slope::stored;
    const uint32_t limit = pass.training ? dropout_limit(arch.dropout) : 0;
    const float scale = dropout_scale(limit);
    const bool plain = last || (!stored && arch.activation == Activation::identity);
    const bool rectified = !plain && !stored && arch.activation == Activation::relu;
    const auto finish = [&](int unit, int row, auto z) {
        constexpr int kCount = static_cast<int>(sizeof(z) / sizeof(float));
        if (rectified) {
            HB_UNROLL
            for (int i = 0; i < kCount; ++i) z[i] = max_(0.0f, z[i]);
        }
        to.template store<kCount>(unit * stride + row, z);
    };
    const auto after = [&](int unit, int row, auto piece) {
        constexpr int kCount = static_cast<int>(sizeof(piece) / sizeof(float));
        if (!plain && !rectified)
            activate_piece<kCount>(net, pass, l, to, d, stored, limit, scale, unit, row, unit * stride + row);
    };
    const auto run = [&](auto rows, auto units) {
        forward_tiles<decltype(rows)::value, decltype(units)::value>(tid, b.block.threads(), a, b.stride(), pass.rows,
                                                                     b.k_end(l), weights + y.weights, y.stride,
                                                                     weights + y.bias, y.out, finish, after);
    };
    by_tile(b.places.forward[l], run);
}

template <int N> using Count = std::integral_constant<int, N>;

// run(rows, units) with the tile's constants.
template <class Run> HB_BLOCK void by_tile(Tile tile, const Run &run) {
    switch (tile) {
        case Tile::t8x8: return run(Count<8>{}, Count<8>{});
        case Tile::t8x4: return run(Count<8>{}, Count<4>{});
        case Tile::t4x4: return run(Count<4>{}, Count<4>{});
        case Tile::t2x2: return run(Count<2>{}, Count<2>{});
    }
}

// The gathered rows through all layers: the last one's numbers arrive in outputs().
template <class Bench, class W> HB_BLOCK void forward(const Bench &b, const Passage &pass, W weights) {
    b.block.phase([&](int tid) { layer_forward(tid, b, pass, 0, b.x(), weights); });
    for (int l = 1; l < b.layers(); ++l) b.block.phase([&](int tid) { layer_forward(tid, b, pass, l, b.h(l - 1), weights); });
}

// The gradient of layer l's outputs becomes that of layer l - 1's.
template <class Bench, class W> HB_BLOCK void layer_backward(int tid, const Bench &b, int rows, int l, W weights) {
    const DeviceLayer &y = b.net.layout.layer[l];
    const Slope slope = slope_of(b.net.architecture.activation, b.net.architecture.dropout);
    using Index = typename Bench::Outputs::Index;
    const auto stride = static_cast<Index>(b.stride());
    const auto to = b.g(l - 1), h = b.h(l - 1), d = b.d(l - 1);
    const auto finish = [&](int unit, int row, auto s) {
        constexpr int kCount = static_cast<int>(sizeof(s) / sizeof(float));
        const Index at = unit * stride + row;
        if (slope == Slope::sign) {
            const auto out = h.template load<kCount>(at);
            HB_UNROLL
            for (int i = 0; i < kCount; ++i) s[i] = out[i] > 0.0f ? s[i] : 0.0f;
        } else if (slope == Slope::stored) {
            const auto factor = d.template load<kCount>(at);
            HB_UNROLL
            for (int i = 0; i < kCount; ++i) s[i] = s[i] * factor[i];
        }
        to.template store<kCount>(at, s);
    };
    by_tile(b.places.backward[l], [&](auto row_count, auto unit_count) {
        backward_tiles<decltype(row_count)::value, decltype(unit_count)::value>(
            tid, b.block.threads(), b.g(l), b.stride(), rows, y.out, weights + y.weights, y.stride, y.in, finish);
    });
}

}  // namespace hyperband::cuda
