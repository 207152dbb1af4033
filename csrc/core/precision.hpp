// Of the factors of matrix products in training; their products are added up in float32, and all else stays float32.
#pragma once

#include <cstdint>

namespace hyperband {

enum class Precision : int32_t { float32, tf32, bf16 };  // 24, 11 and 8 bits

}  // namespace hyperband
