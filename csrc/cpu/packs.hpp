// Packs: members of one shape that train side by side, one in each lane of a vector (see PackArgs in kernels.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/member.hpp"

namespace hyperband::cpu {

// What members must have in common to be lanes of one pack: whatever decides which operations a step does, and when an epoch
// ends. `steps`: those that are left to do.
std::vector<int64_t> shape_of(const Member &m, int64_t steps);

// What training takes, in the time of one floating-point operation of a large product: fitted to measurements of networks
// from 8-8-2 to 64-64-64-10 on batches of 1 to 256 rows, AVX-512 and AVX2, which it meets within a fifth.
struct Cost {
    double row;     // floating-point operations of a row
    double alone;   // a step of the member by itself
    double packed;  // its share of a step of a full pack; infinite for networks whose pack would leave the nearer caches
    double moving;  // its share of the way into a pack and out again
};
Cost cost_of(const Member &m);

// Up to kLanes members of one shape in the arenas of a pack; lanes that are left over repeat the first member.
class Pack {
  public:
    // Takes the members' numbers into its own arenas, in working memory that the next pack of this thread may overwrite.
    Pack(const std::vector<Member *> &members, Loss loss, int n_outputs, Rows data, Floats &memory);
    Pack(const Pack &) = delete;
    Pack &operator=(const Pack &) = delete;

    PackArgs args;  // layout, architectures, keys, arenas, working memory; the rest changes from step to step
    uint32_t *index(int lane) const { return index_ + static_cast<size_t>(lane) * args.index_stride; }
    // Writes back a member's weights and moments, or its weights alone into an arena like its own.
    void write_back(int lane, Member &m) const;
    void write_weights(int lane, const Member &m, float *arena) const;

  private:
    Layout layout_;
    PackWorkspace work_{};
    uint32_t *index_ = nullptr;
};

}  // namespace hyperband::cpu
