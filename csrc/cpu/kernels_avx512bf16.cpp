#define HB_ISA avx512bf16
#define HB_LANES 16
#define HB_TILE_ROWS 13
#define HB_TILE_PANELS 2
#define HB_BF16_AMX 0
#include "cpu/simd/bf16.hpp"

namespace hyperband::cpu {
extern const Kernels k_avx512bf16;
const Kernels k_avx512bf16 = HB_BF16_TABLE("avx512bf16");
}  // namespace hyperband::cpu
