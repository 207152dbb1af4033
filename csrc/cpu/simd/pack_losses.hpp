// Losses of rows of sixteen members side by side: what losses.hpp does along a row is done here lane by lane, in its order.
#pragma once

#include "cpu/simd/lanes.hpp"

namespace hyperband::cpu::HB_ISA {

struct PackLossArgs {
    Loss loss;
    int n_outputs, rows, batch;
    Rows data;
    const uint32_t *index;  // of row b in lane i: index[i * index_stride + b]
    size_t index_stride;
    V smoothing;  // by lane
    bool smooth;  // some lane's is not 0
    float *z;     // (rows, n_outputs, lanes), rows ld floats apart: outputs, which become gradients
    size_t ld;
    const float *target;  // (rows, n_outputs, lanes), rows ld floats apart, of a regression
    // By lane, added to; null: not wanted. plain_sum: of the losses without weights.
    double *loss_sum, *weight_sum, *plain_sum;

    HB_FN uint32_t row(int b, int lane) const { return index[static_cast<size_t>(lane) * index_stride + b]; }
    HB_FN V labels(int b) const {
        alignas(64) float t[kLanes];
        for (int i = 0; i < kLanes; ++i) t[i] = static_cast<float>(data.label[row(b, i)]);
        return load(t);
    }
    HB_FN V weights(int b) const {
        if (!data.weight) return V(1.0f);
        alignas(64) float t[kLanes];
        for (int i = 0; i < kLanes; ++i) t[i] = data.weight[row(b, i)];
        return load(t);
    }
    HB_FN void add(V losses, V of_rows) const {
        alignas(64) float l[kLanes], w[kLanes];
        store(l, losses);
        store(w, of_rows);
        for (int i = 0; i < kLanes; ++i) loss_sum[i] += static_cast<double>(w[i]) * static_cast<double>(l[i]);
        for (int i = 0; weight_sum && i < kLanes; ++i) weight_sum[i] += static_cast<double>(w[i]);
        for (int i = 0; plain_sum && i < kLanes; ++i) plain_sum[i] += static_cast<double>(l[i]);
    }
};

template <bool kGradient> void pack_cross_entropy(const PackLossArgs &a) {
    const int n = a.n_outputs;
    const V inverse_rows(1.0f / static_cast<float>(a.batch));
    const V smooth = a.smoothing / V(static_cast<float>(n)), target = V(1.0f) - a.smoothing;
    for (int b = 0; b < a.rows; ++b) {
        float *z = a.z + b * a.ld;
        const V label = a.labels(b), weight = a.weights(b);
        V s[kLanes], chosen(0.0f);
        for (int i = 0; i < kLanes; ++i) s[i] = V(-3e38f);
        for (int j = 0; j < n; j += kLanes)
            for (int i = 0; i < kLanes && j + i < n; ++i) {
                const V x = load(z + (j + i) * kLanes);
                s[i] = max_(x, s[i]);
                chosen = select(label == V(static_cast<float>(j + i)), x, chosen);
            }
        const V top = fold_positions(s, [](V x, V y) { return max_(x, y); });
        V total(0.0f);
        if (a.smooth) {
            for (int i = 0; i < kLanes; ++i) s[i] = V(0.0f);
            for (int j = 0; j < n; j += kLanes)
                for (int i = 0; i < kLanes && j + i < n; ++i) s[i] = s[i] + load(z + (j + i) * kLanes);
            total = sum_positions(s);
        }
        for (int i = 0; i < kLanes; ++i) s[i] = V(0.0f);
        for (int j = 0; j < n; j += kLanes)
            for (int i = 0; i < kLanes && j + i < n; ++i) {
                const V e = exp_(load(z + (j + i) * kLanes) - top);
                s[i] = s[i] + e;
                if constexpr (kGradient) store(z + (j + i) * kLanes, e);
            }
        const V sums = sum_positions(s);
        V part = top - target * chosen;
        part = select(smooth > V(0.0f), part - smooth * total, part);
        a.add(log_(sums) + part, weight);
        if constexpr (kGradient) {
            const V inverse = V(1.0f) / sums, c = weight * inverse_rows, less = target * c;
            for (int j = 0; j < n; ++j) {
                const V g = (load(z + j * kLanes) * inverse - smooth) * c;
                store(z + j * kLanes, select(label == V(static_cast<float>(j)), g - less, g));
            }
        }
    }
}

template <bool kGradient> void pack_logistic(const PackLossArgs &a) {
    const V inverse_rows(1.0f / static_cast<float>(a.batch));
    for (int b = 0; b < a.rows; ++b) {
        float *z = a.z + b * a.ld;
        const V weight = a.weights(b), x = load(z);
        const V target = (V(1.0f) - a.smoothing) * a.labels(b) + V(0.5f) * a.smoothing;
        const V positive = select(x < V(0.0f), V(0.0f), x);
        const V rest = log_(V(1.0f) + exp_(-abs_(x)));
        a.add(fma(-target, x, positive) + rest, weight);
        if constexpr (kGradient) store(z, (sigmoid_(x) - target) * (weight * inverse_rows));
    }
}

template <bool kGradient, LossKind K> void pack_regression(const PackLossArgs &a) {
    const Residual<K> residual{a.loss.number};
    const V inverse_rows(1.0f / static_cast<float>(a.batch)), outputs(static_cast<float>(a.n_outputs));
    for (int b = 0; b < a.rows; ++b) {
        float *z = a.z + b * a.ld;
        const float *y = a.target + b * a.ld;
        const V weight = a.weights(b), c = V(Residual<K>::kFactor / static_cast<float>(a.n_outputs)) * (weight * inverse_rows);
        V s[kLanes];
        for (int i = 0; i < kLanes; ++i) s[i] = V(0.0f);
        for (int j = 0; j < a.n_outputs; j += kLanes)
            for (int i = 0; i < kLanes && j + i < a.n_outputs; ++i) {
                V slope, other;
                residual(load(z + (j + i) * kLanes) - load(y + (j + i) * kLanes), slope, other);
                s[i] = fma(slope, other, s[i]);
                if constexpr (kGradient) store(z + (j + i) * kLanes, slope * c);
            }
        a.add(sum_positions(s) / outputs, weight);
    }
}

template <bool kGradient> void pack_losses(const PackLossArgs &a) {
    switch (a.loss.kind) {
        case LossKind::cross_entropy: pack_cross_entropy<kGradient>(a); break;
        case LossKind::logistic: pack_logistic<kGradient>(a); break;
        case LossKind::mse: pack_regression<kGradient, LossKind::mse>(a); break;
        case LossKind::huber: pack_regression<kGradient, LossKind::huber>(a); break;
        case LossKind::quantile: pack_regression<kGradient, LossKind::quantile>(a); break;
    }
}

}  // namespace hyperband::cpu::HB_ISA
