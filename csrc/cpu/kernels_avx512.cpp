#define HB_ISA avx512
#define HB_LANES 16
#define HB_TILE_ROWS 14
#define HB_TILE_PANELS 2
#define HB_LANE_ROWS 6
#define HB_LANE_COLUMNS 4
#include "cpu/simd/all.hpp"

namespace hyperband::cpu {
extern const Kernels k_avx512;
const Kernels k_avx512 = HB_TABLE("avx512");
}  // namespace hyperband::cpu
