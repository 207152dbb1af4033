#define HB_ISA amx
#define HB_LANES 16
#define HB_TILE_ROWS 13
#define HB_TILE_PANELS 2
#define HB_BF16_AMX 1
#include "cpu/simd/bf16.hpp"

namespace hyperband::cpu {
extern const Kernels k_amx;
const Kernels k_amx = HB_BF16_TABLE("amx");
}  // namespace hyperband::cpu
