// One optimiser step of one member, by one thread or several: first the rows of a batch, then the columns of the weights.
#pragma once

#include "cpu/simd/layers.hpp"
#include "cpu/simd/losses.hpp"

namespace hyperband::cpu::HB_ISA {

template <Rule R, bool kPlain>
void update_run(float *w, float *m, float *v, const float *g, size_t n, const Update &update, float decay, float shrink) {
    const Update u = update;  // a copy that no store below can alias
    for (size_t i = 0; i < n; i += kPanel) {
        V x = load(w + i), first(0.0f), second(0.0f);
        if constexpr (uses_m<R>) first = load(m + i);
        if constexpr (uses_v<R>) second = load(v + i);
        update_<R, kPlain>(x, first, second, load(g + i), u, V(decay), V(shrink));
        store(w + i, x);
        if constexpr (uses_m<R>) store(m + i, first);
        if constexpr (uses_v<R>) store(v + i, second);
    }
}
using UpdateRun = void (*)(float *, float *, float *, const float *, size_t, const Update &, float, float);

template <bool kPlain> UpdateRun update_by(Rule r) {
    switch (r) {
        case Rule::sgd: return &update_run<Rule::sgd, kPlain>;
        case Rule::momentum: return &update_run<Rule::momentum, kPlain>;
        case Rule::nesterov: return &update_run<Rule::nesterov, kPlain>;
        case Rule::adam: return &update_run<Rule::adam, kPlain>;
        case Rule::rmsprop: return &update_run<Rule::rmsprop, kPlain>;
        case Rule::rmsprop_momentum: return &update_run<Rule::rmsprop_momentum, kPlain>;
    }
    return nullptr;
}

inline UpdateRun update_of(const Architecture &a) {
    return is_plain(a) ? update_by<true>(rule_of(a)) : update_by<false>(rule_of(a));
}

// A position in an arena of moments, which the rule may not have.
HB_FN float *moments(float *arena, size_t at) { return arena ? arena + at : nullptr; }

// Rows of a gradient to which the optimiser is applied at once: long enough for its loop, short enough for the first-level
// cache. A multiple of 16, so that no two runs share a transposed block.
constexpr int kRunRows = 112;

struct Block {  // rows [k, k + count) of panels [panel, panel + panels) of layer l
    int l, panel, panels, k, count;
};

// Visits this thread's share of all weights, block by block; the shares are about equal.
template <class Visit> void for_each_block(const Layout &layout, int inputs, Share share, const Visit &visit) {
    int64_t all = 0, before = 0;
    for (int l = 0; l < layout.n_layers; ++l)
        all += static_cast<int64_t>(layout.layer[l].panels) * (l == 0 ? inputs : layout.layer[l].in);
    for (int l = 0; l < layout.n_layers; ++l) {
        const Layer &y = layout.layer[l];
        const int k_end = l == 0 ? inputs : y.in;
        for (int j = 0; j < y.panels; j += kTilePanels) {
            const int panels = j + kTilePanels <= y.panels ? kTilePanels : 1;
            for (int k = 0; k < k_end; k += kRunRows) {
                const int count = k_end - k < kRunRows ? k_end - k : kRunRows;
                const int64_t cost = static_cast<int64_t>(count) * panels;
                if ((2 * before + cost) * share.size / (2 * all) == share.rank) visit(Block{l, j, panels, k, count});
                before += cost;
            }
        }
    }
}

// Whether the biases of a layer are in this thread's share.
HB_FN bool owns_bias(int l, Share share) { return l % share.size == share.rank; }

// This thread's share of the rows of a part: whole runs of 16, as the losses take them.
inline StepArgs rows_of(const StepArgs &whole, Share share, Workspace &own) {
    const int runs = panels_of(whole.rows);
    const int begin = runs * share.rank / share.size * kPanel, end = runs * (share.rank + 1) / share.size * kPanel;
    StepArgs s = whole;
    s.rows = (end < whole.rows ? end : whole.rows) - begin;
    s.first += begin;
    s.index += begin;
    own = *whole.work;
    own.x += begin * static_cast<size_t>(row_stride(s.inputs));
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const size_t at = begin * static_cast<size_t>(row_stride(s.layout->layer[l].out));
        own.g[l] += at;
        if (l + 1 == s.layout->n_layers) break;
        own.h[l] += at;
        own.d[l] += at;
        if (own.e[l]) own.e[l] += at;
    }
    own.outputs = own.g[s.layout->n_layers - 1];
    own.row_loss += begin;
    s.work = &own;
    return s;
}

inline void gather(const StepArgs &s) {
    const size_t ld = static_cast<size_t>(row_stride(s.inputs));
    const int panels = panels_of(s.inputs), ahead = panels > 16 ? 2 : 16;
    for (int b = 0; b < s.rows; ++b) {
        const float *from = s.data.x + s.index[b] * s.data.stride;
        float *to = s.work->x + b * ld;
        if (b + ahead < s.rows) {  // rows are scattered in memory: prefetch one while copying another
            const float *next = s.data.x + s.index[b + ahead] * s.data.stride;
            for (int p = 0; p < panels; ++p) __builtin_prefetch(next + p * kPanel, 0, 2);
        }
        for (int p = 0; p < panels; ++p) store(to + p * kPanel, load(from + p * kPanel));
    }
}

inline void forward_training(const StepArgs &s) {
    const Architecture &arch = *s.architecture;
    const bool stored = slope_of(arch) == Slope::stored;
    const float *a = s.work->x;
    size_t lda = static_cast<size_t>(row_stride(s.inputs));
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const bool last = l + 1 == s.layout->n_layers;
        const Product p = layer_product(s, s.layout->layer[l], l, last, a, lda);
        if (last) {
            p.run();
        } else if (float *const e = s.work->e[l]) {
            weighted_layer(arch.activation, p, s.work->d[l], e, s.weights + s.layout->layer[l].alpha);
            drop<true>(p.c, s.work->d[l], e, p.ldc, s.first, s.rows, p.panels, s.key, s.step, l, s.dropped);
        } else {
            hidden_layer(arch.activation, p, stored ? s.work->d[l] : nullptr);
            if (arch.dropout > 0.0)
                drop(p.c, s.work->d[l], nullptr, p.ldc, s.first, s.rows, p.panels, s.key, s.step, l, s.dropped);
        }
        a = p.c;
        lda = p.ldc;
    }
}

// The gradients of all pre-activations, from those of the outputs.
inline void backward(const StepArgs &s) {
    const Slope slope = slope_of(*s.architecture);
    for (int l = s.layout->n_layers - 1; l > 0; --l) {
        const Layer &y = s.layout->layer[l];
        const size_t ld = static_cast<size_t>(row_stride(y.in));
        Product p{s.work->g[l],
                  static_cast<size_t>(row_stride(y.out)),
                  s.rows,
                  y.out,
                  s.work->transposed[l],
                  static_cast<size_t>(y.out) * kPanel,
                  panels_of(y.in),
                  nullptr,
                  s.work->g[l - 1],
                  ld};
        if (float *const e = s.work->e[l - 1]) {
            p.run();
            times_slope_and_alpha(p.c, s.work->d[l - 1], e, ld, p.rows, p.panels);
            continue;
        }
        switch (slope) {
            case Slope::one: p.run(); break;
            case Slope::sign: p.run<Finish::gate>({}, s.work->h[l - 1]); break;
            case Slope::stored: p.run(TimesSlope{p.c, s.work->d[l - 1], ld, p.rows}); break;
        }
    }
}

inline void rows(const StepArgs &whole, Share share) {
    Workspace own;
    const StepArgs s = share.size > 1 ? rows_of(whole, share, own) : whole;
    if (s.rows <= 0) return;
    gather(s);
    forward_training(s);
    row_losses<true>(
        {s.loss, s.n_outputs, s.rows, s.batch, s.data, s.index, static_cast<float>(s.architecture->label_smoothing), s.work});
    backward(s);
}

template <int N> void sum_panels(const float *g, size_t ld, int rows, bool accumulate, float *out) {
    V s[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) s[v] = accumulate ? load(out + v * kPanel) : V(0.0f);
    for (int b = 0; b < rows; ++b, g += ld)
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) s[v] = s[v] + load(g + v * kPanel);
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) store(out + v * kPanel, s[v]);
}

// Sums of the columns of g over the rows, in order; `accumulate`: added to `out`. Up to four panels side by side.
inline void column_sums(const float *g, size_t ld, int rows, int panels, bool accumulate, float *out) {
    int j = 0;
    for (; j + 4 <= panels; j += 4) sum_panels<4>(g + j * kPanel, ld, rows, accumulate, out + j * kPanel);
    for (; j + 2 <= panels; j += 2) sum_panels<2>(g + j * kPanel, ld, rows, accumulate, out + j * kPanel);
    if (j < panels) sum_panels<1>(g + j * kPanel, ld, rows, accumulate, out + j * kPanel);
}

// The factor that brings the norm of the gradient down to `most`. Rows beyond the active inputs hold no gradient.
inline float clip_factor(const StepArgs &s, float most) {
    V total(0.0f);
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        const int k_end = l == 0 ? s.inputs : y.in;
        for (int p = 0; p < y.panels; ++p)
            for (int k = 0; k < k_end; ++k) {
                V g = load(s.work->gradient + y.weights + (static_cast<size_t>(p) * y.in + k) * kPanel);
                total = fma(g, g, total);
            }
        const size_t vectors[] = {y.bias, y.alpha};
        for (const size_t at : vectors)
            for (int p = 0; exists(at) && p < y.panels; ++p) {
                V g = load(s.work->gradient + at + p * kPanel);
                total = fma(g, g, total);
            }
    }
    const float norm = __builtin_sqrtf(sum(total));
    return norm > most ? most / norm : 1.0f;
}

// The gradient of a vector over a layer's outputs, which begins at `vector` in the arena, from its terms row by row; four
// panels at a time: sink(offset in the arena, number of floats, values).
template <class Sink>
void vector_gradients(const StepArgs &s, const Layer &y, const float *terms, size_t vector, bool accumulate, const Sink &sink) {
    const size_t ld = static_cast<size_t>(row_stride(y.out));
    alignas(64) float sums[4 * kPanel];
    for (int j = 0; j < y.panels; j += 4) {
        const int n = y.panels - j < 4 ? y.panels - j : 4;
        const size_t at = vector + static_cast<size_t>(j) * kPanel, count = static_cast<size_t>(n) * kPanel;
        if (s.work->gradient) {
            column_sums(terms + j * kPanel, ld, s.rows, n, accumulate, s.work->gradient + at);
        } else {
            column_sums(terms + j * kPanel, ld, s.rows, n, false, sums);
            sink(at, count, sums);
        }
    }
}

// This thread's share of the biases and of the alphas: their update, or their gradients.
inline void vector_columns(const StepArgs &s, Share share, UpdateRun run, bool accumulate) {
    const Update slow = with_rate_factor(s.update, kAlphaRate);
    for (int l = 0; l < s.layout->n_layers; ++l) {
        if (!owns_bias(l, share)) continue;
        const Layer &y = s.layout->layer[l];
        const auto with = [&](const Update &u) {
            return [&](size_t at, size_t n, const float *values) {
                run(s.weights + at, moments(s.m, at), moments(s.v, at), values, n, u, 0.0f, 1.0f);
            };
        };
        vector_gradients(s, y, s.work->g[l], y.bias, accumulate, with(s.update));
        if (exists(y.alpha)) vector_gradients(s, y, s.work->e[l], y.alpha, accumulate, with(slow));
    }
}

// Prefetches n rows in one stream: other threads wrote them, and the strided loads of the products would wait for each line.
HB_FN void ask_for(const float *from, size_t ld, int n) {
    for (const float *p = from; p < from + ld * static_cast<size_t>(n); p += kPanel) __builtin_prefetch(p, 0, 2);
}

inline void columns(const StepArgs &s, Share share) {
    if (share.size > 1) {
        ask_for(s.work->x, row_stride(s.inputs), s.rows);
        for (int l = 0; l < s.layout->n_layers; ++l) {
            ask_for(s.work->g[l], row_stride(s.layout->layer[l].out), s.rows);
            if (l + 1 < s.layout->n_layers) ask_for(s.work->h[l], row_stride(s.layout->layer[l].out), s.rows);
        }
    }
    const UpdateRun run = update_of(*s.architecture);
    const bool collected = s.work->gradient != nullptr, accumulate = s.first > 0;
    alignas(64) float out[kTilePanels * kRunRows * kPanel];
    vector_columns(s, share, run, accumulate);
    for_each_block(*s.layout, s.inputs, share, [&](const Block &b) {
        const Layer &y = s.layout->layer[b.l];
        const float *a = (b.l == 0 ? s.work->x : s.work->h[b.l - 1]) + b.k, *g = s.work->g[b.l] + b.panel * kPanel;
        const size_t lda = static_cast<size_t>(row_stride(b.l == 0 ? s.inputs : y.in)),
                     panel = static_cast<size_t>(y.in) * kPanel;
        const size_t ldg = static_cast<size_t>(row_stride(y.out)), at = y.weights + b.panel * panel + b.k * kPanel;
        const bool wide = b.panels == 2;
        if (collected) {
            const auto product = accumulate ? &outer_product<true, Nothing> : &outer_product<false, Nothing>;
            product(a, lda, s.rows, b.count, g, ldg, wide, s.work->gradient + at, panel, {});
            return;
        }
        auto fetch = [&](int k, int n) {  // weights and moments that this tile's gradient will change
            for (int p = 0; p < b.panels; ++p)
                for (int i = k; i < k + n; ++i) {
                    const size_t offset = at + p * panel + i * kPanel;
                    __builtin_prefetch(s.weights + offset, 1);
                    if (s.m) __builtin_prefetch(s.m + offset, 1);
                    if (s.v) __builtin_prefetch(s.v + offset, 1);
                }
        };
        outer_product<false>(a, lda, s.rows, b.count, g, ldg, wide, out, kRunRows * kPanel, fetch);
        for (int p = 0; p < b.panels; ++p) {
            const size_t offset = at + p * panel;
            run(s.weights + offset, moments(s.m, offset), moments(s.v, offset), out + p * kRunRows * kPanel,
                static_cast<size_t>(b.count) * kPanel, s.update, s.update.decay, s.update.shrink);
            if (b.l > 0)
                for (int k = 0; k < b.count; k += kPanel)
                    transpose_at(y, s.weights, s.work->transposed[b.l], b.panel + p, b.k + k);
        }
    });
}

// The update where the whole gradient was collected first. copy(layer, l, panel, first row, rows) renews copies of the weights.
template <class Copy> void update_with(const StepArgs &s, Share share, const Copy &copy) {
    const UpdateRun run = update_of(*s.architecture);
    Update u = s.update;
    if (s.architecture->clip_norm > 0.0) u.clip = clip_factor(s, static_cast<float>(s.architecture->clip_norm));
    const Update slow = with_rate_factor(u, kAlphaRate);
    auto apply = [&](size_t at, size_t n, const Update &by, float decay, float shrink) {
        run(s.weights + at, moments(s.m, at), moments(s.v, at), s.work->gradient + at, n, by, decay, shrink);
    };
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        if (!owns_bias(l, share)) continue;
        apply(y.bias, static_cast<size_t>(y.panels) * kPanel, u, 0.0f, 1.0f);
        if (exists(y.alpha)) apply(y.alpha, static_cast<size_t>(y.panels) * kPanel, slow, 0.0f, 1.0f);
    }
    for_each_block(*s.layout, s.inputs, share, [&](const Block &b) {
        const Layer &y = s.layout->layer[b.l];
        for (int p = b.panel; p < b.panel + b.panels; ++p) {
            const size_t at = y.weights + (static_cast<size_t>(p) * y.in + b.k) * kPanel;
            apply(at, static_cast<size_t>(b.count) * kPanel, u, u.decay, u.shrink);
            copy(y, b.l, p, b.k, b.count);
        }
    });
}

inline void update(const StepArgs &s, Share share) {
    update_with(s, share, [&](const Layer &y, int l, int p, int first, int count) {
        for (int k = 0; l > 0 && k < count; k += kPanel) transpose_at(y, s.weights, s.work->transposed[l], p, first + k);
    });
}

// This thread's share of the moving average: of all numbers that take part, panels and vectors in turn.
inline void average(const StepArgs &s, Share share) {
    const V part(s.average_share);
    int turn = 0;
    const auto move = [&](size_t begin, size_t n) {
        if (turn++ % share.size != share.rank) return;
        for (size_t at = begin; at < begin + n; at += kPanel)
            store(s.average + at, averaged(load(s.average + at), load(s.weights + at), part));
    };
    for_each_parameter(*s.layout, [&](int l, const Layer &y, const ParameterKind &kind, size_t at) {
        const int in = l == 0 ? s.inputs : y.in;
        const size_t panel = static_cast<size_t>(y.in) * kPanel;
        if (kind.axes[1] == Axis::none)
            move(at, static_cast<size_t>(padded(kind.axes[0] == Axis::inputs ? in : y.out)));
        else
            for (int p = 0; p < y.panels; ++p) move(at + static_cast<size_t>(p) * panel, static_cast<size_t>(in) * kPanel);
    });
}

}  // namespace hyperband::cpu::HB_ISA
