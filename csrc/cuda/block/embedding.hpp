// Columns that are numbers become components beside themselves: see csrc/cpu/simd/embedding.hpp, whose bits these are.
//
// Forward a thread takes four rows of a column's components (pbld) or of one component (cosine); backward it takes one wave,
// or one component, and all rows in order. Gradients are collected before any update.
#pragma once

#include "cuda/block/member_view.hpp"
#include "cuda/block/products.hpp"

namespace hyperband::cuda {

constexpr int kSomeComponents = 4;

// The components of pieces of four rows, into x behind the columns.
template <class MemberView, class W> HB_BLOCK void embed_by_pbld(int tid, const MemberView &b, int rows, W weights) {
    using Index = typename MemberView::Inputs::Index;
    const Embedding &e = b.net.layout.embedding;
    const DeviceLayer &y = b.net.layout.layer[0];
    const int pieces = (rows + kPiece - 1) / kPiece, chunks = (e.components + kSomeComponents - 1) / kSomeComponents;
    const auto x = b.x();
    deal(tid, b.block.threads(), e.numbers * chunks * pieces, [&](int i) {
        const int row = i % pieces * kPiece, c = i / pieces / chunks, first = i / pieces % chunks * kSomeComponents;
        const int64_t wave = static_cast<int64_t>(c) * e.waves, component = static_cast<int64_t>(c) * e.components + first;
        const Registers<kPiece> in = x.template load<kPiece>(static_cast<Index>(c) * b.stride() + row);
        float sum[kSomeComponents][kPiece];
        HB_UNROLL
        for (int j = 0; j < kSomeComponents; ++j) HB_UNROLL
        for (int r = 0; r < kPiece; ++r) sum[j][r] = first + j < e.components ? weights.load(y.shift + component + j) : 0.0f;
        for (int f = 0; f < e.waves; ++f) {
            const float frequency = weights.load(y.frequency + wave + f),
                        turns = weights.load(y.phase + wave + f) * kTurnsOfRadian;
            float cosine[kPiece];
            HB_UNROLL
            for (int r = 0; r < kPiece; ++r) cosine[r] = cos_turns(fma(frequency, in[r], turns));
            HB_UNROLL
            for (int j = 0; j < kSomeComponents; ++j) {
                if (first + j >= e.components) continue;
                const float mixing = weights.load(y.mixing + (component + j) * e.waves + f);
                HB_UNROLL
                for (int r = 0; r < kPiece; ++r) sum[j][r] = fma(mixing, cosine[r], sum[j][r]);
            }
        }
        HB_UNROLL
        for (int j = 0; j < kSomeComponents; ++j) {
            if (first + j >= e.components) continue;
            Registers<kPiece> out;
            HB_UNROLL
            for (int r = 0; r < kPiece; ++r) out[r] = sum[j][r];
            x.template store<kPiece>(static_cast<Index>(e.columns + component + j) * b.stride() + row, out);
        }
    });
}

template <class MemberView, class W> HB_BLOCK void embed_by_cosine(int tid, const MemberView &b, int rows, W weights) {
    using Index = typename MemberView::Inputs::Index;
    const Embedding &e = b.net.layout.embedding;
    const DeviceLayer &y = b.net.layout.layer[0];
    const int pieces = (rows + kPiece - 1) / kPiece;
    const auto x = b.x();
    deal(tid, b.block.threads(), e.all() * pieces, [&](int i) {
        const int row = i % pieces * kPiece, q = i / pieces;
        const float frequency = weights.load(y.frequency + q), turns = weights.load(y.phase + q) * kTurnsOfRadian,
                    amplitude = weights.load(y.amplitude + q);
        Registers<kPiece> v = x.template load<kPiece>(static_cast<Index>(q / e.components) * b.stride() + row);
        HB_UNROLL
        for (int r = 0; r < kPiece; ++r) v[r] = amplitude * cos_turns(fma(frequency, v[r], turns));
        x.template store<kPiece>(static_cast<Index>(e.columns + q) * b.stride() + row, v);
    });
}

// Before the first product: components, then the rows times the scale.
template <class MemberView, class W> HB_BLOCK void prepare_inputs(const MemberView &b, int rows, W weights) {
    if (b.net.layout.embedding.exists())
        b.block.phase([&](int tid) {
            if (b.net.layout.embedding.kind == NumberEmbedding::pbld)
                embed_by_pbld(tid, b, rows, weights);
            else
                embed_by_cosine(tid, b, rows, weights);
        });
    if (!b.scales()) return;
    using Index = typename MemberView::Inputs::Index;
    const auto scale = weights + b.net.layout.layer[0].scale;
    const int pieces = (rows + kPiece - 1) / kPiece;
    b.block.phase([&](int tid) {
        deal(tid, b.block.threads(), b.inputs * pieces, [&](int i) {
            const int k = i / pieces;
            const auto at = static_cast<Index>(k) * b.stride() + i % pieces * kPiece;
            const float factor = scale.load(k);
            Registers<kPiece> x = b.x().template load<kPiece>(at);
            HB_UNROLL
            for (int r = 0; r < kPiece; ++r) x[r] = x[r] * factor;
            b.scaled().template store<kPiece>(at, x);
        });
    });
}

// Gradients by the components, from those of layer 0's pre-activations.
template <class MemberView, class W> HB_BLOCK void components_backward(int tid, const MemberView &b, int rows, W weights) {
    using Index = typename MemberView::Inputs::Index;
    const Embedding &e = b.net.layout.embedding;
    const DeviceLayer &y = b.net.layout.layer[0];
    const auto w = weights + (y.weights + static_cast<int64_t>(e.columns) * y.stride);
    const auto to = b.component_g();
    const auto g = b.g(0);
    const int pieces = (rows + kPiece - 1) / kPiece;
    deal(tid, b.block.threads(), e.all() * pieces, [&](int i) {
        const int row = i % pieces * kPiece, q = i / pieces;
        float sum[kPiece] = {};
        for (int j = 0; j < y.out; ++j) {
            const float factor = w.load(static_cast<typename W::Index>(q) * y.stride + j);
            const auto x = g.template load<kPiece>(static_cast<typename MemberView::Outputs::Index>(j) * b.stride() + row);
            HB_UNROLL
            for (int r = 0; r < kPiece; ++r) sum[r] = fma(x[r], factor, sum[r]);
        }
        const float scale = b.scales() ? weights.load(y.scale + e.columns + q) : 1.0f;
        Registers<kPiece> out;
        HB_UNROLL
        for (int r = 0; r < kPiece; ++r) out[r] = sum[r] * scale;
        to.template store<kPiece>(static_cast<Index>(q) * b.stride() + row, out);
    });
}

// Where the sums over rows go on, and whether they are complete after these rows.
struct EmbeddingSums {
    int rows;
    bool accumulate, last;
};

// Waves of `frequency` and `phase` with their input, and the gradient that comes back to the cosine of each row.
template <class MemberView, class W, class Gradient, class Back>
HB_BLOCK void wave_sums(const MemberView &b, const EmbeddingSums &s, W weights, Gradient gradient, int wave, int column,
                        const Back &back) {
    using Index = typename MemberView::Inputs::Index;
    const DeviceLayer &y = b.net.layout.layer[0];
    const float frequency = weights.load(y.frequency + wave), turns = weights.load(y.phase + wave) * kTurnsOfRadian;
    float d1 = s.accumulate ? gradient.load(y.phase + wave) : 0.0f;
    float d2 = s.accumulate ? gradient.load(y.frequency + wave) : 0.0f;
    for (int row = 0; row < s.rows; ++row) {
        const float x = b.x().load(static_cast<Index>(column) * b.stride() + row);
        float sine, cosine;
        sincos_turns(fma(frequency, x, turns), sine, cosine);
        const float t = back(row, cosine) * sine;
        d1 = d1 + t;
        d2 = fma(t, x, d2);
    }
    gradient.store(y.phase + wave, s.last ? -d1 : d1);
    gradient.store(y.frequency + wave, s.last ? d2 * -kTwoPi : d2);
}

template <class MemberView, class W, class Gradient>
HB_BLOCK void pbld_columns(int tid, const MemberView &b, const EmbeddingSums &s, W weights, Gradient gradient) {
    using Index = typename MemberView::Inputs::Index;
    const Embedding &e = b.net.layout.embedding;
    const DeviceLayer &y = b.net.layout.layer[0];
    const auto g = b.component_g();
    const int waves = e.numbers * e.waves;
    deal(tid, b.block.threads(), waves, [&](int wave) {
        const int c = wave / e.waves, f = wave % e.waves;
        wave_sums(b, s, weights, gradient, wave, c, [&](int row, float) {
            float sum = 0.0f;
            for (int j = 0; j < e.components; ++j) {
                const int q = c * e.components + j;
                sum = fma(weights.load(y.mixing + static_cast<int64_t>(q) * e.waves + f),
                          g.load(static_cast<Index>(q) * b.stride() + row), sum);
            }
            return sum;
        });
    });
    deal(tid, b.block.threads(), e.all() * e.waves, [&](int i) {
        const int q = i / e.waves, c = q / e.components, wave = c * e.waves + i % e.waves;
        const float frequency = weights.load(y.frequency + wave), turns = weights.load(y.phase + wave) * kTurnsOfRadian;
        float sum = s.accumulate ? gradient.load(y.mixing + i) : 0.0f;
        for (int row = 0; row < s.rows; ++row) {
            const float x = b.x().load(static_cast<Index>(c) * b.stride() + row);
            sum = fma(g.load(static_cast<Index>(q) * b.stride() + row), cos_turns(fma(frequency, x, turns)), sum);
        }
        gradient.store(y.mixing + i, sum);
    });
    deal(b.block.threads() - 1 - tid, b.block.threads(), e.all(), [&](int q) {
        float sum = s.accumulate ? gradient.load(y.shift + q) : 0.0f;
        for (int row = 0; row < s.rows; ++row) sum = sum + g.load(static_cast<Index>(q) * b.stride() + row);
        gradient.store(y.shift + q, sum);
    });
}

template <class MemberView, class W, class Gradient>
HB_BLOCK void cosine_columns(int tid, const MemberView &b, const EmbeddingSums &s, W weights, Gradient gradient) {
    using Index = typename MemberView::Inputs::Index;
    const Embedding &e = b.net.layout.embedding;
    const DeviceLayer &y = b.net.layout.layer[0];
    const auto g = b.component_g();
    deal(tid, b.block.threads(), e.all(), [&](int q) {
        const float amplitude = weights.load(y.amplitude + q);
        float sum = s.accumulate ? gradient.load(y.amplitude + q) : 0.0f;
        wave_sums(b, s, weights, gradient, q, q / e.components, [&](int row, float cosine) {
            const float slope = g.load(static_cast<Index>(q) * b.stride() + row);
            sum = fma(slope, cosine, sum);
            return slope * amplitude;
        });
        gradient.store(y.amplitude + q, sum);
    });
}

// Visits the embedding's parameters: visit(offset in the arena, how many).
template <class Visit> HB_BLOCK void each_of_embedding(const DeviceLayout &layout, const Visit &visit) {
    const Embedding &e = layout.embedding;
    const DeviceLayer &y = layout.layer[0];
    if (!e.exists()) return;
    visit(y.frequency, e.numbers * e.waves);
    visit(y.phase, e.numbers * e.waves);
    if (e.kind == NumberEmbedding::pbld) {
        visit(y.mixing, e.all() * e.waves);
        visit(y.shift, e.all());
    } else {
        visit(y.amplitude, e.all());
    }
}

}  // namespace hyperband::cuda
