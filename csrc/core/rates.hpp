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

constexpr double kLn2 = 0.6931471805599453;

// log(x / 2^e) for x > 0, by a series; e is such that x / 2^e is in [sqrt(1/2), sqrt(2)), so that powers of 2 give exactly 0.
HB_FN double log_fraction(double x, int &e) {
    double m = std::frexp(x, &e);  // exact
    if (m < 0.7071067811865476) m *= 2.0, --e;
    const double s = (m - 1.0) / (m + 1.0), q = s * s;
    double series = 0.0;
    for (int k = 25; k > 0; k -= 2) series = 1.0 / k + q * series;
    return 2.0 * s * series;
}

// f^p for f in (0, 1], p in [0, 1], by log and exp series.
HB_FN double fraction_power(double f, double p) {
    int e = 0;
    const double rest = log_fraction(f, e), x = p * (rest + e * kLn2);
    const double n = std::floor(x / kLn2 + 0.5), r = x - n * kLn2;
    double y = 1.0;
    for (int k = 16; k > 0; --k) y = 1.0 + r / k * y;
    return std::ldexp(y, static_cast<int>(n));
}

// (1 - cos(2 pi log2(1 + 15 p))) / 2 for p in [0, 1]: four waves between 0 and 1, each twice as long as the one before it.
HB_FN double coslog4(double p) {
    int e = 0;
    const double rest = log_fraction(1.0 + 15.0 * p, e) / kLn2, x = 2.0 * (rest < 0.0 ? rest + 1.0 : rest);
    return (1.0 - cos_pi(x > 1.0 ? 2.0 - x : x)) * 0.5;
}

// (1 + cos(pi (max(1, 2 p) - 1))) / 2 for p in [0, 1]: 1 in the first half, then half a wave down to 0.
HB_FN double flat_cos(double p) { return (1.0 + cos_pi(p > 0.5 ? 2.0 * p - 1.0 : 0.0)) * 0.5; }

// Steps of the warm-up, and the time of the schedules at a step (0-based) of `total`: 0 until its end, 1 at the end of all.
HB_FN int64_t warmup_steps(const Architecture &a, int64_t total) {
    return static_cast<int64_t>(std::floor(a.warmup * static_cast<double>(total)));
}
HB_FN double schedule_progress(const Architecture &a, int64_t step, int64_t total) {
    const int64_t warm = warmup_steps(a, total), rest = total - warm > 1 ? total - warm : 1;
    if (step < warm) return 0.0;
    return step - warm < rest ? static_cast<double>(step - warm) / static_cast<double>(rest) : 1.0;
}

// Learning rate of optimiser step `step` (0-based) of `total`.
HB_FN double learning_rate(const Architecture &a, int64_t step, int64_t total) {
    const int64_t warm = warmup_steps(a, total);
    if (step < warm) return a.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warm);
    const double p = schedule_progress(a, step, total);
    if (a.schedule == Schedule::cosine)
        return a.learning_rate * (a.final_rate + (1.0 - a.final_rate) * (1.0 + cos_pi(p)) * 0.5);
    if (a.schedule == Schedule::exponential) return a.learning_rate * fraction_power(a.final_rate, p);
    if (a.schedule == Schedule::coslog4) return a.learning_rate * coslog4(p);
    if (a.schedule == Schedule::flat_cos) return a.learning_rate * flat_cos(p);
    return a.learning_rate;
}

// Dropout and weight decay of that step.
HB_FN double scheduled(double value, FactorSchedule s, const Architecture &a, int64_t step, int64_t total) {
    return s == FactorSchedule::flat_cos ? value * flat_cos(schedule_progress(a, step, total)) : value;
}
HB_FN double dropout_at(const Architecture &a, int64_t step, int64_t total) {
    return scheduled(a.dropout, a.dropout_schedule, a, step, total);
}
HB_FN double weight_decay_at(const Architecture &a, int64_t step, int64_t total) {
    return scheduled(a.weight_decay, a.decay_schedule, a, step, total);
}

HB_FN Update update_at(const Architecture &a, int64_t step, int64_t total) {
    const double rate = learning_rate(a, step, total), first_rate = rate * rate_factor(a, Group::first_weights);
    const double weight_decay = weight_decay_at(a, step, total);
    const bool adam = a.optimizer == Optimizer::adam || a.optimizer == Optimizer::adamw;
    const bool decoupled = a.optimizer == Optimizer::adamw;
    Update u{};
    u.shrink = decoupled ? static_cast<float>(1.0 - rate * weight_decay) : 1.0f;
    u.first_shrink = decoupled ? static_cast<float>(1.0 - first_rate * weight_decay) : 1.0f;
    u.decay = decoupled ? 0.0f : static_cast<float>(weight_decay);
    u.root_scale = adam ? static_cast<float>(1.0 / std::sqrt(1.0 - power(a.beta2, step + 1))) : 1.0f;
    const double correction = adam ? 1.0 - power(a.beta1, step + 1) : 1.0;
    u.rate = static_cast<float>(rate / correction);
    u.first_rate = static_cast<float>(first_rate / correction);
    u.bias_rate = static_cast<float>(rate * rate_factor(a, Group::biases) / correction);
    if (a.parametric_activation) u.alpha_rate = static_cast<float>(rate * rate_factor(a, Group::alpha) / correction);
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

// Share of the newest parameters in their moving average, after optimiser step `step` (0-based): the average is the mean over
// all steps with weights d^age.
HB_FN float average_share(const Architecture &a, int64_t step) {
    return static_cast<float>((1.0 - a.weight_average) / (1.0 - power(a.weight_average, step + 1)));
}

// Initial weights of layer l of n_layers are uniform in [-bound, bound).
HB_FN float initial_bound(const Architecture &a, int l, int n_layers, int n_in, int n_out) {
    Init init = a.init;
    const bool last = l + 1 == n_layers;
    if (last && a.zero_output) return 0.0f;
    if (init == Init::automatic) {
        switch (a.activation) {
            case Activation::relu:
            case Activation::leaky_relu:
            case Activation::gelu:
            case Activation::silu:
            case Activation::mish: init = Init::he; break;
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
