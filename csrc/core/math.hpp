// The only copy of the scalar arithmetic: activations, row losses, optimiser updates.
//
// Everything is a template over a number type F: float (CUDA, one number a thread) or a vector of 16 floats. F offers + - * /,
// comparisons, and these functions, found by argument-dependent lookup:
//   fma(a, b, c), rounded once; select(mask, a, b); min_(a, b) = a < b ? a : b; max_(a, b) = a > b ? a : b;
//   bits(F) -> integer lanes I; from_bits(I) -> F; to_float(I) -> F; ints(F, c) -> I, the constant c in as many lanes as F has;
//   shift_left<n>(I), shift_right<n>(I) (logical), shift_right_signed<n>(I); I + I, I - I, I & I, I | I.
// No operation here depends on the instruction set, so every device gives the same bits. Errors are within 3 ulp of the
// exact value unless noted. NaN gives NaN.
#pragma once

#include "core/architecture.hpp"
#include "core/scalar.hpp"

namespace hyperband {

template <class F> HB_FN F abs_(F x) { return from_bits(bits(x) & ints(x, 0x7fffffff)); }
template <class F> HB_FN F copysign_(F magnitude, F sign) {
    return from_bits((bits(magnitude) & ints(sign, 0x7fffffff)) | (bits(sign) & ints(sign, int(0x80000000))));
}

// sqrt(x) for x = 0 or 1e-37 < x < 1e37: a guess of its reciprocal from the bits (error 3 %), a quadratic correction, and
// Newton's step for the root. Divisions are IEEE's, which the divider does beside the multiplications; roots as well would
// keep it busy for longer than all the rest.
template <class F> HB_FN F sqrt_(F x) {
    F y = from_bits(ints(x, 0x5f3759df) - shift_right<1>(bits(x)));
    F c = x * y * y;  // in [0.932, 1.069]
    F p = fma(c, F(0x1.808a30p-3f), F(-0x1.408ce8p-1f));
    y = y * fma(p, c, F(0x1.e06a60p-1f));  // 1 / (2 sqrt(x)), error 3e-5
    F root = (x + x) * y;
    return fma(fma(-root, root, x), y, root);
}

// exp(r) - 1 for |r| <= log(2) / 2.
template <class F> HB_FN F expm1_small(F r) {
    F p = fma(r, F(0x1.6a2352p-10f), F(0x1.123a6cp-7f));
    p = fma(p, r, F(0x1.5558f4p-5f));
    p = fma(p, r, F(0x1.555490p-3f));
    p = fma(p, r, F(0x1.fffffcp-2f));
    return fma(p * r, r, r);
}
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer n and keeps n in the last bits
template <class F> HB_FN F power_of_2(F rounded) {  // 2^n from n + kRounder
    return from_bits(shift_left<23>(bits(rounded) - bits(F(kRounder)) + ints(rounded, 127)));
}

// exp(x) - 1 for x <= 0, x limited to -60.
template <class F> HB_FN F expm1_negative(F x) {
    x = max_(F(-60.0f), x);
    F t = fma(x, F(1.44269504f), F(kRounder));
    F n = t - F(kRounder);
    F r = fma(n, F(-0.693359375f), x);
    r = fma(n, F(2.12194440e-4f), r);
    F scale = power_of_2(t);
    return fma(scale, expm1_small(r), scale - F(1.0f));
}

// exp(x), with x limited to [-60, 60]: below, the result is exp(-60) = 9e-27, so that no subnormal number arises.
template <class F> HB_FN F exp_(F x) {
    x = min_(F(60.0f), max_(F(-60.0f), x));
    F t = fma(x, F(1.44269504f), F(kRounder));
    F n = t - F(kRounder);
    F r = fma(n, F(-0.693359375f), x);
    r = fma(n, F(2.12194440e-4f), r);
    return (expm1_small(r) + F(1.0f)) * power_of_2(t);
}

// log(x) for normal x > 0; errors within 3 ulp.
template <class F> HB_FN F log_(F x) {
    auto e = shift_right_signed<23>(bits(x) - ints(x, 0x3f3504f3));  // x = m 2^e with m in [sqrt(1/2), sqrt(2))
    F f = from_bits(bits(x) - shift_left<23>(e)) - F(1.0f);
    F p = fma(f, F(0x1.645eacp-4f), F(-0x1.2432b8p-3f));
    p = fma(p, f, F(0x1.317458p-3f));
    p = fma(p, f, F(-0x1.53824ap-3f));
    p = fma(p, f, F(0x1.98d7f2p-3f));
    p = fma(p, f, F(-0x1.000382p-2f));
    p = fma(p, f, F(0x1.5556d8p-2f));
    F f2 = f * f;
    F r = fma(p * f, f2, fma(f2, F(-0.5f), f));
    r = fma(to_float(e), F(0.693147182f), r);
    return select(x > F(0.0f), r, x);
}

// u minus the nearest whole number, for a number u of turns; beyond 2^22 turns 0 or 1/2.
template <class F> HB_FN F part_of_turn(F u) {
    u = min_(F(4194304.0f), max_(F(-4194304.0f), u));
    return u - ((u + F(kRounder)) - F(kRounder));
}
// sin(2 pi t) for |t| <= 1/4; absolute error below 2e-7.
template <class F> HB_FN F sin_quarter(F t) {
    F q = t * t;
    F p = fma(q, F(0x1.3c4b2cp+5f), F(-0x1.3232fap+6f));
    p = fma(p, q, F(0x1.46676ep+6f));
    p = fma(p, q, F(-0x1.4abbb6p+5f));
    return t * fma(p, q, F(0x1.921fb4p+2f));
}
// cos(2 pi u), and sin(2 pi u) with it.
template <class F> HB_FN F cos_turns(F u) { return sin_quarter(F(0.25f) - abs_(part_of_turn(u))); }
template <class F> HB_FN void sincos_turns(F u, F &sine, F &cosine) {
    const F r = part_of_turn(u), a = abs_(r);
    cosine = sin_quarter(F(0.25f) - a);
    sine = copysign_(sin_quarter(min_(a, F(0.5f) - a)), r);
}
constexpr float kTwoPi = 6.28318531f, kTurnsOfRadian = 0.159154943f;

template <class F> HB_FN F sigmoid_(F x) { return F(1.0f) / (F(1.0f) + exp_(-x)); }

// tanh(x) = e / (e + 2) with e = exp(2 |x|) - 1; beyond |x| = 10 it is 1.
template <class F> HB_FN F tanh_(F x) {
    F a = min_(F(10.0f), abs_(x));
    F t = fma(a, F(2.88539008f), F(kRounder));
    F r = fma(t - F(kRounder), F(-0.693147182f), a + a);  // n < 30: one constant is exact enough
    F scale = power_of_2(t);
    F e = fma(scale, expm1_small(r), scale - F(1.0f));
    return copysign_(e / (e + F(2.0f)), x);
}

// Phi(z), the normal distribution, and its density; absolute error of Phi below 1.5e-7.
// Phi(-t) = exp(-t^2 / 2) s P(s), s = 1 / (1 + 0.28 t): the form of Abramowitz & Stegun 7.1.26, refitted.
template <class F> HB_FN void normal_(F z, F &cdf, F &density) {
    F t = abs_(z);
    F e = exp_(z * z * F(-0.5f));
    F s = F(1.0f) / fma(min_(F(1e4f), t), F(0.28f), F(1.0f));
    F p = fma(s, F(-0x1.b16482p-4f), F(0x1.8f3baap-2f));
    p = fma(p, s, F(-0x1.e55e8cp-3f));
    p = fma(p, s, F(0x1.135ddep-2f));
    p = fma(p, s, F(0x1.147664p-4f));
    p = fma(p, s, F(0x1.dd4510p-4f));
    F tail = e * s * p;
    cdf = select(z < F(0.0f), tail, F(1.0f) - tail);
    density = e * F(0.398942280f);
}

// Activation and its derivative at z.
template <Activation A, class F> HB_FN void activate(F z, F &h, F &d) {
    const F one = F(1.0f), zero = F(0.0f);
    if constexpr (A == Activation::identity) {
        h = z;
        d = one;
    } else if constexpr (A == Activation::relu) {
        h = max_(zero, z);
        d = select(z > zero, one, zero);
    } else if constexpr (A == Activation::leaky_relu) {
        h = select(z > zero, z, z * F(0.01f));
        d = select(z > zero, one, F(0.01f));
    } else if constexpr (A == Activation::gelu) {
        F cdf, density;
        normal_(z, cdf, density);
        h = z * cdf;
        d = fma(z, density, cdf);
    } else if constexpr (A == Activation::silu) {
        F s = sigmoid_(z);
        h = z * s;
        d = fma(h, one - s, s);
    } else if constexpr (A == Activation::tanh) {
        h = tanh_(z);
        d = fma(-h, h, one);
    } else if constexpr (A == Activation::sigmoid) {
        h = sigmoid_(z);
        d = fma(-h, h, h);
    } else if constexpr (A == Activation::selu) {
        const F scale = F(1.05070098f), slope = F(1.75809934f);  // lambda, and lambda alpha
        F e = slope * expm1_negative(min_(zero, z));
        h = select(z > zero, scale * z, e);
        d = select(z > zero, scale, e + slope);
    } else if constexpr (A == Activation::mish) {
        // tanh(log(1 + e)) = q / (q + 2) with q = e (e + 2), e = exp(z). From 20 on it is 1; below -60, h is that of -60.
        F x = max_(F(-60.0f), z), most = min_(F(20.0f), x);
        F e = exp_(most), q = e * (e + F(2.0f)), r = one / (q + F(2.0f)), t = q * r;
        h = x * t;
        d = fma(most, F(4.0f) * (e * (e + one)) * r * r, t);
    } else {
        h = select(z > zero, one, select(z <= zero, zero, z));
        d = select(abs_(z) <= one, one, zero);
    }
}

template <Activation A> struct ActivationTag {
    static constexpr Activation value = A;
};
// Calls visit(tag) with the activation as a constant, for loops that are compiled for each.
template <class Visit> HB_FN void by_activation(Activation a, const Visit &visit) {
    switch (a) {
        case Activation::identity: return visit(ActivationTag<Activation::identity>{});
        case Activation::relu: return visit(ActivationTag<Activation::relu>{});
        case Activation::leaky_relu: return visit(ActivationTag<Activation::leaky_relu>{});
        case Activation::gelu: return visit(ActivationTag<Activation::gelu>{});
        case Activation::silu: return visit(ActivationTag<Activation::silu>{});
        case Activation::tanh: return visit(ActivationTag<Activation::tanh>{});
        case Activation::sigmoid: return visit(ActivationTag<Activation::sigmoid>{});
        case Activation::step: return visit(ActivationTag<Activation::step>{});
        case Activation::selu: return visit(ActivationTag<Activation::selu>{});
        case Activation::mish: return visit(ActivationTag<Activation::mish>{});
    }
}

// A regression's loss, from e = output - target: the mean of slope * other over the outputs of a row. Its gradient is
// kFactor * slope, over the number of outputs. NaN stays NaN.
template <LossKind K> struct Residual {
    static constexpr float kFactor = K == LossKind::mse ? 2.0f : 1.0f;
    float number;
    template <class F> HB_FN void operator()(F e, F &slope, F &other) const {
        static_assert(K == LossKind::mse || K == LossKind::huber || K == LossKind::quantile);
        if constexpr (K == LossKind::mse) {
            slope = other = e;
        } else if constexpr (K == LossKind::huber) {  // number: delta
            slope = min_(F(number), max_(F(-number), e));
            other = fma(F(-0.5f), slope, e);
        } else {  // number: the level; at 0 the slope is 0
            slope = select(e > F(0.0f), F(1.0f - number), select(e < F(0.0f), F(-number), e));
            other = e;
        }
    }
};

// The activation h of z and its derivative d become those of z + alpha (h - z); returns the derivative by alpha.
template <class F> HB_FN F weigh_activation(F z, F alpha, F &h, F &d) {
    const F difference = h - z;
    h = fma(alpha, difference, z);
    d = fma(alpha, d - F(1.0f), F(1.0f));
    return difference;
}

// The derivative of a hidden layer in the backward pass: 1, the sign of its output, or stored in the forward pass.
enum class Slope { one, sign, stored };

HB_FN Slope slope_of(const Architecture &a) {
    if (a.dropout > 0.0 || a.parametric_activation) return Slope::stored;
    return a.activation == Activation::identity ? Slope::one : a.activation == Activation::relu ? Slope::sign : Slope::stored;
}

// What one optimiser step needs besides the gradient, rounded to float32. F: a number, or a vector with one member in each
// lane.
template <class F> struct UpdateOf {
    F rate;  // of the schedule; for adam divided by the bias correction of m
    F root_scale;  // adam: 1 / sqrt(1 - beta2^t)
    F beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon;
    F momentum;
    F decay;  // weight decay added to the gradient (0 for adamw)
    F shrink;  // factor of the weight before the update (adamw), else 1
    F clip;  // factor of the gradient, 1 when it is not clipped
    F first_rate, first_shrink;  // of the first layer's weights
    F bias_rate, scale_rate, embedding_rate, alpha_rate;  // of what does not decay

    // Of a group of parameters; the fields as they are hold for the weights of later layers.
    HB_FN UpdateOf of(Group g) const {
        UpdateOf u = *this;
        switch (g) {
            case Group::weights: break;
            case Group::first_weights: u.rate = first_rate, u.shrink = first_shrink; break;
            case Group::biases: return without_decay(bias_rate);
            case Group::alpha: return without_decay(alpha_rate);
            case Group::scale: return without_decay(scale_rate);
            case Group::embedding: return without_decay(embedding_rate);
        }
        return u;
    }
    HB_FN UpdateOf without_decay(F own_rate) const {
        UpdateOf u = *this;
        u.rate = own_rate, u.shrink = F(1.0f), u.decay = F(0.0f);
        return u;
    }
};
using Update = UpdateOf<float>;

// A moving average after the step that gave w; share: see average_share().
template <class F> HB_FN F averaged(F average, F w, F share) { return fma(share, w - average, average); }

// Moments below 1e-30 become 0, so that the state holds no subnormal number.
template <class F> HB_FN F flush_(F x) { return select(abs_(x) < F(1e-30f), F(0.0f), x); }
template <class F> HB_FN F flush_positive_(F x) { return select(x < F(1e-30f), F(0.0f), x); }

enum class Rule : int { sgd, momentum, nesterov, adam, rmsprop, rmsprop_momentum };

HB_FN Rule rule_of(const Architecture &a) {
    if (a.optimizer == Optimizer::sgd) return a.momentum > 0.0 ? (a.nesterov ? Rule::nesterov : Rule::momentum) : Rule::sgd;
    if (a.optimizer == Optimizer::rmsprop) return a.momentum > 0.0 ? Rule::rmsprop_momentum : Rule::rmsprop;
    return Rule::adam;
}
// Whether there is neither clipping nor weight decay.
HB_FN bool is_plain(const Architecture &a) { return !(a.clip_norm > 0.0) && !(a.weight_decay > 0.0); }
template <Rule R> constexpr bool uses_m = R != Rule::sgd && R != Rule::rmsprop;
template <Rule R> constexpr bool uses_v = R == Rule::adam || R == Rule::rmsprop || R == Rule::rmsprop_momentum;

// Updates one number. `decay` times the weight is added to the gradient; `shrink` multiplies the weight (0 and 1 for biases).
// kPlain leaves both and the clipping out, for when they are 0, 1 and 1.
template <Rule R, bool kPlain, class F, class N>
HB_FN void update_(F &w, F &m, F &v, F g, const UpdateOf<N> &u, F decay, F shrink) {
    if constexpr (!kPlain) g = fma(decay, w, g * F(u.clip));
    if constexpr (R == Rule::sgd) {
        w = fma(F(-u.rate), g, w);
    } else if constexpr (R == Rule::momentum || R == Rule::nesterov) {
        m = flush_(fma(F(u.momentum), m, g));
        F step = R == Rule::nesterov ? fma(F(u.momentum), m, g) : m;
        w = fma(F(-u.rate), step, w);
    } else {
        v = flush_positive_(fma(F(u.beta2), v, F(u.one_minus_beta2) * g * g));
        F root = sqrt_(v);
        if constexpr (R == Rule::adam) {
            m = flush_(fma(F(u.beta1), m, F(u.one_minus_beta1) * g));
            F step = m / fma(root, F(u.root_scale), F(u.epsilon));
            w = fma(F(-u.rate), step, kPlain ? w : w * shrink);
        } else {
            F step = g / (root + F(u.epsilon));
            if constexpr (R == Rule::rmsprop_momentum) {
                m = flush_(fma(F(u.momentum), m, step));
                step = m;
            }
            w = fma(F(-u.rate), step, w);
        }
    }
}

}  // namespace hyperband
