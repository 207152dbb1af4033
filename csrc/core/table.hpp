// Rows with their targets as the caller has them: row-major, not padded; borrowed, not owned.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperband {

struct Table {
    const float *x = nullptr;        // (n, n_inputs)
    size_t n = 0;
    const int32_t *label = nullptr;  // (n,) cross_entropy, logistic
    const float *target = nullptr;   // (n, n_outputs) of a regression
    const float *weight = nullptr;   // (n,) or null: all 1
    bool x_on_device = false;        // x is an address on a device, in an array that stays there; see E::kReadsDevice
};

}  // namespace hyperband
