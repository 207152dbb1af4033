// Which units dropout sets to 0. One call of the generator, counter (unit, row / 8, step, dropout_word(layer)), serves
// eight rows of a column: row r is dropped when half r of its four words, 16 bits, is below the limit.
#pragma once

#include <cstdint>

#include "core/architecture.hpp"
#include "core/philox.hpp"
#include "core/rates.hpp"

namespace hyperband {

// Number of the 65,536 values of 16 bits that drop a unit; 0: no dropout.
HB_FN uint32_t dropout_limit(double rate) {
    const auto rounded = static_cast<uint32_t>(rate * 65536.0 + 0.5);
    return rounded < 65535 ? rounded : 65535;
}
// The same of optimiser step `step` of `total`.
HB_FN uint32_t dropout_limit_at(const Architecture &a, int64_t step, int64_t total) {
    return dropout_limit(dropout_at(a, step, total));
}
// Factor of the units that are kept.
HB_FN float dropout_scale(uint32_t limit) { return 65536.0f / static_cast<float>(65536 - limit); }
HB_FN uint32_t dropout_word(int layer) { return static_cast<uint32_t>(kDropout) << 16 | static_cast<uint32_t>(layer); }

}  // namespace hyperband
