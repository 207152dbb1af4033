// One optimiser step, and one evaluation, of sixteen members of one shape, one in each lane. Every lane does what step.hpp
// does for its member, number by number and in the same order.
#pragma once

#include "cpu/simd/pack_losses.hpp"
#include "cpu/simd/step.hpp"

namespace hyperband::cpu::HB_ISA {

inline void hidden_lanes(Activation a, const LaneProduct &p, float *d) {
    if (!d && a == Activation::relu) return p.run<Sweep::forward, Finish::rectify>();
    p.run<Sweep::forward>();
    if (!d && a == Activation::identity) return;
    by_activation(a, [&](auto tag) {
        for (int b = 0; b < p.m; ++b)
            for (int j = 0; j < p.n; ++j) {
                const size_t at = b * p.ldc + j * kLanes;
                V y, slope;
                activate<decltype(tag)::value>(load(p.c + at), y, slope);
                store(p.c + at, y);
                if (d) store(d + at, slope);
            }
    });
}

// See drop() in layers.hpp: a lane has its member's key, step and limit.
inline void drop_lanes(float *h, float *d, size_t ld, int first, int rows, int width, const PackArgs &s, int layer) {
    alignas(64) uint32_t k0[kLanes], k1[kLanes], step[kLanes], most[kLanes];
    alignas(64) float kept[kLanes];
    for (int i = 0; i < kLanes; ++i) {
        most[i] = s.dropped[i];
        kept[i] = dropout_scale(most[i]);
        k0[i] = s.key[i].k0, k1[i] = s.key[i].k1, step[i] = s.step[i];
    }
    const KeyOf<U> key{load(k0), load(k1)};
    const U limit = load(most), steps = load(step);
    const V keep = load(kept);
    for (int block = 0; block * 8 < rows; ++block)
        for (int j = 0; j < width; ++j) {
            U w[4] = {U(static_cast<uint32_t>(j)), U(static_cast<uint32_t>(first / 8 + block)), steps, U(dropout_word(layer))};
            philox(key, w[0], w[1], w[2], w[3]);
            const int n = rows - block * 8 < 8 ? rows - block * 8 : 8;
            for (int r = 0; r < n; ++r) {
                const size_t at = (block * 8 + r) * ld + j * kLanes;
                const I dropped = ((w[r >> 1] >> (16 * (r & 1))) & U(0xffffu)) < limit;
                store(h + at, select(dropped, V(0.0f), load(h + at) * keep));
                store(d + at, select(dropped, V(0.0f), load(d + at) * keep));
            }
        }
}

// The product of a layer with the rows in `from`.
HB_FN LaneProduct layer_product(const Layer &y, const float *weights, const float *from, size_t ld, int rows, float *to) {
    return {rows, y.out, y.in, from, ld, weights + y.weights, lane_stride(y.out), weights + y.bias, 0, to, lane_stride(y.out)};
}

inline void pack_forward(const PackArgs &s, int first, int rows) {
    const Architecture &arch = *s.architecture[0];
    const bool stored = slope_of(arch) == Slope::stored;
    const float *a = s.work->x;
    size_t lda = lane_stride(s.inputs);
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        if (l + 1 == s.layout->n_layers) {
            layer_product(y, s.weights, a, lda, rows, s.work->g[l]).run<Sweep::forward>();
            return;
        }
        const LaneProduct p = layer_product(y, s.weights, a, lda, rows, s.work->h[l]);
        hidden_lanes(arch.activation, p, stored ? s.work->d[l] : nullptr);
        if (arch.dropout > 0.0) drop_lanes(p.c, s.work->d[l], p.ldc, first, rows, y.out, s, l);
        a = p.c;
        lda = p.ldc;
    }
}

inline void pack_backward(const PackArgs &s, int rows) {
    const Architecture &arch = *s.architecture[0];
    const Slope slope = slope_of(arch);
    for (int l = s.layout->n_layers - 1; l > 0; --l) {
        const Layer &y = s.layout->layer[l];
        const size_t ld = lane_stride(y.in);
        float *const g = s.work->g[l - 1];
        const LaneProduct p{
            rows, y.in, y.out, s.work->g[l], lane_stride(y.out), s.weights + y.weights, lane_stride(y.out), nullptr, 0, g, ld};
        if (slope == Slope::sign) {
            p.run<Sweep::back, Finish::gate>(s.work->h[l - 1]);
            continue;
        }
        p.run<Sweep::back>();
        if (slope == Slope::one) continue;
        for (int b = 0; b < rows; ++b)
            for (int j = 0; j < y.in; ++j) {
                const size_t at = b * ld + j * kLanes;
                store(g + at, load(g + at) * load(s.work->d[l - 1] + at));
            }
    }
}

// Adds the gradients of these rows; the first rows of a batch begin the sums.
inline void pack_columns(const PackArgs &s, int first, int rows) {
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        const size_t ld = lane_stride(y.out);
        const float *g = s.work->g[l];
        float *const dw = s.work->gradient + y.weights, *const db = s.work->gradient + y.bias;
        const LaneProduct p{
            y.in, y.out, rows, l == 0 ? s.work->x : s.work->h[l - 1], lane_stride(y.in), g, ld, first > 0 ? dw : nullptr,
            ld,   dw,    ld};
        p.run<Sweep::outer>();
        column_sums(g, ld, rows, y.out, first > 0, db);
    }
}

// The gradients of a batch and the sums of its losses.
inline void pack_gradient(PackArgs &s) {
    alignas(64) float smoothing[kLanes];
    bool smooth = false;
    for (int i = 0; i < kLanes; ++i) {
        smoothing[i] = static_cast<float>(s.architecture[i]->label_smoothing);
        smooth = smooth || smoothing[i] > 0.0f;
    }
    const int last = s.layout->n_layers - 1;
    for (int first = 0; first < s.batch; first += kPackRows) {
        const int rows = s.batch - first < kPackRows ? s.batch - first : kPackRows;
        const uint32_t *index = s.index + first;
        gather_lanes(s.data.x, s.data.stride, index, s.index_stride, rows, s.inputs, s.work->x, lane_stride(s.inputs));
        const size_t ld = lane_stride(s.n_outputs);
        if (s.loss.regression())
            gather_lanes(s.data.target, static_cast<size_t>(padded(s.n_outputs)), index, s.index_stride, rows, s.n_outputs,
                         s.work->target, ld);
        pack_forward(s, first, rows);
        pack_losses<true>({s.loss, s.n_outputs, rows, s.batch, s.data, index, s.index_stride, load(smoothing), smooth,
                           s.work->g[last], ld, s.work->target, s.loss_sum, nullptr, nullptr});
        pack_backward(s, rows);
        pack_columns(s, first, rows);
    }
}

HB_FN UpdateOf<V> lanes_of(const Update *updates) {
    alignas(64) float t[kLanes];
    auto each = [&](auto field) {
        for (int i = 0; i < kLanes; ++i) t[i] = field(updates[i]);
        return load(t);
    };
    UpdateOf<V> u;
#define HB_LANES_OF(NAME) u.NAME = each([](const Update &x) { return x.NAME; })
    HB_LANES_OF(rate), HB_LANES_OF(root_scale), HB_LANES_OF(beta1), HB_LANES_OF(one_minus_beta1), HB_LANES_OF(beta2);
    HB_LANES_OF(one_minus_beta2), HB_LANES_OF(epsilon), HB_LANES_OF(momentum), HB_LANES_OF(decay), HB_LANES_OF(shrink);
    HB_LANES_OF(clip), HB_LANES_OF(first_rate), HB_LANES_OF(first_shrink), HB_LANES_OF(bias_rate);
#undef HB_LANES_OF
    return u;
}

// See clip_factor() in step.hpp: its lanes are positions here.
inline V clip_factors(const PackArgs &s) {
    V total[kLanes];
    for (int i = 0; i < kLanes; ++i) total[i] = V(0.0f);
    alignas(64) float norm[kLanes], factor[kLanes];
    auto add = [&](const float *g, int first, int end) {
        for (int j = first; j < end; ++j) {
            const V x = load(g + j * kLanes);
            total[j - first] = fma(x, x, total[j - first]);
        }
    };
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        auto each_panel = [&](const auto &visit) {
            for (int j = 0; j < y.out; j += kPanel) visit(j, j + kPanel < y.out ? j + kPanel : y.out);
        };
        each_panel([&](int first, int end) {
            for (int k = 0; k < y.in; ++k) add(s.work->gradient + y.weights + k * lane_stride(y.out), first, end);
        });
        each_panel([&](int first, int end) { add(s.work->gradient + y.bias, first, end); });
    }
    store(norm, sum_positions(total));
    for (int i = 0; i < kLanes; ++i) {
        const float most = static_cast<float>(s.architecture[i]->clip_norm), n = __builtin_sqrtf(norm[i]);
        factor[i] = most > 0.0f && n > most ? most / n : 1.0f;
    }
    return load(factor);
}

template <Rule R, bool kPlain> void update_lanes(const PackArgs &s, const UpdateOf<V> &updates) {
    // copies that no store below can alias
    const UpdateOf<V> later = updates, first_layer = updates.of(Group::first_weights), biases = updates.of(Group::biases);
    auto run = [&](size_t at, int n, const UpdateOf<V> &u) {
        for (size_t i = at; i < at + static_cast<size_t>(n) * kLanes; i += kLanes) {
            V x = load(s.weights + i), first(0.0f), second(0.0f);
            if constexpr (uses_m<R>) first = load(s.m + i);
            if constexpr (uses_v<R>) second = load(s.v + i);
            update_<R, kPlain>(x, first, second, load(s.work->gradient + i), u, u.decay, u.shrink);
            store(s.weights + i, x);
            if constexpr (uses_m<R>) store(s.m + i, first);
            if constexpr (uses_v<R>) store(s.v + i, second);
        }
    };
    for (int l = 0; l < s.layout->n_layers; ++l) {
        const Layer &y = s.layout->layer[l];
        for (int k = 0; k < y.in; ++k) run(y.weights + k * lane_stride(y.out), y.out, l == 0 ? first_layer : later);
        run(y.bias, y.out, biases);
    }
}

template <bool kPlain> void update_lanes_by(Rule rule, const PackArgs &s, const UpdateOf<V> &u) {
    switch (rule) {
        case Rule::sgd: return update_lanes<Rule::sgd, kPlain>(s, u);
        case Rule::momentum: return update_lanes<Rule::momentum, kPlain>(s, u);
        case Rule::nesterov: return update_lanes<Rule::nesterov, kPlain>(s, u);
        case Rule::adam: return update_lanes<Rule::adam, kPlain>(s, u);
        case Rule::rmsprop: return update_lanes<Rule::rmsprop, kPlain>(s, u);
        case Rule::rmsprop_momentum: return update_lanes<Rule::rmsprop_momentum, kPlain>(s, u);
    }
}

inline void pack_update(const PackArgs &s) {
    UpdateOf<V> u = lanes_of(s.update);
    const Architecture &a = *s.architecture[0];
    if (is_plain(a)) return update_lanes_by<true>(rule_of(a), s, u);
    bool clipped = false;
    for (int i = 0; i < kLanes; ++i) clipped = clipped || s.architecture[i]->clip_norm > 0.0;
    if (clipped) u.clip = clip_factors(s);
    update_lanes_by<false>(rule_of(a), s, u);
}

inline void pack_average(const PackArgs &s) {
    alignas(64) float shares[kLanes];
    for (int i = 0; i < kLanes; ++i) shares[i] = s.average_share[i];
    const V part = load(shares);
    for (size_t at = 0; at < s.layout->size; at += kLanes)
        store(s.average + at, averaged(load(s.average + at), load(s.weights + at), part));
}

// Adds the losses and errors of the next rows of the data, the same rows in every lane.
inline void pack_evaluate(PackArgs &s, int rows) {
    const int last = s.layout->n_layers - 1;
    const size_t ld = lane_stride(s.n_outputs);
    for (int first = 0; first < rows; first += kPackRows) {
        const int n = rows - first < kPackRows ? rows - first : kPackRows;
        const uint32_t *index = s.index + first;
        gather_lanes(s.data.x, s.data.stride, index, 0, n, s.inputs, s.work->x, lane_stride(s.inputs));
        if (s.loss.regression())
            gather_lanes(s.data.target, static_cast<size_t>(padded(s.n_outputs)), index, 0, n, s.n_outputs, s.work->target, ld);
        const float *a = s.work->x;
        size_t lda = lane_stride(s.inputs);
        for (int l = 0; l <= last; ++l) {
            const Layer &y = s.layout->layer[l];
            const LaneProduct p = layer_product(y, s.weights, a, lda, n, l == last ? s.work->g[l] : s.work->h[l]);
            if (l == last)
                p.run<Sweep::forward>();
            else
                hidden_lanes(s.architecture[0]->activation, p, nullptr);
            a = p.c;
            lda = p.ldc;
        }
        for (int b = 0; !s.loss.regression() && b < n; ++b) {
            const float *z = s.work->g[last] + b * ld;
            const int label = s.data.label[index[b]];
            const V one(1.0f), zero(0.0f);
            V bad = zero;
            if (s.loss.kind == LossKind::logistic) {
                bad = select(load(z) > zero, V(label == 1 ? 0.0f : 1.0f), V(label == 0 ? 0.0f : 1.0f));
            } else {
                const V chosen = load(z + label * kLanes);
                for (int j = 0; j < s.n_outputs; ++j) {
                    const V x = load(z + j * kLanes);
                    bad = select(j < label ? x < chosen : x <= chosen, bad, one);
                }
            }
            alignas(64) float t[kLanes];
            store(t, bad);
            for (int i = 0; i < kLanes; ++i) s.error_sum[i] += static_cast<double>(t[i]);
        }
        const bool loss_is_error = s.loss.kind == LossKind::mse || s.loss.kind == LossKind::quantile;
        PackLossArgs args{s.loss,
                          s.n_outputs,
                          n,
                          rows,
                          s.data,
                          index,
                          0,
                          V(0.0f),
                          false,
                          s.work->g[last],
                          ld,
                          s.work->target,
                          s.loss_sum,
                          s.weight_sum,
                          loss_is_error ? s.error_sum : nullptr};
        pack_losses<false>(args);
        if (s.loss.kind != LossKind::huber) continue;
        double unused[kLanes] = {};
        args.loss_sum = unused, args.weight_sum = nullptr, args.plain_sum = s.error_sum;  // the error is the mean squared one
        pack_regression<false, LossKind::mse>(args);
    }
}

}  // namespace hyperband::cpu::HB_ISA
