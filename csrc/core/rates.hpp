// Learning rates and bias corrections in double, from + - * / and exact scaling only: the same bits on every platform.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/architecture.hpp"
#include "core/math.hpp"

namespace hyperband {

HB_FN double power(double base, int64_t exponent) {
    double r = 1.0;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1) r *= base;
    return r;
}

// cos(pi p) for p in [0, 1]: Taylor's series on [0, pi / 2], mirrored.
HB_FN double cos_pi(double p) {
    const bool mirrored = p > 0.5;
    const double x = 3.141592653589793 * (mirrored ? 1.0 - p : p), q = x * x;
    double r = 1.0;
    for (int k = 22; k > 0; k -= 2) r = 1.0 - q / (k * (k - 1)) * r;
    return mirrored ? -r : r;
}

// f^p for f in (0, 1], p in [0, 1], by log and exp series.
HB_FN double fraction_power(double f, double p) {
    int e = 0;
    double m = std::frexp(f, &e);  // exact
    if (m < 0.7071067811865476) m *= 2.0, --e;
    const double s = (m - 1.0) / (m + 1.0), q = s * s;
    double series = 0.0;
    for (int k = 25; k > 0; k -= 2) series = 1.0 / k + q * series;
    constexpr double kLn2 = 0.6931471805599453;
    const double x = p * (2.0 * s * series + e * kLn2);
    const double n = std::floor(x / kLn2 + 0.5), r = x - n * kLn2;
    double y = 1.0;
    for (int k = 16; k > 0; --k) y = 1.0 + r / k * y;
    return std::ldexp(y, static_cast<int>(n));
}

// Learning rate of optimiser step `step` (0-based) of `total`.
HB_FN double learning_rate(const Architecture &a, int64_t step, int64_t total) {
    const auto warm = static_cast<int64_t>(std::floor(a.warmup * static_cast<double>(total)));
    if (step < warm) return a.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warm);
    const int64_t rest = total - warm > 1 ? total - warm : 1;
    const double p = step - warm < rest ? static_cast<double>(step - warm) / static_cast<double>(rest) : 1.0;
    if (a.schedule == Schedule::cosine)
        return a.learning_rate * (a.final_rate + (1.0 - a.final_rate) * (1.0 + cos_pi(p)) * 0.5);
    if (a.schedule == Schedule::exponential) return a.learning_rate * fraction_power(a.final_rate, p);
    return a.learning_rate;
}

HB_FN Update update_at(const Architecture &a, int64_t step, int64_t total) {
    const double rate = learning_rate(a, step, total), first_rate = rate * rate_factor(a, Group::first_weights);
    const bool adam = a.optimizer == Optimizer::adam || a.optimizer == Optimizer::adamw;
    const bool decoupled = a.optimizer == Optimizer::adamw;
    Update u{};
    u.shrink = decoupled ? static_cast<float>(1.0 - rate * a.weight_decay) : 1.0f;
    u.first_shrink = decoupled ? static_cast<float>(1.0 - first_rate * a.weight_decay) : 1.0f;
    u.decay = decoupled ? 0.0f : static_cast<float>(a.weight_decay);
    u.root_scale = adam ? static_cast<float>(1.0 / std::sqrt(1.0 - power(a.beta2, step + 1))) : 1.0f;
    const double correction = adam ? 1.0 - power(a.beta1, step + 1) : 1.0;
    u.rate = static_cast<float>(rate / correction);
    u.first_rate = static_cast<float>(first_rate / correction);
    u.bias_rate = static_cast<float>(rate * rate_factor(a, Group::biases) / correction);
    if (a.input_scaling) u.scale_rate = static_cast<float>(rate * rate_factor(a, Group::scale) / correction);
    if (a.number_embedding != NumberEmbedding::none)
        u.embedding_rate = static_cast<float>(rate * rate_factor(a, Group::embedding) / correction);
    u.beta1 = static_cast<float>(a.beta1);
    u.one_minus_beta1 = static_cast<float>(1.0 - a.beta1);
    u.beta2 = static_cast<float>(a.beta2);
    u.one_minus_beta2 = static_cast<float>(1.0 - a.beta2);
    u.epsilon = static_cast<float>(a.epsilon > 1e-30 ? a.epsilon : 1e-30);
    u.momentum = static_cast<float>(a.momentum);
    u.clip = 1.0f;
    return u;
}

// Initial weights of layer l of n_layers are uniform in [-bound, bound).
HB_FN float initial_bound(const Architecture &a, int l, int n_layers, int n_in, int n_out) {
    Init init = a.init;
    const bool last = l + 1 == n_layers;
    if (init == Init::automatic) {
        switch (a.activation) {
            case Activation::relu:
            case Activation::leaky_relu:
            case Activation::gelu:
            case Activation::silu: init = Init::he; break;
            case Activation::tanh:
            case Activation::sigmoid: init = Init::glorot; break;
            default: init = Init::lecun;
        }
        if (last) init = Init::lecun;
    }
    const double in = n_in, out = n_out;
    if (init == Init::he) {
        const bool leaky = !last && a.activation == Activation::leaky_relu;
        return static_cast<float>(std::sqrt(6.0 / (leaky ? 1.0001 * in : in)));
    }
    return static_cast<float>(std::sqrt(init == Init::glorot ? 6.0 / (in + out) : 3.0 / in));
}

}  // namespace hyperband
