// Whether numbers are finite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/layout.hpp"

namespace hyperband {

// Prefetches the n numbers that follow, since callers go through an array block by block.
inline bool all_finite(const float *x, size_t n) {
    constexpr uint32_t kExponent = 0x7f800000;
    uint32_t found = 0;
    size_t i = 0;
    auto look_at = [&](size_t end) {
        for (; i < end; ++i) {
            uint32_t u;
            std::memcpy(&u, x + i, sizeof u);
            found |= (u & kExponent) == kExponent ? 1u : 0u;
        }
    };
    for (; i + kPanel <= n;) {
        __builtin_prefetch(x + n + i, 0, 2);
        look_at(i + kPanel);
    }
    look_at(n);
    return found == 0;
}

}  // namespace hyperband
