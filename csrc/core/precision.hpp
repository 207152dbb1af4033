// Precision of the factors of matrix products in training. Their products are summed in float32; all else is float32.
#pragma once

#include <cstdint>

namespace hyperband {

enum class Precision : int32_t { float32, tf32, bf16 };  // 24, 11 and 8 bits of significand
constexpr const char *kPrecisions[] = {"float32", "tf32", "bf16"};

}  // namespace hyperband
