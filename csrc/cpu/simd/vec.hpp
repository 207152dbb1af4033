// Vectors of 16 floats and 16 ints for every instruction set. Included once for each, in a namespace HB_ISA of its own, with
// HB_LANES the width of a native register in floats. Only what compilers cannot express portably is an intrinsic. No std::
// code here: the linker may pick this copy for older machines.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "core/math.hpp"

namespace hyperband::cpu::HB_ISA {

typedef float nf __attribute__((vector_size(HB_LANES * 4)));
typedef int32_t ni __attribute__((vector_size(HB_LANES * 4)));
typedef uint32_t nu __attribute__((vector_size(HB_LANES * 4)));
typedef nf nf_memory __attribute__((may_alias));
typedef nu nu_memory __attribute__((may_alias));
constexpr int kRegs = 16 / HB_LANES;

#define HB_EACH for (int i = 0; i < kRegs; ++i)

HB_FN nf broadcast(float c) {  // not nf{} + c: that is an addition, which -0 does not survive
#if HB_LANES == 16
    return (nf)_mm512_set1_ps(c);
#elif HB_LANES == 8
    return (nf)_mm256_set1_ps(c);
#else
    return nf{c, c, c, c};
#endif
}

struct V {  // 16 floats
    nf x[kRegs];
    V() = default;
    HB_FN explicit V(float c) { HB_EACH x[i] = broadcast(c); }
};
struct I {  // 16 signed ints; also the type of masks (all bits or none)
    ni x[kRegs];
};
struct U {  // 16 unsigned ints
    nu x[kRegs];
    U() = default;
    HB_FN explicit U(uint32_t c) { HB_EACH x[i] = nu{} + c; }
};

HB_FN V load(const float *p) {
    V r;
    HB_EACH r.x[i] = *reinterpret_cast<const nf_memory *>(p + i * HB_LANES);
    return r;
}
HB_FN U load(const uint32_t *p) {
    U r;
    HB_EACH r.x[i] = *reinterpret_cast<const nu_memory *>(p + i * HB_LANES);
    return r;
}
HB_FN void store(float *p, V v) { HB_EACH *reinterpret_cast<nf_memory *>(p + i * HB_LANES) = v.x[i]; }
HB_FN void store(uint32_t *p, U v) { HB_EACH *reinterpret_cast<nu_memory *>(p + i * HB_LANES) = v.x[i]; }

#define HB_BINARY(T, OP)                   \
    HB_FN T operator OP(T a, T b) {        \
        T r;                               \
        HB_EACH r.x[i] = a.x[i] OP b.x[i]; \
        return r;                          \
    }
HB_BINARY(V, +)
HB_BINARY(V, -)
HB_BINARY(V, *)
HB_BINARY(V, /)
HB_BINARY(I, &)
HB_BINARY(I, |)
HB_BINARY(U, +)
HB_BINARY(U, *)
HB_BINARY(U, ^)
HB_BINARY(U, &)
HB_BINARY(U, |)
#undef HB_BINARY
#define HB_COMPARE(T, OP)                        \
    HB_FN I operator OP(T a, T b) {              \
        I r;                                     \
        HB_EACH r.x[i] = (ni)(a.x[i] OP b.x[i]); \
        return r;                                \
    }
HB_COMPARE(V, <)
HB_COMPARE(V, >)
HB_COMPARE(V, <=)
HB_COMPARE(V, >=)
HB_COMPARE(V, ==)
HB_COMPARE(U, <)
HB_COMPARE(U, >=)
#undef HB_COMPARE

// Signed sums wrap around, as unsigned ones do.
HB_FN I operator+(I a, I b) {
    HB_EACH a.x[i] = (ni)((nu)a.x[i] + (nu)b.x[i]);
    return a;
}
HB_FN I operator-(I a, I b) {
    HB_EACH a.x[i] = (ni)((nu)a.x[i] - (nu)b.x[i]);
    return a;
}
HB_FN V operator-(V a) {
    HB_EACH a.x[i] = -a.x[i];
    return a;
}
HB_FN U operator<<(U a, int n) {
    HB_EACH a.x[i] = a.x[i] << n;
    return a;
}
HB_FN U operator>>(U a, int n) {
    HB_EACH a.x[i] = a.x[i] >> n;
    return a;
}
template <int N> HB_FN I shift_left(I a) {
    HB_EACH a.x[i] = (ni)((nu)a.x[i] << N);
    return a;
}
template <int N> HB_FN I shift_right(I a) {
    HB_EACH a.x[i] = (ni)((nu)a.x[i] >> N);
    return a;
}
template <int N> HB_FN I shift_right_signed(I a) {
    HB_EACH a.x[i] = a.x[i] >> N;
    return a;
}
HB_FN V select(I m, V a, V b) {
    V r;
    HB_EACH r.x[i] = m.x[i] ? a.x[i] : b.x[i];
    return r;
}
// a < b ? a : b and a > b ? a : b, lane by lane: the second one wherever a lane of either is not a number.
HB_FN V min_(V a, V b) {
#if HB_LANES == 16
    HB_EACH a.x[i] = (nf)_mm512_maskz_min_ps(0xffff, (__m512)a.x[i], (__m512)b.x[i]);
#elif HB_LANES == 8
    HB_EACH a.x[i] = (nf)_mm256_min_ps((__m256)a.x[i], (__m256)b.x[i]);
#else
    HB_EACH a.x[i] = a.x[i] < b.x[i] ? a.x[i] : b.x[i];
#endif
    return a;
}
HB_FN nf max_native(nf a, nf b) {
#if HB_LANES == 16
    return (nf)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#elif HB_LANES == 8
    return (nf)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return a > b ? a : b;
#endif
}
HB_FN V max_(V a, V b) {
    HB_EACH a.x[i] = max_native(a.x[i], b.x[i]);
    return a;
}
HB_FN I bits(V v) {
    I r;
    HB_EACH r.x[i] = (ni)v.x[i];
    return r;
}
HB_FN V from_bits(I v) {
    V r;
    HB_EACH r.x[i] = (nf)v.x[i];
    return r;
}
HB_FN I ints(V, int c) {
    I r;
    HB_EACH r.x[i] = ni{} + c;
    return r;
}
HB_FN V to_float(I v) {
    V r;
    HB_EACH r.x[i] = __builtin_convertvector(v.x[i], nf);
    return r;
}
HB_FN V to_float(U v) {  // lanes below 2^31
    V r;
    HB_EACH r.x[i] = __builtin_convertvector((ni)v.x[i], nf);
    return r;
}
HB_FN U lane_numbers() {
    U r;
    HB_EACH for (int j = 0; j < HB_LANES; ++j) r.x[i][j] = static_cast<uint32_t>(i * HB_LANES + j);
    return r;
}

// Lanes below n.
HB_FN I below(int n) { return lane_numbers() < U(static_cast<uint32_t>(n < 0 ? 0 : n)); }
// Writes first + i to `to` for each lane i of the mask, in order, and returns how many; it may overwrite 16 elements.
HB_FN int positions_of(I mask, int first, int *to) {
#if HB_LANES == 16
    const __mmask16 chosen = _mm512_movepi32_mask((__m512i)mask.x[0]);
    const __m512i positions = (__m512i)(lane_numbers() + U(static_cast<uint32_t>(first))).x[0];
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(chosen, positions));
    return __builtin_popcount(chosen);
#else
    int n = 0;
    for (int i = 0; i < 16; ++i) {
        to[n] = first + i;
        n += mask.x[i / HB_LANES][i % HB_LANES] ? 1 : 0;
    }
    return n;
#endif
}

// a * b + c, rounded once.
HB_FN nf fma_native(nf a, nf b, nf c) {
#if HB_LANES == 16
    return (nf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif HB_LANES == 8
    return (nf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (nf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    // No such instruction. The product of two floats is exact in double; their sum is rounded to odd, which a second
    // rounding, to float, cannot spoil (Boldo & Melquiond 2008, "Emulation of FMA and correctly rounded sums").
    typedef double nd __attribute__((vector_size(HB_LANES * 8)));
    typedef int64_t nl __attribute__((vector_size(HB_LANES * 8)));
    nd p = __builtin_convertvector(a, nd) * __builtin_convertvector(b, nd), q = __builtin_convertvector(c, nd);
    nd s = p + q, t = s - p;
    nd e = (p - (s - t)) + (q - t);  // s + e is the exact sum
    nl u = (nl)s;
    nl inexact = ((e < 0.0) | (e > 0.0)) & ((u & 1) == 0);
    nl away = ((e > 0.0) == (s > 0.0));  // all bits, -1, when the exact sum is larger in magnitude
    u += inexact & (-1 - 2 * away);
    return __builtin_convertvector((nd)u, nf);
#endif
}
HB_FN V fma(V a, V b, V c) {
    V r;
    HB_EACH r.x[i] = fma_native(a.x[i], b.x[i], c.x[i]);
    return r;
}

// The 64-bit products of 16 unsigned ints with a constant.
HB_FN void mul_wide(U a, uint32_t c, U &high, U &low) {
    HB_EACH {
#if HB_LANES >= 8
        typedef uint64_t nl __attribute__((vector_size(HB_LANES * 4)));
#if HB_LANES == 16
        const __m512i k = _mm512_set1_epi32(static_cast<int>(c));
        nl even = (nl)_mm512_maskz_mul_epu32(0xff, (__m512i)a.x[i], k);
        nl odd = (nl)_mm512_maskz_mul_epu32(0xff, (__m512i)((nl)a.x[i] >> 32), k);
#else
        const __m256i k = _mm256_set1_epi32(static_cast<int>(c));
        nl even = (nl)_mm256_mul_epu32((__m256i)a.x[i], k), odd = (nl)_mm256_mul_epu32((__m256i)((nl)a.x[i] >> 32), k);
#endif
        high.x[i] = (nu)((even >> 32) | (odd & ~uint64_t{0xffffffff}));
        low.x[i] = (nu)((even & uint64_t{0xffffffff}) | (odd << 32));
#else
        for (int j = 0; j < HB_LANES; ++j) {
            uint64_t p = static_cast<uint64_t>(a.x[i][j]) * c;
            high.x[i][j] = static_cast<uint32_t>(p >> 32);
            low.x[i][j] = static_cast<uint32_t>(p);
        }
#endif
    }
}

// Sum of 16 lanes, by the tree (i, i + 8), (i, i + 4), (i, i + 2), (i, i + 1).
typedef float quad __attribute__((vector_size(16)));
typedef quad quad_memory __attribute__((may_alias));
#if defined(__clang__)
#define HB_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t quad_indices __attribute__((vector_size(16)));
#define HB_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, quad_indices{i, j, k, l})
#endif
// Rearranges the lanes of two vectors so that x and y hold partners `kDistance` lanes apart: first of a, then of b. With
// a = (a0, a1, a2, a3) in quads of four lanes, 8: x = (a0, a1, b0, b1), y = (a2, a3, b2, b3); 4: x = (a0, a2, b0, b2),
// y = (a1, a3, b1, b3). Within each quad, 2: x = lanes (a0, a1, b0, b1), y = (a2, a3, b2, b3); 1: x = (a0, a2, b0, b2),
// y = (a1, a3, b1, b3).
template <int kDistance> HB_FN void deal(V a, V b, V &x, V &y) {
    [[maybe_unused]] constexpr int kLow = kDistance == 8 || kDistance == 2 ? 0x44 : 0x88;
    [[maybe_unused]] constexpr int kHigh = kLow == 0x44 ? 0xee : 0xdd;
#if HB_LANES == 16
    constexpr int kAll = 0xffff;
    const __m512 p = (__m512)a.x[0], q = (__m512)b.x[0];
    if constexpr (kDistance >= 4) {
        x.x[0] = (nf)_mm512_maskz_shuffle_f32x4(kAll, p, q, kLow);
        y.x[0] = (nf)_mm512_maskz_shuffle_f32x4(kAll, p, q, kHigh);
    } else {
        x.x[0] = (nf)_mm512_maskz_shuffle_ps(kAll, p, q, kLow);
        y.x[0] = (nf)_mm512_maskz_shuffle_ps(kAll, p, q, kHigh);
    }
#elif HB_LANES == 8
    if constexpr (kDistance == 8) {
        x.x[0] = a.x[0], x.x[1] = b.x[0], y.x[0] = a.x[1], y.x[1] = b.x[1];
    } else if constexpr (kDistance == 4) {
        x.x[0] = (nf)_mm256_permute2f128_ps((__m256)a.x[0], (__m256)a.x[1], 0x20);
        x.x[1] = (nf)_mm256_permute2f128_ps((__m256)b.x[0], (__m256)b.x[1], 0x20);
        y.x[0] = (nf)_mm256_permute2f128_ps((__m256)a.x[0], (__m256)a.x[1], 0x31);
        y.x[1] = (nf)_mm256_permute2f128_ps((__m256)b.x[0], (__m256)b.x[1], 0x31);
    } else {
        HB_EACH x.x[i] = (nf)_mm256_shuffle_ps((__m256)a.x[i], (__m256)b.x[i], kLow);
        HB_EACH y.x[i] = (nf)_mm256_shuffle_ps((__m256)a.x[i], (__m256)b.x[i], kHigh);
    }
#else
    if constexpr (kDistance == 8) {
        x.x[0] = a.x[0], x.x[1] = a.x[1], x.x[2] = b.x[0], x.x[3] = b.x[1];
        y.x[0] = a.x[2], y.x[1] = a.x[3], y.x[2] = b.x[2], y.x[3] = b.x[3];
    } else if constexpr (kDistance == 4) {
        x.x[0] = a.x[0], x.x[1] = a.x[2], x.x[2] = b.x[0], x.x[3] = b.x[2];
        y.x[0] = a.x[1], y.x[1] = a.x[3], y.x[2] = b.x[1], y.x[3] = b.x[3];
    } else if constexpr (kDistance == 2) {
        HB_EACH x.x[i] = HB_SHUFFLE(a.x[i], b.x[i], 0, 1, 4, 5);
        HB_EACH y.x[i] = HB_SHUFFLE(a.x[i], b.x[i], 2, 3, 6, 7);
    } else {
        HB_EACH x.x[i] = HB_SHUFFLE(a.x[i], b.x[i], 0, 2, 4, 6);
        HB_EACH y.x[i] = HB_SHUFFLE(a.x[i], b.x[i], 1, 3, 5, 7);
    }
#endif
}

HB_FN float sum(V v) {
    alignas(64) float t[16];
    store(t, v);
    const quad_memory *q = reinterpret_cast<const quad_memory *>(t);
    quad s = (q[0] + q[2]) + (q[1] + q[3]);
    return (s[0] + s[2]) + (s[1] + s[3]);
}
#undef HB_EACH

}  // namespace hyperband::cpu::HB_ISA
