// Counter-based randomness: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011) and the bijection that orders the rows.
//
// Stateless: a number is a function of (key, counter). U is uint32_t or a vector of 16 of them; U offers + ^ & and
// mul_wide(U, constant, high, low), shift_left<n>, shift_right<n>.
#pragma once

#include <cstdint>

#include "core/math.hpp"

namespace hyperband {

enum Purpose : uint32_t { kInitialWeights = 1, kRowOrder = 2, kDropout = 3 };

HB_FN void mul_wide(uint32_t a, uint32_t c, uint32_t &high, uint32_t &low) {
    uint64_t p = static_cast<uint64_t>(a) * c;
    high = static_cast<uint32_t>(p >> 32);
    low = static_cast<uint32_t>(p);
}

template <class N> struct KeyOf {  // N: of one member, or a vector with one member in each lane
    N k0, k1;
};
struct Key : KeyOf<uint32_t> {
    static HB_FN Key of(uint64_t seed) { return {{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}}; }
};

template <class U, class N> HB_FN void philox(KeyOf<N> key, U &c0, U &c1, U &c2, U &c3) {
    HB_UNROLL
    for (int round = 0; round < 10; ++round) {
        U h0, l0, h1, l1;
        mul_wide(c0, 0xD2511F53u, h0, l0);
        mul_wide(c2, 0xCD9E8D57u, h1, l1);
        c0 = h1 ^ c1 ^ U(key.k0);
        c1 = l1;
        c2 = h0 ^ c3 ^ U(key.k1);
        c3 = l0;
        key.k0 = key.k0 + N(0x9E3779B9u);
        key.k1 = key.k1 + N(0xBB67AE85u);
    }
}

// The words of initial weights 4 i to 4 i + 3 of a layer, whose matrix (in, out) is counted row by row.
HB_FN void four_initial_words(Key key, int layer, uint32_t i, uint32_t *w) {
    w[0] = i, w[1] = 0, w[2] = 0, w[3] = static_cast<uint32_t>(kInitialWeights) << 16 | static_cast<uint32_t>(layer);
    philox(key, w[0], w[1], w[2], w[3]);
}
// Uniform in [-bound, bound); bound 0 gives 0, never -0.
HB_FN float initial_weight(uint32_t word, float bound) {
    return (2.0f * (static_cast<float>(word >> 8) * 0x1p-24f) - 1.0f) * bound + 0.0f;
}

// A bijection on [0, n): an unbalanced Feistel network on the next power of two, repeated until the value is below n.
struct RowOrder {
    uint32_t n;
    int lo, hi;  // bits of the halves
    uint32_t key[8];

    static HB_FN RowOrder of(Key k, uint32_t n, uint32_t epoch) {
        RowOrder o{};
        o.n = n;
        int bits = 2;
        while (bits < 32 && (uint64_t{1} << bits) < n) ++bits;
        o.lo = bits / 2;
        o.hi = bits - o.lo;
        HB_UNROLL
        for (uint32_t block = 0; block < 2; ++block) {
            uint32_t c0 = block, c1 = 0, c2 = epoch, c3 = static_cast<uint32_t>(kRowOrder) << 16;
            philox(k, c0, c1, c2, c3);
            uint32_t *w = o.key + 4 * block;
            w[0] = c0, w[1] = c1, w[2] = c2, w[3] = c3;
        }
        return o;
    }

    template <class U> static HB_FN U mix(U v, uint32_t k) {
        U h = (v ^ U(k)) * U(0x9E3779B1u);
        h = h ^ (h >> 15);
        h = h * U(0x85EBCA77u);
        return h ^ (h >> 13);
    }

    // One pass of the six rounds; the result is below the power of two.
    template <class U> HB_FN U scramble(U x) const {
        const U hi_mask((1u << hi) - 1u), lo_mask((1u << lo) - 1u);
        U l = x >> lo, r = x & lo_mask;
        HB_UNROLL
        for (int i = 0; i < 6; i += 2) {
            l = l ^ (mix(r, key[i]) & hi_mask);
            r = r ^ (mix(l, key[i + 1]) & lo_mask);
        }
        return (l << lo) | r;
    }

    HB_FN uint32_t operator()(uint32_t i) const {
        if (n <= 1) return 0;
        uint32_t x = scramble(i);
        while (x >= n) x = scramble(x);
        return x;
    }
};

}  // namespace hyperband
