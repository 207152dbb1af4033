// One network of a population: its record and its numbers.
#pragma once

#include "core/record.hpp"
#include "cpu/memory.hpp"

namespace hyperband::cpu {

struct Member {
    Architecture architecture;
    Layout layout;
    Key key;
    int64_t total_steps;
    Floats weights, m, v, best;
    Counters counters;
    Record record;
};

}  // namespace hyperband::cpu
