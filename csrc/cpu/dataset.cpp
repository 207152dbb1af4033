#include "cpu/dataset.hpp"

#include <algorithm>

namespace hyperband::cpu {

void copy_padded(const float *from, size_t n, size_t columns, size_t stride, float *to) {
    for (size_t i = 0; i < n; ++i) std::copy_n(from + i * columns, columns, to + i * stride);
}

Dataset::Dataset(const Table &t, int n_inputs, int n_outputs)
    : n_(t.n), stride_(static_cast<size_t>(padded(n_inputs))), target_stride_(static_cast<size_t>(padded(n_outputs))),
      x_(t.n * stride_) {
    copy_padded(t.x, n_, static_cast<size_t>(n_inputs), stride_, x_.get());
    if (t.label != nullptr) label_.assign(t.label, t.label + n_);
    if (t.target != nullptr) {
        target_ = Floats(n_ * target_stride_);
        copy_padded(t.target, n_, static_cast<size_t>(n_outputs), target_stride_, target_.get());
    }
    if (t.weight != nullptr) {
        weight_ = Floats(n_);
        std::copy_n(t.weight, n_, weight_.get());
    }
}

Rows Dataset::rows(size_t first) const {
    Rows r;
    r.x = x_.get() + first * stride_;
    r.stride = stride_;
    r.label = label_.empty() ? nullptr : label_.data() + first;
    r.target = target_ ? target_.get() + first * target_stride_ : nullptr;
    r.weight = weight_ ? weight_.get() + first : nullptr;
    return r;
}

}  // namespace hyperband::cpu
