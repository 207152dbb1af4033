// One network of a population: its record and its numbers.
#pragma once

#include <cstdint>

#include "cpu/memory.hpp"

namespace hyperband {

struct Counters {
    int64_t step = 0, epoch = 0, position = 0, rows = 0, inputs = 0, best_step = -1, diverged = 0;
};

struct Record {  // what validation and training have shown so far
    double loss, error, best_loss, best_error, train_loss, epoch_loss;
};

struct Member {
    Architecture architecture;
    Layout layout;
    Key key;
    int64_t total_steps;
    Floats weights, m, v, best;
    Counters counters;
    Record record;
};

}  // namespace hyperband
