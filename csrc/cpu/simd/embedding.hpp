// Columns that are numbers become components beside themselves: forward for rows, and the gradient of what they are made with.
//
// pbld: component j = shift[j] + sum over waves f of mixing[j][f] cos(2 pi frequency[f] x + phase[f]), f in order.
// cosine: component j = amplitude[j] cos(2 pi frequency[j] x + phase[j]).
// Forward a lane is a row (pbld) or a component (cosine); backward it is a wave. Sums over rows run in order.
#pragma once

#include "cpu/simd/layers.hpp"

namespace hyperband::cpu::HB_ISA {

HB_FN V load_unaligned(const float *p) {
    V r;
    __builtin_memcpy(&r, p, sizeof r);
    return r;
}
// The first n <= 16 numbers, and 0 behind them.
HB_FN V load_some(const float *p, int n) {
    if (n >= kPanel) return load_unaligned(p);
    alignas(64) float t[kPanel] = {};
    for (int i = 0; i < n; ++i) t[i] = p[i];
    return load(t);
}
HB_FN void store_some(float *p, V v, int n) {
    if (n >= kPanel) {
        __builtin_memcpy(p, &v, sizeof v);
        return;
    }
    alignas(64) float t[kPanel];
    store(t, v);
    for (int i = 0; i < n && i < kPanel; ++i) p[i] = t[i];
}

// Components first, ..., first + N - 1 of column c for up to 16 rows, from the cosines of all waves.
template <int N>
void mix_waves(const Embedding &e, const Layer &y, const float *weights, int c, int first, const V *cosines, float *to,
               size_t ld, int rows) {
    const int at = c * e.components + first;
    const float *mixing = weights + y.mixing + static_cast<size_t>(at) * static_cast<size_t>(e.waves);
    V sum[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) sum[j] = V(weights[y.shift + static_cast<size_t>(at + j)]);
    for (int f = 0; f < e.waves; ++f)
#pragma GCC unroll 4
        for (int j = 0; j < N; ++j) sum[j] = fma(V(mixing[j * e.waves + f]), cosines[f], sum[j]);
    alignas(64) float t[N * kPanel];
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) store(t + j * kPanel, sum[j]);
    for (int r = 0; r < rows; ++r)
        for (int j = 0; j < N; ++j) to[r * ld + static_cast<size_t>(at + j)] = t[j * kPanel + r];
}
using MixWaves = void (*)(const Embedding &, const Layer &, const float *, int, int, const V *, float *, size_t, int);
constexpr MixWaves kMixWaves[] = {&mix_waves<1>, &mix_waves<2>, &mix_waves<3>, &mix_waves<4>};

inline void embed_by_pbld(const Embedding &e, const Layer &y, const float *weights, float *rows, size_t ld, int n) {
    for (int c = 0; c < e.numbers; ++c) {
        const float *frequency = weights + y.frequency + static_cast<size_t>(c) * static_cast<size_t>(e.waves);
        const float *phase = weights + y.phase + static_cast<size_t>(c) * static_cast<size_t>(e.waves);
        for (int b = 0; b < n; b += kPanel) {
            const int count = n - b < kPanel ? n - b : kPanel;
            alignas(64) float t[kPanel] = {};
            for (int r = 0; r < count; ++r) t[r] = rows[(b + r) * ld + static_cast<size_t>(c)];
            const V x = load(t);
            V cosines[kMaxFrequencies];
            for (int f = 0; f < e.waves; ++f) cosines[f] = cos_turns(fma(V(frequency[f]), x, V(phase[f] * kTurnsOfRadian)));
            for (int j = 0; j < e.components; j += 4) {
                const int some = e.components - j < 4 ? e.components - j : 4;
                kMixWaves[some - 1](e, y, weights, c, j, cosines, rows + b * ld + e.columns, ld, count);
            }
        }
    }
}

// The inputs of sixteen components, of up to 16 rows at a time: a vector that is loaded right behind its numbers waits for them.
struct ComponentInputs {
    int column[kPanel];
    alignas(64) float number[kPanel * kPanel];

    HB_FN ComponentInputs(const Embedding &e, int first) {
        for (int i = 0; i < kPanel; ++i) {
            const int q = first + i < e.all() ? first + i : first;
            column[i] = q / e.components;
        }
    }
    HB_FN void take(const float *rows, size_t ld, int n) {
        for (int r = 0; r < n; ++r)
            for (int i = 0; i < kPanel; ++i) number[r * kPanel + i] = rows[r * ld + static_cast<size_t>(column[i])];
    }
    HB_FN V row(int r) const { return load(number + r * kPanel); }
};

inline void embed_by_cosine(const Embedding &e, const Layer &y, const float *weights, float *rows, size_t ld, int n) {
    for (int q = 0; q < e.all(); q += kPanel) {
        const int count = e.all() - q < kPanel ? e.all() - q : kPanel;
        const V frequency = load(weights + y.frequency + q), turns = load(weights + y.phase + q) * V(kTurnsOfRadian),
                amplitude = load(weights + y.amplitude + q);
        ComponentInputs x(e, q);
        for (int b = 0; b < n; b += kPanel) {
            const int some = n - b < kPanel ? n - b : kPanel;
            x.take(rows + b * ld, ld, some);
            for (int r = 0; r < some; ++r)
                store_some(rows + (b + r) * ld + e.columns + q, amplitude * cos_turns(fma(frequency, x.row(r), turns)), count);
        }
    }
}

// Writes the components behind the columns of n rows, and zeros behind them.
inline void embed(const Embedding &e, const Layer &y, const float *weights, float *rows, size_t ld, int n) {
    for (int b = 0; b < n; ++b)
        for (int k = e.width(); k < padded(e.width()); ++k) rows[b * ld + static_cast<size_t>(k)] = 0.0f;
    if (e.kind == NumberEmbedding::pbld)
        embed_by_pbld(e, y, weights, rows, ld, n);
    else
        embed_by_cosine(e, y, weights, rows, ld, n);
}

// Panels of the embedded rows before the first that holds a component.
HB_FN int panels_before(const Embedding &e) { return e.columns / kPanel; }
HB_FN size_t component_stride(const Embedding &e) {
    return static_cast<size_t>(row_stride(e.width() - panels_before(e) * kPanel));
}

// What the gradient of an embedding is made from, and where it is collected.
struct EmbeddingRows {
    const Embedding &e;
    const Layer &y;
    const float *weights, *x, *g;  // g: by the components of a row, from the first one on
    size_t ld, ldg;
    int rows;
    bool accumulate, last;  // sums continue; they are complete afterwards
    float *gradient;        // of the arena's parameters from `frequency` on

    HB_FN float *at(size_t parameter) const { return gradient + (parameter - y.frequency); }
};

// Sums d1 of t and d2 of t x become the gradients of phases and frequencies.
HB_FN void store_waves(const EmbeddingRows &s, size_t first, int n, V d1, V d2) {
    store_some(s.at(s.y.phase) + first, s.last ? -d1 : d1, n);
    store_some(s.at(s.y.frequency) + first, s.last ? d2 * V(-kTwoPi) : d2, n);
}

// Sixteen waves of a column. N: the number of components, or 0: any.
template <int N> void pbld_waves(const EmbeddingRows &s, int c, int f) {
    constexpr int kMost = N > 0 ? N : kMaxEmbeddingSize - 1;
    const Embedding &e = s.e;
    const int components = N > 0 ? N : e.components, n = e.waves - f;
    const size_t wave = static_cast<size_t>(c * e.waves + f), component = static_cast<size_t>(c * e.components);
    const V frequency = load_some(s.weights + s.y.frequency + wave, n),
            turns = load_some(s.weights + s.y.phase + wave, n) * V(kTurnsOfRadian);
    V mixing[kMost], sum[kMost], d1(0.0f), d2(0.0f);
    const auto mixing_at = [&](int j) {
        return (component + static_cast<size_t>(j)) * static_cast<size_t>(e.waves) + static_cast<size_t>(f);
    };
#pragma GCC unroll 4
    for (int j = 0; j < components; ++j) {
        mixing[j] = load_some(s.weights + s.y.mixing + mixing_at(j), n);
        sum[j] = s.accumulate ? load_some(s.at(s.y.mixing) + mixing_at(j), n) : V(0.0f);
    }
    if (s.accumulate) d1 = load_some(s.at(s.y.phase) + wave, n), d2 = load_some(s.at(s.y.frequency) + wave, n);
    for (int b = 0; b < s.rows; ++b) {
        const V x(s.x[b * s.ld + static_cast<size_t>(c)]);
        const float *g = s.g + b * s.ldg + component;
        V sine, cosine, back(0.0f);
        sincos_turns(fma(frequency, x, turns), sine, cosine);
#pragma GCC unroll 4
        for (int j = 0; j < components; ++j) {
            const V gj(g[j]);
            sum[j] = fma(gj, cosine, sum[j]);
            back = fma(mixing[j], gj, back);
        }
        const V t = back * sine;
        d1 = d1 + t;
        d2 = fma(t, x, d2);
    }
#pragma GCC unroll 4
    for (int j = 0; j < components; ++j) store_some(s.at(s.y.mixing) + mixing_at(j), sum[j], n);
    store_waves(s, wave, n, d1, d2);
}

// Sixteen components.
inline void cosine_waves(const EmbeddingRows &s, int q) {
    const int n = s.e.all() - q < kPanel ? s.e.all() - q : kPanel;
    const auto at = static_cast<size_t>(q);
    const V frequency = load(s.weights + s.y.frequency + at), turns = load(s.weights + s.y.phase + at) * V(kTurnsOfRadian),
            amplitude = load(s.weights + s.y.amplitude + at);
    V sum(0.0f), d1(0.0f), d2(0.0f);
    if (s.accumulate)
        sum = load_some(s.at(s.y.amplitude) + at, n), d1 = load_some(s.at(s.y.phase) + at, n),
        d2 = load_some(s.at(s.y.frequency) + at, n);
    ComponentInputs inputs(s.e, q);
    for (int b = 0; b < s.rows; ++b) {
        if (b % kPanel == 0) inputs.take(s.x + b * s.ld, s.ld, s.rows - b < kPanel ? s.rows - b : kPanel);
        // behind the last component lie numbers of the next row, which go nowhere
        const V x = inputs.row(b % kPanel), g = load_unaligned(s.g + b * s.ldg + at);
        V sine, cosine;
        sincos_turns(fma(frequency, x, turns), sine, cosine);
        sum = fma(g, cosine, sum);
        const V t = g * amplitude * sine;
        d1 = d1 + t;
        d2 = fma(t, x, d2);
    }
    store_some(s.at(s.y.amplitude) + at, sum, n);
    store_waves(s, at, n, d1, d2);
}

inline void shift_sums(const EmbeddingRows &s, int q) {
    const int n = s.e.all() - q < kPanel ? s.e.all() - q : kPanel;
    V sum = s.accumulate ? load_some(s.at(s.y.shift) + q, n) : V(0.0f);
    for (int b = 0; b < s.rows; ++b) sum = sum + load_unaligned(s.g + b * s.ldg + q);
    store_some(s.at(s.y.shift) + q, sum, n);
}

// This thread's share of the gradient.
inline void embedding_gradient(const EmbeddingRows &s, Share share) {
    const int all = panels_of(s.e.all()), first = all * share.rank / share.size, end = all * (share.rank + 1) / share.size;
    if (s.e.kind == NumberEmbedding::cosine) {
        for (int p = first; p < end; ++p) cosine_waves(s, p * kPanel);
        return;
    }
    for (int p = first; p < end; ++p) shift_sums(s, p * kPanel);
    using Waves = void (*)(const EmbeddingRows &, int, int);
    constexpr Waves kWaves[] = {&pbld_waves<0>, &pbld_waves<1>, &pbld_waves<2>, &pbld_waves<3>, &pbld_waves<4>};
    const Waves waves = kWaves[s.e.components <= 4 ? s.e.components : 0];
    for (int c = s.e.numbers * share.rank / share.size; c < s.e.numbers * (share.rank + 1) / share.size; ++c)
        for (int f = 0; f < s.e.waves; f += kPanel) waves(s, c, f);
}

// Outputs of rows that lie anywhere.
inline void forward(const ForwardArgs &f) {
    const float *a = f.x;
    size_t lda = f.stride;
    const Layout &layout = *f.layout;
    if (const Embedding &e = layout.embedding; e.exists()) {
        const auto ld = static_cast<size_t>(row_stride(f.inputs));
        for (int b = 0; b < f.rows; ++b)
            for (int k = 0; k < e.columns; ++k) f.work->embedded[b * ld + k] = a[b * lda + k];
        embed(e, layout.layer[0], f.weights, f.work->embedded, ld, f.rows);
        a = f.work->embedded;
        lda = ld;
    }
    if (layout.layer[0].scaled()) {
        const float *scale = f.weights + layout.layer[0].scale;
        const auto ld = static_cast<size_t>(row_stride(f.inputs));
        for (int b = 0; b < f.rows; ++b)
            for (int k = 0; k < f.inputs; ++k) f.work->scaled[b * ld + k] = a[b * lda + k] * scale[k];
        a = f.work->scaled;
        lda = ld;
    }
    for (int l = 0; l < layout.n_layers; ++l) {
        const bool last = l + 1 == layout.n_layers;
        const Product p = layer_product(f, layout.layer[l], l, last, a, lda);
        if (last)
            p.run();
        else if (exists(layout.layer[l].alpha))
            weighted_layer(f.activation, p, nullptr, nullptr, f.weights + layout.layer[l].alpha);
        else
            hidden_layer(f.activation, p, nullptr);
        a = p.c;
        lda = p.ldc;
    }
}

}  // namespace hyperband::cpu::HB_ISA
