// A table in memory of its own, padded for vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/floats.hpp"
#include "core/table.hpp"
#include "cpu/kernels.hpp"

namespace hyperband::cpu {

// Copies n rows of so many columns, packed, to rows `stride` floats apart.
void copy_padded(const float *from, size_t n, size_t columns, size_t stride, float *to);

// Owns a copy; read-only once made, so that threads may share it.
class Dataset {
  public:
    Dataset(const Table &table, int n_inputs, int n_outputs);
    size_t n() const { return n_; }
    // The rows from `first` on; pointers are valid while this lives.
    Rows rows(size_t first = 0) const;

  private:
    size_t n_, stride_, target_stride_;
    Floats x_, target_, weight_;
    std::vector<int32_t> label_;
};

}  // namespace hyperband::cpu
