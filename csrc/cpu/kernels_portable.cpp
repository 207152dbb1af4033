#define HB_ISA portable
#define HB_LANES 4
#define HB_TILE_ROWS 2
#define HB_TILE_PANELS 1
#define HB_LANE_ROWS 2
#define HB_LANE_COLUMNS 2
#include "cpu/simd/all.hpp"

namespace hyperband::cpu {
extern const Kernels k_portable;
const Kernels k_portable = HB_TABLE("portable");
}  // namespace hyperband::cpu
