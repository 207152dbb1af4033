// Promotion: the survivors of a rung.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hyperband {

// A result of a rung. The order is strict and total where losses are finite and trials distinct.
struct Row {
    double loss;
    std::int64_t trial;

    bool operator<(const Row &other) const { return loss != other.loss ? loss < other.loss : trial < other.trial; }
};

// The trials with the `k` smallest losses, best first; equal losses in the order of their trial numbers, so the result
// does not depend on the order of the rows. A loss that is NaN or infinite never survives, even if fewer than `k` do.
//
// `losses` and `trials` are owned by the caller, contiguous, `n` long, and only read; trial numbers are distinct.
// Thread-safe: no shared state. O(n + k log k) time, O(n) extra memory.
std::vector<std::int64_t> top_k(const double *losses, const std::int64_t *trials, std::size_t n, std::size_t k);

}  // namespace hyperband
