// What an engine is made from, and one call of its training.
#pragma once

#include <cstdint>
#include <optional>

#include "core/architecture.hpp"
#include "core/table.hpp"

namespace hyperband {

// Checked by whoever fills it in: every label is below the number of classes, shapes agree. The arrays need not outlive the
// engine's constructor, except for rows on a device.
struct Problem {
    Loss loss;
    int n_inputs, n_outputs;
    int numbers;  // the first columns, which networks may embed
    Table train;
    std::optional<Table> validation;
};

// Limits of one call of training, the same for all listed members.
struct Slice {
    int64_t rows;         // the first rows of the data, from which batches are drawn
    int32_t inputs;       // the first columns, which take part
    bool validate;        // after each epoch and at the end
    double seconds;       // about; negative: no limit
};

}  // namespace hyperband
