// One network of a population.
#pragma once

#include "core/record.hpp"
#include "cpu/memory.hpp"

namespace hyperband::cpu {

struct Member {
    Architecture architecture;
    Layout layout;
    Key key;
    int64_t total_steps;
    Floats weights, m, v, average, best;  // arenas; m, v, average empty where there are none, best before the first validation
    Counters counters;
    Record record;

    // What is validated and predicted with: the average where there is one.
    const float *current() const { return average ? average.get() : weights.get(); }
};

// Inputs of the first layer that take part: all of them until the member has trained, and where numbers are embedded.
inline int32_t active_inputs(const Member &m) {
    return m.counters.inputs > 0 && !m.layout.embedding.exists() ? static_cast<int32_t>(m.counters.inputs)
                                                                 : m.layout.layer[0].in;
}
// The current weights or, where there is a snapshot and it is wanted, the best ones.
inline const float *weights_of(const Member &m, bool best) {
    return best && m.counters.best_step >= 0 ? m.best.get() : m.current();
}

}  // namespace hyperband::cpu
