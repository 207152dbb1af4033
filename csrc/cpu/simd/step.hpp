// One optimiser step of one member, by one thread or several: first the rows of a batch, then the columns of the weights.
#pragma once

#include "cpu/simd/embedding.hpp"
#include "cpu/simd/losses.hpp"

namespace hyperband::cpu::HB_ISA {

template <Rule R, bool kPlain> void update_run(float *w, float *m, float *v, const float *g, size_t n, const Update &update) {
    const Update u = update;  // a copy that no store below can alias
    for (size_t i = 0; i < n; i += kPanel) {
        V x = load(w + i), first(0.0f), second(0.0f);
        if constexpr (uses_m<R>) first = load(m + i);
        if constexpr (uses_v<R>) second = load(v + i);
        update_<R, kPlain>(x, first, second, load(g + i), u, V(u.decay), V(u.shrink));
        store(w + i, x);
        if constexpr (uses_m<R>) store(m + i, first);
        if constexpr (uses_v<R>) store(v + i, second);
    }
}
using UpdateRun = void (*)(float *, float *, float *, const float *, size_t, const Update &);

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
    if (own.component_g) own.component_g += begin * component_stride(s.layout->embedding);
    if (own.scaled) own.scaled += begin * static_cast<size_t>(row_stride(s.inputs));
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
    const Embedding &e = s.layout->embedding;
    const int panels = panels_of(e.exists() ? e.columns : s.inputs), ahead = panels > 16 ? 2 : 16;
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

// The gathered rows times the scale, which ends with zeros.
inline void scale_rows(const StepArgs &s) {
    const size_t ld = static_cast<size_t>(row_stride(s.inputs));
    const float *scale = s.weights + s.layout->layer[0].scale;
    for (int b = 0; b < s.rows; ++b)
        for (int k = 0; k < s.inputs; k += kPanel)
            store(s.work->scaled + b * ld + k, load(s.work->x + b * ld + k) * load(scale + k));
}

inline void forward_training(const StepArgs &s) {
    const Architecture &arch = *s.architecture;
    const bool stored = slope_of(arch) == Slope::stored;
    const float *a = s.work->scaled ? s.work->scaled : s.work->x;
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

// From the gradients of layer 0's pre-activations to those of the components, with a few columns before them.
inline void backward_to_components(const StepArgs &s) {
    const Embedding &e = s.layout->embedding;
    const Layer &y = s.layout->layer[0];
    const int before = panels_before(e), panels = panels_of(s.inputs) - before;
    const size_t ld = component_stride(e), panel = static_cast<size_t>(y.out) * kPanel;
    Product{s.work->g[0],
            static_cast<size_t>(row_stride(y.out)),
            s.rows,
            y.out,
            s.work->transposed[0] + before * panel,
            panel,
            panels,
            nullptr,
            s.work->component_g,
            ld}
        .run();
    if (!y.scaled()) return;
    const float *scale = s.weights + y.scale + before * kPanel;
    for (int b = 0; b < s.rows; ++b)
        for (int j = 0; j < panels * kPanel; j += kPanel) {
            float *const g = s.work->component_g + b * ld + j;
            store(g, load(g) * load(scale + j));
        }
}

inline void rows(const StepArgs &whole, Share share) {
    Workspace own;
    const StepArgs s = share.size > 1 ? rows_of(whole, share, own) : whole;
    if (s.rows <= 0) return;
    gather(s);
    const Embedding &e = s.layout->embedding;
    if (e.exists()) embed(e, s.layout->layer[0], s.weights, s.work->x, static_cast<size_t>(row_stride(s.inputs)), s.rows);
    if (s.work->scaled) scale_rows(s);
    forward_training(s);
    row_losses<true>(
        {s.loss, s.n_outputs, s.rows, s.batch, s.data, s.index, static_cast<float>(s.architecture->label_smoothing), s.work});
    backward(s);
    if (e.exists()) backward_to_components(s);
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

// Gradient of the scale of inputs k to k + 15: of each row, what the panels add to it, in order.
HB_FN V scale_gradient(const StepArgs &s, int k) {
    const size_t ld = static_cast<size_t>(row_stride(s.inputs));
    V total = load(s.work->scale_parts + k);
    for (int p = 1; p < s.layout->layer[0].panels; ++p) total = total + load(s.work->scale_parts + p * ld + k);
    return total;
}

// Of rows k to k + count - 1 of a panel, x^T g becomes the gradient of the weights, (x scale)^T g; their products with the
// weights, added up over the panel's outputs, are what it adds to the gradient of the scale.
inline void through_scale(const StepArgs &s, int panel, int k, int count, const float *weights, float *g) {
    const float *scale = s.weights + s.layout->layer[0].scale + k;
    float *parts = s.work->scale_parts + static_cast<size_t>(panel) * static_cast<size_t>(row_stride(s.inputs)) + k;
    alignas(64) float block[kPanel * kPanel];
    for (int first = 0; first < count; first += kPanel) {
        for (int i = 0; i < kPanel; ++i) {
            const bool inside = first + i < count;
            float *const at = g + (first + i) * kPanel;
            const V x = inside ? load(at) : V(0.0f);
            store(block + i * kPanel, inside ? x * load(weights + (first + i) * kPanel) : x);
            if (inside) store(at, x * V(scale[first + i]));
        }
        store(parts + first, sum_rows(block));
    }
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
        for (int k = 0; l == 0 && y.scaled() && k < s.inputs; k += kPanel) {
            V g = scale_gradient(s, k);
            total = fma(g, g, total);
        }
        for (size_t at = y.frequency; l == 0 && s.work->embedding_gradient && at < y.end; at += kPanel) {
            V g = load(s.work->embedding_gradient + (at - y.frequency));
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
    const Update biases = s.update.of(Group::biases), alphas = s.update.of(Group::alpha);
    for (int l = 0; l < s.layout->n_layers; ++l) {
        if (!owns_bias(l, share)) continue;
        const Layer &y = s.layout->layer[l];
        const auto with = [&](const Update &u) {
            return [&](size_t at, size_t n, const float *values) {
                run(s.weights + at, moments(s.m, at), moments(s.v, at), values, n, u);
            };
        };
        vector_gradients(s, y, s.work->g[l], y.bias, accumulate, with(biases));
        if (exists(y.alpha)) vector_gradients(s, y, s.work->e[l], y.alpha, accumulate, with(alphas));
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
    const Update weights[2] = {s.update.of(Group::first_weights), s.update};
    const bool collected = s.work->gradient != nullptr, accumulate = s.first > 0;
    const bool scaled = s.work->scaled != nullptr && s.first + s.rows == s.batch;  // once the sums over rows are complete
    alignas(64) float out[kTilePanels * kRunRows * kPanel];
    vector_columns(s, share, run, accumulate);
    if (const Embedding &e = s.layout->embedding; e.exists()) {
        const auto ld = static_cast<size_t>(row_stride(s.inputs));
        embedding_gradient({e, s.layout->layer[0], s.weights, s.work->x, s.work->component_g + e.columns % kPanel, ld,
                            component_stride(e), s.rows, accumulate, s.first + s.rows == s.batch, s.work->embedding_gradient},
                           share);
    }
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
            for (int p = 0; scaled && b.l == 0 && p < b.panels; ++p)
                through_scale(s, b.panel + p, b.k, b.count, s.weights + at + p * panel, s.work->gradient + at + p * panel);
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
            if (scaled && b.l == 0)
                through_scale(s, b.panel + p, b.k, b.count, s.weights + offset, out + p * kRunRows * kPanel);
            run(s.weights + offset, moments(s.m, offset), moments(s.v, offset), out + p * kRunRows * kPanel,
                static_cast<size_t>(b.count) * kPanel, weights[b.l > 0]);
            if (s.work->transposed[b.l])
                for (int k = 0; k < b.count; k += kPanel)
                    transpose_at(y, s.weights, s.work->transposed[b.l], b.panel + p, b.k + k);
        }
    });
}

// This thread's share of the scale; inputs that take no part stay as they are.
inline void update_scale(const StepArgs &s, Share share, const Update &u) {
    const UpdateRun run = update_of(*s.architecture);
    const int panels = panels_of(s.inputs);
    float *const arenas[3] = {s.weights, s.m, s.v};
    for (int p = panels * share.rank / share.size; p < panels * (share.rank + 1) / share.size; ++p) {
        const int left = s.inputs - p * kPanel, n = left < kPanel ? left : kPanel;
        const size_t at = s.layout->layer[0].scale + static_cast<size_t>(p) * kPanel;
        alignas(64) float g[kPanel], own[3][kPanel] = {};
        store(g, scale_gradient(s, p * kPanel));
        for (int i = 0; i < 3; ++i)
            for (int k = 0; arenas[i] && k < n; ++k) own[i][k] = arenas[i][at + k];
        run(own[0], own[1], own[2], g, kPanel, u);
        for (int i = 0; i < 3; ++i)
            for (int k = 0; arenas[i] && k < n; ++k) arenas[i][at + k] = own[i][k];
    }
}

// This thread's share of an embedding's parameters, panel by panel; the gradient of padding is 0.
inline void update_embedding(const StepArgs &s, Share share, const Update &u) {
    const Layer &y = s.layout->layer[0];
    const size_t panels = (y.end - y.frequency) / kPanel;
    const size_t first = panels * static_cast<size_t>(share.rank) / static_cast<size_t>(share.size) * kPanel,
                 end = panels * static_cast<size_t>(share.rank + 1) / static_cast<size_t>(share.size) * kPanel,
                 at = y.frequency + first;
    if (end > first)
        update_of (*s.architecture)(s.weights + at, moments(s.m, at), moments(s.v, at), s.work->embedding_gradient + first,
                                    end - first, u);
}

// The update where the whole gradient was collected first. copy(layer, l, panel, first row, rows) renews copies of the weights.
template <class Copy> void update_with(const StepArgs &s, Share share, const Copy &copy) {
    const UpdateRun run = update_of(*s.architecture);
    Update u = s.update;
    if (s.architecture->clip_norm > 0.0) u.clip = clip_factor(s, static_cast<float>(s.architecture->clip_norm));
    if (s.work->scaled) update_scale(s, share, u.of(Group::scale));
    if (s.work->embedding_gradient) update_embedding(s, share, u.of(Group::embedding));
    if (!s.work->gradient) return;  // all else was updated at once
    const Update biases = u.of(Group::biases), alphas = u.of(Group::alpha), weights[2] = {u.of(Group::first_weights), u};
    auto apply = [&](size_t at, size_t n, const Update &own) {
        run(s.weights + at, moments(s.m, at), moments(s.v, at), s.work->gradient + at, n, own);
    };
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        if (!owns_bias(l, share)) continue;
        apply(y.bias, static_cast<size_t>(y.panels) * kPanel, biases);
        if (exists(y.alpha)) apply(y.alpha, static_cast<size_t>(y.panels) * kPanel, alphas);
    }
    for_each_block(*s.layout, s.inputs, share, [&](const Block &b) {
        const Layer &y = s.layout->layer[b.l];
        for (int p = b.panel; p < b.panel + b.panels; ++p) {
            const size_t at = y.weights + (static_cast<size_t>(p) * y.in + b.k) * kPanel;
            apply(at, static_cast<size_t>(b.count) * kPanel, weights[b.l > 0]);
            copy(y, b.l, p, b.k, b.count);
        }
    });
}

inline void update(const StepArgs &s, Share share) {
    update_with(s, share, [&](const Layer &y, int l, int p, int first, int count) {
        for (int k = 0; s.work->transposed[l] && k < count; k += kPanel)
            transpose_at(y, s.weights, s.work->transposed[l], p, first + k);
    });
}

// This thread's share of the moving average: of all numbers that take part, panels and vectors in turn.
inline void average(const StepArgs &s, Share share) {
    const V part(s.average_share);
    int turn = 0;
    const auto move = [&](size_t begin, size_t n) {
        if (turn++ % share.size != share.rank) return;
        const size_t end = begin + n, whole = begin + n / kPanel * kPanel;
        for (size_t at = begin; at < whole; at += kPanel)
            store(s.average + at, averaged(load(s.average + at), load(s.weights + at), part));
        for (size_t at = whole; at < end; ++at) s.average[at] = averaged(s.average[at], s.weights[at], s.average_share);
    };
    for_each_parameter(*s.layout, [&](int l, const Layer &y, const ParameterKind &kind, size_t at) {
        const int in = l == 0 ? s.inputs : y.in;
        const size_t panel = static_cast<size_t>(y.in) * kPanel;
        if (kind.packed())
            move(at, static_cast<size_t>(kind.axes[0] == Axis::inputs ? in : count_of(y, s.layout->embedding, kind)));
        else
            for (int p = 0; p < y.panels; ++p) move(at + static_cast<size_t>(p) * panel, static_cast<size_t>(in) * kPanel);
    });
}

}  // namespace hyperband::cpu::HB_ISA
