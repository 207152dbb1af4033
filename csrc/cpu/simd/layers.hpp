// A layer forward, its derivative, dropout, and the transposed copy of its weights.
#pragma once

#include "core/dropout.hpp"
#include "cpu/simd/blocks.hpp"
#include "cpu/simd/gemm.hpp"

namespace hyperband::cpu::HB_ISA {

template <Activation A> struct Activate {
    float *h, *d;  // d null: not wanted
    size_t ld;
    int rows;
    HB_FN void operator()(int first, int n) const {
        for (int r = 0; r < rows; ++r)
            for (int j = first; j < first + n; ++j) {
                const size_t at = r * ld + j * kPanel;
                V y, slope;
                activate<A>(load(h + at), y, slope);
                store(h + at, y);
                if (d) store(d + at, slope);
            }
    }
};

// The same for z + alpha (activation - z), with a weight alpha for each unit; e: the derivative by alpha, where d is wanted.
template <Activation A> struct ActivateWeighted {
    float *h, *d, *e;
    const float *alpha;
    size_t ld;
    int rows;
    HB_FN void operator()(int first, int n) const {
        for (int r = 0; r < rows; ++r)
            for (int j = first; j < first + n; ++j) {
                const size_t at = r * ld + j * kPanel;
                const V z = load(h + at);
                V y, slope;
                activate<A>(z, y, slope);
                const V difference = weigh_activation(z, load(alpha + j * kPanel), y, slope);
                store(h + at, y);
                if (d) store(d + at, slope), store(e + at, difference);
            }
    }
};

struct Nothing {
    HB_FN void operator()(int, int) const {}
};

// g *= stored derivative of the layer below.
struct TimesSlope {
    float *g;
    const float *d;
    size_t ld;
    int rows;
    HB_FN void operator()(int first, int n) const {
        for (int r = 0; r < rows; ++r)
            for (int j = first; j < first + n; ++j) {
                const size_t at = r * ld + j * kPanel;
                store(g + at, load(g + at) * load(d + at));
            }
    }
};

// The same with the gradient by alpha, row by row: e *= g.
inline void times_slope_and_alpha(float *g, const float *d, float *e, size_t ld, int rows, int panels) {
    for (int r = 0; r < rows; ++r)
        for (int j = 0; j < panels; ++j) {
            const size_t at = r * ld + j * kPanel;
            const V x = load(g + at);
            store(e + at, load(e + at) * x);
            store(g + at, x * load(d + at));
        }
}

struct Product {  // the arguments of gemm that do not depend on the epilogue
    const float *a;
    size_t lda;
    int rows, k_end;
    const float *b;
    size_t panel;
    int panels;
    const float *bias;
    float *c;
    size_t ldc;
    template <Finish kFinish = Finish::none, class Epilogue = Nothing>
    HB_FN void run(const Epilogue &e = {}, const float *gate = nullptr) const {
        gemm<kFinish>(a, lda, rows, k_end, b, panel, panels, bias, c, ldc, gate, e);
    }
};

// Layer l of a step or of an evaluation, whose input is a, (rows, lda).
template <class Args> HB_FN Product layer_product(const Args &s, const Layer &y, int l, bool last, const float *a, size_t lda) {
    return {a,
            lda,
            s.rows,
            l == 0 ? s.inputs : y.in,
            s.weights + y.weights,
            static_cast<size_t>(y.in) * kPanel,
            y.panels,
            s.weights + y.bias,
            last ? s.work->outputs : s.work->h[l],
            static_cast<size_t>(row_stride(y.out))};
}

inline void hidden_layer(Activation a, const Product &p, float *d) {
    if (!d && a == Activation::identity) return p.run();
    if (!d && a == Activation::relu) return p.run<Finish::rectify>();
    by_activation(a, [&](auto tag) { p.run(Activate<decltype(tag)::value>{p.c, d, p.ldc, p.rows}); });
}

// A hidden layer whose units have weights alpha in their activations.
inline void weighted_layer(Activation a, const Product &p, float *d, float *e, const float *alpha) {
    p.run();
    by_activation(a, [&](auto tag) { ActivateWeighted<decltype(tag)::value>{p.c, d, e, alpha, p.ldc, p.rows}(0, p.panels); });
}

// Drops units of h (and of the derivative d, with kWeighted also e); one counter serves eight rows of a column. `first`, a multiple of 8: row of
// the batch that h begins with.
template <bool kWeighted = false>
inline void drop(float *h, float *d, [[maybe_unused]] float *e, size_t ld, int first, int rows, int panels, Key key,
                 uint32_t step, int layer, uint32_t limit) {
    if (limit == 0) return;
    const V keep(dropout_scale(limit));
    for (int block = 0; block * 8 < rows; ++block)
        for (int j = 0; j < panels; ++j) {
            U w[4] = {lane_numbers() + U(static_cast<uint32_t>(j * kPanel)), U(static_cast<uint32_t>(first / 8 + block)),
                      U(step), U(dropout_word(layer))};
            philox(key, w[0], w[1], w[2], w[3]);
            const int n = rows - block * 8 < 8 ? rows - block * 8 : 8;
            for (int r = 0; r < n; ++r) {
                const size_t at = (block * 8 + r) * ld + j * kPanel;
                I dropped = ((w[r >> 1] >> (16 * (r & 1))) & U(0xffffu)) < U(limit);
                store(h + at, select(dropped, V(0.0f), load(h + at) * keep));
                store(d + at, select(dropped, V(0.0f), load(d + at) * keep));
                if constexpr (kWeighted) store(e + at, select(dropped, V(0.0f), load(e + at) * keep));
            }
        }
}

// Rows k to k + 15 of panel p of a layer's weights into its transposed panels [ceil(in / 16)][out][16].
inline void transpose_at(const Layer &y, const float *weights, float *to, int p, int k) {
    const float *from = weights + y.weights + (static_cast<size_t>(p) * y.in + k) * kPanel;
    float *dest = to + (static_cast<size_t>(k / kPanel) * y.out + p * kPanel) * kPanel;
    const int nk = y.in - k < kPanel ? y.in - k : kPanel;
    const int nj = y.out - p * kPanel < kPanel ? y.out - p * kPanel : kPanel;
    if (nk == kPanel && nj == kPanel) return transpose_block(from, dest);
    alignas(64) float block[kPanel * kPanel], turned[kPanel * kPanel];
    for (int i = 0; i < kPanel; ++i) store(block + i * kPanel, i < nk ? load(from + i * kPanel) : V(0.0f));
    transpose_block(block, turned);
    for (int j = 0; j < nj; ++j) store(dest + j * kPanel, load(turned + j * kPanel));
}

// Before a member's steps; the gradient of an embedding's padding becomes 0.
inline void transpose(const Layout &layout, const float *weights, const Workspace &work) {
    const Layer &first = layout.layer[0];
    if (work.embedding_gradient)
        for (size_t i = 0; i < first.end - first.frequency; i += kPanel) store(work.embedding_gradient + i, V(0.0f));
    for (int l = 0; l < layout.n_layers; ++l)
        for (int p = 0; work.transposed[l] && p < layout.layer[l].panels; ++p)
            for (int k = 0; k < layout.layer[l].in; k += kPanel)
                transpose_at(layout.layer[l], weights, work.transposed[l], p, k);
}

}  // namespace hyperband::cpu::HB_ISA
