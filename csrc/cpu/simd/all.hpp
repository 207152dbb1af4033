// All kernels of one instruction set: the including file defines HB_ISA (a namespace), HB_LANES (floats in a
// native register), HB_TILE_ROWS and HB_TILE_PANELS, HB_LANE_ROWS and HB_LANE_COLUMNS (register tiles).
#pragma once

#include "cpu/simd/pack.hpp"

namespace hyperband::cpu::HB_ISA {

inline void initialise(const Layout &layout, Key key, const float *bound, float *weights) {
    for (int l = 0; l < layout.n_layers; ++l) {
        const Layer &y = layout.layer[l];
        uint32_t w[4] = {};
        for (int k = 0; k < y.in; ++k)
            for (int j = 0; j < y.out; ++j) {
                const uint64_t e = static_cast<uint64_t>(k) * static_cast<uint64_t>(y.out) + static_cast<uint64_t>(j);
                if (e % 4 == 0) {
                    four_initial_words(key, l, static_cast<uint32_t>(e >> 2), w);
                }
                weights[weight_at(y, k, j)] = initial_weight(w[e % 4], bound[l]);
            }
    }
}

// Values outside [0, n) are permuted again, packed side by side: a second pass over all values would cost as much as the first.
inline void order_rows(const RowOrder &order, uint32_t first, int count, uint32_t *index) {
    if (order.n <= 1) {
        for (int i = 0; i < count; ++i) index[i] = 0;
        return;
    }
    constexpr int kMost = 512;
    alignas(64) uint32_t walker[kMost];
    int position[kMost + kPanel];
    for (int begin = 0; begin < count; begin += kMost) {
        uint32_t *out = index + begin;  // padded to 16
        const int n = count - begin < kMost ? count - begin : kMost;
        int outside = 0;
        for (int i = 0; i < n; i += kPanel) {
            store(out + i, order.scramble(lane_numbers() + U(first + static_cast<uint32_t>(begin + i))));
            outside += positions_of(below(n - i) & (load(out + i) >= U(order.n)), i, position + outside);
        }
        while (outside > 0) {
            for (int i = 0; i < outside; ++i) walker[i] = out[position[i]];
            for (int i = outside; i % kPanel != 0; ++i) walker[i] = 0;
            int left = 0;
            for (int i = 0; i < outside; i += kPanel) store(walker + i, order.scramble(load(walker + i)));
            for (int i = 0; i < outside; ++i) {
                const int at = position[i];
                out[at] = walker[i];
                position[left] = at;
                left += walker[i] >= order.n ? 1 : 0;
            }
            outside = left;
        }
    }
}

inline double fma_flops(long repetitions) {
    constexpr int kChains = 12;
    nf a[kChains];
    for (int i = 0; i < kChains; ++i) a[i] = broadcast(0.1f * static_cast<float>(i));
    const nf x = broadcast(0.999f), y = broadcast(0.001f);
    for (long n = 0; n < repetitions; ++n) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i) a[i] = fma_native(a[i], x, y);
    }
    float s = 0.0f;
    for (int i = 0; i < kChains; ++i) s += a[i][0];
    volatile float keep = s;
    (void)keep;
    return 2.0 * kChains * HB_LANES * static_cast<double>(repetitions);
}

inline void elementwise(int function, const float *in, float *out, int n16) {
    for (int i = 0; i < n16 * kPanel; i += kPanel) {
        V x = load(in + i), y(0.0f), density;
        switch (function) {
            case 0: y = exp_(x); break;
            case 1: y = log_(x); break;
            case 2: y = tanh_(x); break;
            case 3: y = sigmoid_(x); break;
            case 4: normal_(x, y, density); break;
            case 6: y = cos_turns(x); break;
            case 7: sincos_turns(x, y, density); break;
            default: y = sqrt_(x);
        }
        store(out + i, y);
    }
}

}  // namespace hyperband::cpu::HB_ISA

#define HB_TABLE(NAME)       \
    {NAME,                   \
     &HB_ISA::initialise,    \
     &HB_ISA::order_rows,    \
     &HB_ISA::transpose,     \
     &HB_ISA::rows,          \
     &HB_ISA::columns,       \
     &HB_ISA::update,        \
     &HB_ISA::average,       \
     &HB_ISA::forward,       \
     &HB_ISA::evaluate,      \
     &HB_ISA::pack_gradient, \
     &HB_ISA::pack_update,   \
     &HB_ISA::pack_average,  \
     &HB_ISA::pack_evaluate, \
     &HB_ISA::fma_flops,     \
     &HB_ISA::elementwise}
