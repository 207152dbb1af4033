// Losses of rows, in place: outputs become gradients with respect to the outputs.
#pragma once

#include "cpu/simd/blocks.hpp"

namespace hyperband::cpu::HB_ISA {

// The batch whose outputs lie in work->outputs; row b of it is row index[b] of the data (or b itself).
struct LossArgs {
    Loss loss;
    int n_outputs, rows, batch;  // batch: rows that share the mean, of which these are some
    Rows data;
    const uint32_t *index;  // null: rows in order
    float smoothing;
    const Workspace *work;
    HB_FN uint32_t row(int b) const { return index ? index[b] : static_cast<uint32_t>(b); }
    HB_FN float weight(int b) const { return data.weight ? data.weight[row(b)] : 1.0f; }
};

// Sixteen rows at a time, so that their maxima, sums, logarithms and reciprocals are vectors.
template <bool kGradient> void cross_entropy(const LossArgs &a) {
    const int n = a.n_outputs, panels = panels_of(n);
    const size_t ld = static_cast<size_t>(row_stride(n));
    const float inverse_rows = 1.0f / static_cast<float>(a.batch);
    const float smooth = a.smoothing / static_cast<float>(n), target = 1.0f - a.smoothing;
    alignas(64) float block[kPanel * kPanel] = {}, totals[kPanel * kPanel] = {}, chosen[kPanel] = {}, each[kPanel];
    for (int first = 0; first < a.rows; first += kPanel) {
        const int rows = a.rows - first < kPanel ? a.rows - first : kPanel;
        float *const z0 = a.work->outputs + first * ld;
        for (int b = 0; b < rows; ++b) {
            const float *z = z0 + b * ld;
            V top(-3e38f), total(0.0f);
            for (int p = 0; p < panels; ++p) {
                const I inside = below(n - p * kPanel);
                const V x = load(z + p * kPanel);
                top = max_(select(inside, x, V(-3e38f)), top);
                if (smooth > 0.0f) total = total + select(inside, x, V(0.0f));
            }
            store(block + b * kPanel, top);
            if (smooth > 0.0f) store(totals + b * kPanel, total);
            chosen[b] = z[a.data.label[a.row(first + b)]];
        }
        const V top = largest_of_rows(block);
        store(each, top);
        for (int b = 0; b < rows; ++b) {
            float *z = z0 + b * ld;
            V s(0.0f);
            for (int p = 0; p < panels; ++p) {
                const V e = select(below(n - p * kPanel), exp_(load(z + p * kPanel) - V(each[b])), V(0.0f));
                s = s + e;
                if constexpr (kGradient) store(z + p * kPanel, e);
            }
            store(block + b * kPanel, s);
        }
        const V sums = sum_rows(block);
        V part = top - V(target) * load(chosen);
        if (smooth > 0.0f) part = part - V(smooth) * sum_rows(totals);
        store(a.work->row_loss + first, log_(sums) + part);  // the buffer is padded to 16
        if constexpr (kGradient) {
            store(each, V(1.0f) / sums);
            for (int b = 0; b < rows; ++b) {
                float *z = z0 + b * ld;
                const float c = a.weight(first + b) * inverse_rows;
                for (int p = 0; p < panels; ++p) {
                    const V g = (load(z + p * kPanel) * V(each[b]) - V(smooth)) * V(c);
                    store(z + p * kPanel, select(below(n - p * kPanel), g, V(0.0f)));
                }
                const int label = a.data.label[a.row(first + b)];
                z[label] = z[label] - target * c;
            }
        }
    }
}

template <bool kGradient> void logistic(const LossArgs &a) {
    const float inverse_rows = 1.0f / static_cast<float>(a.batch);
    alignas(64) float z[kPanel], t[kPanel], c[kPanel];
    for (int b = 0; b < a.rows; b += kPanel) {
        const int n = a.rows - b < kPanel ? a.rows - b : kPanel;
        for (int i = 0; i < kPanel; ++i) {
            z[i] = i < n ? a.work->outputs[(b + i) * row_stride(1)] : 0.0f;
            t[i] = i < n ? (1.0f - a.smoothing) * static_cast<float>(a.data.label[a.row(b + i)]) + 0.5f * a.smoothing : 0.0f;
            c[i] = i < n ? a.weight(b + i) * inverse_rows : 0.0f;
        }
        const V x = load(z), target = load(t);
        const V positive = select(x < V(0.0f), V(0.0f), x);
        const V rest = log_(V(1.0f) + exp_(-abs_(x)));
        store(a.work->row_loss + b, fma(-target, x, positive) + rest);
        if constexpr (kGradient) {
            store(z, (sigmoid_(x) - target) * load(c));
            for (int i = 0; i < n; ++i) a.work->outputs[(b + i) * row_stride(1)] = z[i];
        }
    }
}

template <bool kGradient, LossKind K> void regression(const LossArgs &a) {
    const Residual<K> residual{a.loss.number};
    const int panels = panels_of(a.n_outputs);
    const size_t ld = static_cast<size_t>(row_stride(a.n_outputs));
    const float inverse_rows = 1.0f / static_cast<float>(a.batch), outputs = static_cast<float>(a.n_outputs);
    for (int b = 0; b < a.rows; ++b) {
        float *z = a.work->outputs + b * ld;
        const float *y = a.data.target + static_cast<size_t>(a.row(b)) * panels * kPanel;
        const V c(Residual<K>::kFactor / outputs * (a.weight(b) * inverse_rows));
        V s(0.0f);
        for (int p = 0; p < panels; ++p) {
            V slope, other;
            residual(load(z + p * kPanel) - load(y + p * kPanel), slope, other);
            s = fma(slope, other, s);
            if constexpr (kGradient) store(z + p * kPanel, slope * c);
        }
        a.work->row_loss[b] = sum(s) / outputs;
    }
}

// Losses of the rows into work->row_loss; with kGradient the outputs become gradients of the weighted mean.
template <bool kGradient> void row_losses(const LossArgs &a) {
    switch (a.loss.kind) {
        case LossKind::cross_entropy: cross_entropy<kGradient>(a); break;
        case LossKind::logistic: logistic<kGradient>(a); break;
        case LossKind::mse: regression<kGradient, LossKind::mse>(a); break;
        case LossKind::huber: regression<kGradient, LossKind::huber>(a); break;
        case LossKind::quantile: regression<kGradient, LossKind::quantile>(a); break;
    }
}

HB_FN bool wrong(const EvaluateArgs &j, int b) {
    const float *z = j.work->outputs + static_cast<size_t>(b) * row_stride(j.n_outputs);
    const int label = j.data.label[b];
    if (j.loss.kind == LossKind::logistic) return !(z[0] > 0.0f ? label == 1 : label == 0);
    for (int i = 0; i < j.n_outputs; ++i)  // the first largest must be the label
        if (i < label ? !(z[i] < z[label]) : !(z[i] <= z[label])) return true;
    return false;
}

inline void evaluate(EvaluateArgs &j) {
    const LossArgs args{j.loss, j.n_outputs, j.rows, j.rows, j.data, nullptr, 0.0f, j.work};
    const bool loss_is_error = j.loss.kind == LossKind::mse || j.loss.kind == LossKind::quantile;
    if (!j.loss.regression())
        for (int b = 0; b < j.rows; ++b) j.error_sum += wrong(j, b) ? 1.0 : 0.0;
    if (j.loss.kind == LossKind::huber) {  // the error is the mean squared one
        regression<false, LossKind::mse>(args);
        for (int b = 0; b < j.rows; ++b) j.error_sum += static_cast<double>(j.work->row_loss[b]);
    }
    row_losses<false>(args);
    for (int b = 0; b < j.rows; ++b) {
        const double w = j.data.weight ? static_cast<double>(j.data.weight[b]) : 1.0;
        const double loss = static_cast<double>(j.work->row_loss[b]);
        j.loss_sum += w * loss;
        j.weight_sum += w;
        if (loss_is_error) j.error_sum += loss;
    }
}

}  // namespace hyperband::cpu::HB_ISA
