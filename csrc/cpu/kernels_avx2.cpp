#define HB_ISA avx2
#define HB_LANES 8
#define HB_TILE_ROWS 6
#define HB_TILE_PANELS 1
#define HB_LANE_ROWS 4
#define HB_LANE_COLUMNS 3
#include "cpu/simd/all.hpp"

namespace hyperband::cpu {
extern const Kernels k_avx2;
const Kernels k_avx2 = HB_TABLE("avx2");
}  // namespace hyperband::cpu
