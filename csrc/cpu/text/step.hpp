// One optimiser step of one member: gather, forward, loss, backward, update.
#pragma once

#include "cpu/text/layers.hpp"
#include "cpu/text/losses.hpp"

namespace hyperband::HB_ISA {

template <Rule R, bool kPlain>
void update_run(float *w, float *m, float *v, const float *g, size_t n, const Update &update, float decay, float shrink) {
    const Update u = update;  // a copy that no store below can change
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
    const bool plain = !(a.clip_norm > 0.0) && !(a.weight_decay > 0.0);
    return plain ? update_by<true>(rule_of(a)) : update_by<false>(rule_of(a));
}

// A place in an arena that the rule may do without.
HB_FN float *moments(float *arena, size_t at) { return arena ? arena + at : nullptr; }

inline void gather(const StepArgs &s) {
    const size_t ld = static_cast<size_t>(row_stride(s.inputs));
    const int panels = panels_of(s.inputs), ahead = panels > 16 ? 2 : 16;
    for (int b = 0; b < s.batch; ++b) {
        const float *from = s.data.x + s.index[b] * s.data.stride;
        float *to = s.work->x + b * ld;
        if (b + ahead < s.batch) {  // rows lie anywhere in memory: ask for one while copying another
            const float *next = s.data.x + s.index[b + ahead] * s.data.stride;
            for (int p = 0; p < panels; ++p) __builtin_prefetch(next + p * kPanel, 0, 2);
        }
        for (int p = 0; p < panels; ++p) store(to + p * kPanel, load(from + p * kPanel));
    }
}

inline void forward_training(const StepArgs &s) {
    const Architecture &arch = *s.architecture;
    const bool stored = slope_of(arch.activation, arch.dropout) == Slope::stored;
    const float *a = s.work->x;
    size_t lda = static_cast<size_t>(row_stride(s.inputs));
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        const bool last = l + 1 == s.layout->n_layers;
        Product p{a,
                  lda,
                  s.batch,
                  l == 0 ? s.inputs : y.in,
                  s.weights + y.weights,
                  static_cast<size_t>(y.in) * kPanel,
                  y.panels,
                  s.weights + y.bias,
                  last ? s.work->g[0] : s.work->h[l],
                  static_cast<size_t>(row_stride(y.out))};
        if (last) {
            p.run();
        } else {
            hidden_layer(arch.activation, p, stored ? s.work->d[l] : nullptr);
            if (arch.dropout > 0.0) drop(p.c, s.work->d[l], p.ldc, s.first, s.batch, p.panels, s.key, s.step, l, arch.dropout);
        }
        a = p.c;
        lda = p.ldc;
    }
}

template <int N> void sum_panels(const float *g, size_t ld, int rows, bool go_on, float *out) {
    V s[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) s[v] = go_on ? load(out + v * kPanel) : V(0.0f);
    for (int b = 0; b < rows; ++b, g += ld)
#pragma GCC unroll 4
        for (int v = 0; v < N; ++v) s[v] = s[v] + load(g + v * kPanel);
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) store(out + v * kPanel, s[v]);
}

// Sums of the columns of g over the rows, in order, starting with what is in `out` to go on; up to four panels side by side.
inline void column_sums(const float *g, size_t ld, int rows, int panels, bool go_on, float *out) {
    int j = 0;
    for (; j + 4 <= panels; j += 4) sum_panels<4>(g + j * kPanel, ld, rows, go_on, out + j * kPanel);
    for (; j + 2 <= panels; j += 2) sum_panels<2>(g + j * kPanel, ld, rows, go_on, out + j * kPanel);
    if (j < panels) sum_panels<1>(g + j * kPanel, ld, rows, go_on, out + j * kPanel);
}

// Factor that brings the norm of the gradient down to `most`; panels beyond the active inputs hold no gradient.
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
        for (int p = 0; p < y.panels; ++p) {
            V g = load(s.work->gradient + y.bias + p * kPanel);
            total = fma(g, g, total);
        }
    }
    const float norm = __builtin_sqrtf(sum(total));
    return norm > most ? most / norm : 1.0f;
}

// The update where the whole gradient had to be known, or collected, first.
inline void update_at_once(const StepArgs &s, UpdateRun run) {
    Update u = s.update;
    if (s.architecture->clip_norm > 0.0) u.clip = clip_factor(s, static_cast<float>(s.architecture->clip_norm));
    auto apply = [&](size_t at, size_t n, float decay, float shrink) {
        run(s.weights + at, moments(s.m, at), moments(s.v, at), s.work->gradient + at, n, u, decay, shrink);
    };
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        const int k_end = l == 0 ? s.inputs : y.in;
        for (int p = 0; p < y.panels; ++p)
            apply(y.weights + static_cast<size_t>(p) * y.in * kPanel, static_cast<size_t>(k_end) * kPanel, u.decay, u.shrink);
        apply(y.bias, static_cast<size_t>(y.panels) * kPanel, 0.0f, 1.0f);
        if (l > 0) transpose_layer(y, s.weights, s.work->transposed[l]);
    }
}

// Back through the rows at hand. The gradient of each layer meets the optimiser while it is in the nearest cache, unless it
// is collected: for clipping, or because these are only some rows of the batch.
inline void backward(const StepArgs &s, UpdateRun run, bool collected) {
    const Architecture &arch = *s.architecture;
    const Slope slope = slope_of(arch.activation, arch.dropout);
    const bool go_on = s.first > 0;
    int side = 0;
    for (int l = s.layout->n_layers - 1; l >= 0; --l, side ^= 1) {
        const Layer &y = s.layout->layer[l];
        const float *g = s.work->g[side];
        const size_t ldg = static_cast<size_t>(row_stride(y.out)), panel = static_cast<size_t>(y.in) * kPanel;
        const float *a = l == 0 ? s.work->x : s.work->h[l - 1];
        const int k_end = l == 0 ? s.inputs : y.in;
        const size_t lda = static_cast<size_t>(row_stride(k_end));
        if (l > 0) {  // with the weights from before the update
            Product p{g,
                      ldg,
                      s.batch,
                      y.out,
                      s.work->transposed[l],
                      static_cast<size_t>(y.out) * kPanel,
                      panels_of(y.in),
                      nullptr,
                      s.work->g[side ^ 1],
                      lda};
            switch (slope) {
                case Slope::one: p.run(); break;
                case Slope::sign: p.run<Finish::gate>({}, s.work->h[l - 1]); break;
                case Slope::stored: p.run(TimesSlope{p.c, s.work->d[l - 1], lda, p.rows}); break;
            }
        }
        column_sums(g, ldg, s.batch, y.panels, go_on, collected ? s.work->gradient + y.bias : s.work->bias_gradient);
        if (collected) {
            float *const to = s.work->gradient + y.weights;
            if (go_on)
                outer_product_into<true>(a, lda, s.batch, k_end, g, ldg, y.panels, to, panel);
            else
                outer_product_into<false>(a, lda, s.batch, k_end, g, ldg, y.panels, to, panel);
            continue;
        }
        auto fetch = [&](int p, int k, int n) {  // the state that this tile's gradient will meet
            const size_t at = y.weights + p * panel + k * kPanel;
            for (int i = 0; i < n; ++i) {
                __builtin_prefetch(s.weights + at + i * kPanel, 1);
                if (s.m) __builtin_prefetch(s.m + at + i * kPanel, 1);
                if (s.v) __builtin_prefetch(s.v + at + i * kPanel, 1);
            }
        };
        outer_product(a, lda, s.batch, k_end, g, ldg, y.panels, fetch, [&](int p, int k, int n, const float *values) {
            const size_t at = y.weights + p * panel + k * kPanel;
            run(s.weights + at, moments(s.m, at), moments(s.v, at), values, static_cast<size_t>(n) * kPanel, s.update,
                s.update.decay, s.update.shrink);
        });
        run(s.weights + y.bias, moments(s.m, y.bias), moments(s.v, y.bias), s.work->bias_gradient,
            static_cast<size_t>(y.panels) * kPanel, s.update, 0.0f, 1.0f);
        if (l > 0) transpose_layer(y, s.weights, s.work->transposed[l]);
    }
}

inline double step(const StepArgs &whole) {
    const Architecture &arch = *whole.architecture;
    const UpdateRun run = update_of(arch);
    const int most = rows_at_a_time(whole.batch);
    const bool collected = arch.clip_norm > 0.0 || most < whole.batch;
    double total = 0.0;
    StepArgs s = whole;
    for (s.first = 0; s.first < whole.batch; s.first += most) {
        s.batch = whole.batch - s.first < most ? whole.batch - s.first : most;
        s.index = whole.index + s.first;
        gather(s);
        forward_training(s);
        const LossArgs a{s.loss, s.n_outputs, s.batch, whole.batch, s.data, s.index, static_cast<float>(arch.label_smoothing),
                         s.work};
        row_losses<true>(a);
        for (int b = 0; b < s.batch; ++b) total += static_cast<double>(a.weight(b)) * static_cast<double>(s.work->row_loss[b]);
        if (__builtin_isfinite(total)) backward(s, run, collected);
    }
    if (collected && __builtin_isfinite(total)) update_at_once(s, run);
    return total / whole.batch;
}

}  // namespace hyperband::HB_ISA
