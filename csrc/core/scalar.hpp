// float as the number type of math.hpp: for a thread of a GPU, and for the host that stands in for one.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/architecture.hpp"

namespace hyperband {

HB_FN float fma(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
    return __fmaf_rn(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}
HB_FN int32_t bits(float x) {
#if defined(__CUDA_ARCH__)
    return __float_as_int(x);
#else
    int32_t r;
    std::memcpy(&r, &x, sizeof r);
    return r;
#endif
}
HB_FN float from_bits(int32_t x) {
#if defined(__CUDA_ARCH__)
    return __int_as_float(x);
#else
    float r;
    std::memcpy(&r, &x, sizeof r);
    return r;
#endif
}
HB_FN int32_t ints(float, int32_t c) { return c; }
HB_FN float select(bool mask, float a, float b) { return mask ? a : b; }
HB_FN float min_(float a, float b) { return a < b ? a : b; }
HB_FN float max_(float a, float b) { return a > b ? a : b; }
template <int n> HB_FN int32_t shift_left(int32_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x) << n); }
template <int n> HB_FN int32_t shift_right(int32_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x) >> n); }
template <int n> HB_FN int32_t shift_right_signed(int32_t x) { return x >> n; }
HB_FN float to_float(int32_t x) { return static_cast<float>(x); }

}  // namespace hyperband
