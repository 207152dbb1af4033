// Rows with targets as they come from outside: row-major, nothing padded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyperband {

struct Table {
    const float *x = nullptr;        // (n, n_inputs)
    size_t n = 0;
    const int32_t *label = nullptr;  // (n,) cross_entropy, logistic
    const float *target = nullptr;   // (n, n_outputs) mse
    const float *weight = nullptr;   // (n,) or null: all 1
    bool x_on_device = false;        // x is an address on a device, of an array that stays there: for engines on it
};

}  // namespace hyperband
