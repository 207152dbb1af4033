// Packs: members of one shape that train side by side, one in each lane of a vector (see PackArgs in kernels.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/member.hpp"

namespace hyperband::cpu {

// What members must have in common to be lanes of one pack: everything that decides which operations a step does and when an
// epoch ends. `steps`: the number that is left.
std::vector<int64_t> shape_of(const Member &m, int64_t steps);

// Cost of training, in units of one floating-point operation of a large product. Fitted to measurements of networks from
// 8-8-2 to 64-64-64-10 on batches of 1 to 256 rows with AVX-512 and AVX2, within 20 %.
struct Cost {
    double row;     // floating-point operations of a row
    double alone;   // a step of the member by itself
    double packed;  // its share of a step of a full pack; infinite where a pack would not fit into the first two caches
    double moving;  // its share of copying members into a pack and back
};
Cost cost_of(const Member &m);

// Up to kLanes members of one shape in the arenas of a pack; lanes that are left over repeat the first member.
class Pack {
  public:
    // Copies the members' arenas into `memory`, which the next pack of this thread may overwrite.
    Pack(const std::vector<Member *> &members, Loss loss, int n_outputs, Rows data, Floats &memory);
    Pack(const Pack &) = delete;
    Pack &operator=(const Pack &) = delete;

    PackArgs args;  // layout, architectures, keys, arenas, working memory; the rest changes from step to step
    uint32_t *index(int lane) const { return index_ + static_cast<size_t>(lane) * args.index_stride; }
    // Writes back a member's weights, moments and average, or what is validated into an arena like its own.
    void write_back(int lane, Member &m) const;
    void write_current(int lane, const Member &m, float *arena) const;

  private:
    Layout layout_;
    PackWorkspace work_{};
    uint32_t *index_ = nullptr;
};

}  // namespace hyperband::cpu
