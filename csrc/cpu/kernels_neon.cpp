#define HB_ISA neon
#define HB_LANES 4
#define HB_TILE_ROWS 4
#define HB_TILE_PANELS 1
#define HB_LANE_ROWS 6
#define HB_LANE_COLUMNS 4
#include "cpu/simd/all.hpp"

namespace hyperband::cpu {
extern const Kernels k_neon;
const Kernels k_neon = HB_TABLE("neon");
}  // namespace hyperband::cpu
