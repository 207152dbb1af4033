// Gradients of weights and biases: a thread sums its tiles in registers, then applies the optimiser to them at once or adds
// them to the gradient's arena, for clipping and for batches in parts.
#pragma once

#include "core/rates.hpp"
#include "cuda/block/layers.hpp"
#include "cuda/block/losses.hpp"

namespace hyperband::cuda {

// Where a group's rate is among the constants of a step.
HB_BLOCK int rate_word(Group group) {
    switch (group) {
        case Group::weights: return 0;
        case Group::first_weights: return 11;
        case Group::biases: return 13;
        case Group::scale: return 14;
        case Group::embedding: return 15;
        case Group::alpha: return 16;
    }
    return 0;
}

// The constants of a step, in shared memory; as those of a group of parameters.
template <class Shared> HB_BLOCK Update load_update(Shared words, Group group) {
    const bool first = group == Group::first_weights, decays = first || group == Group::weights;
    Update u{};
    u.rate = words.load(rate_word(group)), u.root_scale = words.load(1);
    u.beta1 = words.load(2), u.one_minus_beta1 = words.load(3), u.beta2 = words.load(4), u.one_minus_beta2 = words.load(5);
    u.epsilon = words.load(6), u.momentum = words.load(7);
    u.decay = decays ? words.load(8) : 0.0f, u.shrink = decays ? words.load(first ? 12 : 9) : 1.0f;
    u.clip = words.load(10);
    return u;
}
template <class Shared> HB_BLOCK void store_update(Shared words, const Update &u) {
    words.store(0, u.rate), words.store(1, u.root_scale);
    words.store(2, u.beta1), words.store(3, u.one_minus_beta1), words.store(4, u.beta2), words.store(5, u.one_minus_beta2);
    words.store(6, u.epsilon), words.store(7, u.momentum), words.store(8, u.decay), words.store(9, u.shrink);
    words.store(10, u.clip), words.store(11, u.first_rate), words.store(12, u.first_shrink), words.store(13, u.bias_rate);
    words.store(14, u.scale_rate), words.store(15, u.embedding_rate), words.store(16, u.alpha_rate);
}

template <Rule R> struct RuleTag {
    static constexpr Rule value = R;
};
template <class Visit> HB_BLOCK void by_rule(Rule r, const Visit &visit) {
    switch (r) {
        case Rule::sgd: return visit(RuleTag<Rule::sgd>{});
        case Rule::momentum: return visit(RuleTag<Rule::momentum>{});
        case Rule::nesterov: return visit(RuleTag<Rule::nesterov>{});
        case Rule::adam: return visit(RuleTag<Rule::adam>{});
        case Rule::rmsprop: return visit(RuleTag<Rule::rmsprop>{});
        case Rule::rmsprop_momentum: return visit(RuleTag<Rule::rmsprop_momentum>{});
    }
}

// The optimiser of a member at one step.
template <class Weights, class Moments> struct Optimiser {
    Weights weights;
    Moments m, v;  // undefined where the rule has none
    Rule rule;
    bool plain;  // neither clipping nor weight decay
    Update update;

    // Takes the gradients of numbers at .. at + N - 1 of the arena, of which the first `count` are no padding.
    template <int N> HB_BLOCK void apply(int64_t offset, Registers<N> g, int count) const {
        const auto at = static_cast<typename Weights::Index>(offset);
        const auto at_moments = static_cast<typename Moments::Index>(offset);
        by_rule(rule, [&](auto tag) {
            constexpr Rule kRule = decltype(tag)::value;
            Registers<N> w = weights.template load<N>(at), first{}, second{};
            if constexpr (uses_m<kRule>) first = m.template load<N>(at_moments);
            if constexpr (uses_v<kRule>) second = v.template load<N>(at_moments);
            HB_UNROLL
            for (int i = 0; i < N; ++i) {
                if (i >= count) continue;
                float x = w[i], a = first[i], b = second[i], slope = g[i];
                if (!plain) {  // what update_ does when it is not plain; x times 1 is x
                    slope = fma(update.decay, x, slope * update.clip);
                    x = x * update.shrink;
                }
                update_<kRule, true>(x, a, b, slope, update, 0.0f, 1.0f);
                w[i] = x, first[i] = a, second[i] = b;
            }
            weights.template store<N>(at, w);
            if constexpr (uses_m<kRule>) m.template store<N>(at_moments, first);
            if constexpr (uses_v<kRule>) v.template store<N>(at_moments, second);
        });
    }
};

// Sum of the gradients g[j] of an output over the rows, in order.
template <class G> HB_BLOCK float column_sum(G g, int stride, int j, int rows, float start) {
    const G column = g + static_cast<int64_t>(j) * stride;
    float s = start;
    int b = 0;
    for (; b + kVector <= rows; b += kVector) {
        const Registers<kVector> v = column.template load<kVector>(b);
        HB_UNROLL
        for (int i = 0; i < kVector; ++i) s = s + v[i];
    }
    for (; b < rows; ++b) s = s + column.load(b);
    return s;
}

// The biases and alphas of layer_columns. The last threads take them: the first ones have the most tiles.
template <class MemberView, class Start, class Ready>
HB_BLOCK void bias_columns(int tid, const MemberView &b, int rows, int l, const Start &start, const Ready &ready) {
    const DeviceLayer &y = b.net.layout.layer[l];
    deal(b.block.threads() - 1 - tid, b.block.threads(), y.out, [&](int j) {
        Registers<1> sum = start(y.bias + j, Registers<1>{});
        sum[0] = column_sum(b.g(l), b.stride(), j, rows, sum[0]);
        ready(Group::biases)(y.bias + j, sum, 1);
    });
    if (!exists(y.alpha)) return;
    deal(b.block.threads() - 1 - tid, b.block.threads(), y.out, [&](int j) {
        Registers<1> sum = start(y.alpha + j, Registers<1>{});
        sum[0] = column_sum(b.e(l), b.stride(), j, rows, sum[0]);
        ready(Group::alpha)(y.alpha + j, sum, 1);
    });
}

HB_BLOCK Group weights_of(int l) { return l == 0 ? Group::first_weights : Group::weights; }

// The gradient of layer l: start(offset, vector) is what a sum begins with; ready(group of parameters) returns the function
// that takes it, called with (offset, vector, count): `offset` in the arena, `count` of its numbers are no padding.
template <class MemberView, class A, class Start, class Ready>
HB_BLOCK void layer_columns(int tid, const MemberView &b, int rows, int l, A a, const Start &start, const Ready &ready) {
    const DeviceLayer &y = b.net.layout.layer[l];
    by_tile(b.plan.columns[l], [&](auto inputs, auto units) {
        column_tiles<decltype(inputs)::value, decltype(units)::value>(
            tid, b.block.threads(), a, b.g(l), b.stride(), rows, b.k_end(l), y.out,
            [&](int k, int j, auto piece) { return start(weight_at(y, k, j), piece); },
            [&] {
                return [&, take = ready(weights_of(l))](int k, int j, auto sum) { take(weight_at(y, k, j), sum, y.out - j); };
            });
    });
    bias_columns(tid, b, rows, l, start, ready);
}

// The sums x^T g of layer 0 become the gradients of the scale and of the weights, (x scale)^T g: see through_scale() in
// cpu/simd/step.hpp. A thread takes all outputs of an input.
template <class MemberView, class W, class Gradient>
HB_BLOCK void through_scale(int tid, const MemberView &b, W weights, Gradient gradient) {
    const DeviceLayer &y = b.net.layout.layer[0];
    deal(tid, b.block.threads(), b.inputs, [&](int k) {
        const float scale = weights.load(y.scale + k);
        float total = 0.0f;
        for (int first = 0; first < y.out; first += kPanel) {
            float v[kPanel];
            HB_UNROLL
            for (int j = 0; j < kPanel; ++j) {
                v[j] = 0.0f;
                if (first + j >= y.out) continue;
                const int64_t at = weight_at(y, k, first + j);
                const float g = gradient.load(at);
                v[j] = g * weights.load(at);
                gradient.store(at, g * scale);
            }
            fold<kPanel / 2>(v, [](float x, float z) { return x + z; });
            total = first == 0 ? v[0] : total + v[0];
        }
        gradient.store(y.scale + k, total);
    });
}

// Visits all numbers of the arena that take part in training, four at a time: visit(offset, how many are no padding, group).
template <class MemberView, class Visit> HB_BLOCK void for_each_vector(int tid, const MemberView &b, const Visit &visit) {
    for (int l = 0; l < b.layers(); ++l) {
        const DeviceLayer &y = b.net.layout.layer[l];
        const int across = vectors_of(y.out);
        deal(tid, b.block.threads(), b.k_end(l) * across, [&](int i) {
            const int k = i / across, j = i % across * kVector;
            visit(weight_at(y, k, j), y.out - j, weights_of(l));
        });
        deal(tid, b.block.threads(), across, [&](int i) { visit(y.bias + i * kVector, y.out - i * kVector, Group::biases); });
        if (exists(y.alpha))
            deal(tid, b.block.threads(), across,
                 [&](int i) { visit(y.alpha + i * kVector, y.out - i * kVector, Group::alpha); });
        if (l == 0 && y.scaled())
            deal(tid, b.block.threads(), vectors_of(b.inputs),
                 [&](int i) { visit(y.scale + i * kVector, b.inputs - i * kVector, Group::scale); });
        if (l == 0)
            each_of_embedding(b.net.layout, [&](int64_t at, int count) {
                deal(tid, b.block.threads(), vectors_of(count),
                     [&](int i) { visit(at + i * kVector, count - i * kVector, Group::embedding); });
            });
    }
}

// Squares of the gradient, added up by sixteen lanes, lane j % 16 for output j, layer by layer, panel by panel.
template <class MemberView, class Gradient> HB_BLOCK float lane_of_squares(const MemberView &b, Gradient gradient, int lane) {
    float total = 0.0f;
    for (int l = 0; l < b.layers(); ++l) {
        const DeviceLayer &y = b.net.layout.layer[l];
        for (int j = lane; j < y.out; j += kPanel) {
            HB_UNROLL_4
            for (int k = 0; k < b.k_end(l); ++k) {
                const float g = gradient.load(weight_at(y, k, j));
                total = fma(g, g, total);
            }
        }
        for (int j = lane; j < y.out; j += kPanel) {
            const float g = gradient.load(y.bias + j);
            total = fma(g, g, total);
        }
        for (int j = lane; exists(y.alpha) && j < y.out; j += kPanel) {
            const float g = gradient.load(y.alpha + j);
            total = fma(g, g, total);
        }
        for (int k = lane; l == 0 && y.scaled() && k < b.inputs; k += kPanel) {
            const float g = gradient.load(y.scale + k);
            total = fma(g, g, total);
        }
        if (l == 0)
            each_of_embedding(b.net.layout, [&](int64_t at, int count) {
                for (int i = lane; i < count; i += kPanel) {
                    const float g = gradient.load(at + i);
                    total = fma(g, g, total);
                }
            });
    }
    return total;
}

}  // namespace hyperband::cuda
