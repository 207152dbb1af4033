#include "cuda/dataset.hpp"

#include <algorithm>

namespace hyperband::cuda {

Dataset::Dataset(Device &device, const Table &t, int n_inputs, int n_outputs) : device_(device) {
    const auto inputs = static_cast<size_t>(n_inputs), outputs = static_cast<size_t>(n_outputs);
    rows_.n = static_cast<int64_t>(t.n);
    rows_.stride = t.x_on_device ? n_inputs : whole_vectors(n_inputs);
    rows_.wide = rows_.stride % kVector == 0 && (!t.x_on_device || reinterpret_cast<uintptr_t>(t.x) % 16 == 0);
    rows_.target_stride = whole_vectors(n_outputs);
    try {
        rows_.x = t.x_on_device ? t.x : put(t.x, t.n, inputs, static_cast<size_t>(rows_.stride));
        if (t.label) rows_.label = put(t.label, t.n, 1, 1);
        if (t.target) rows_.target = put(t.target, t.n, outputs, static_cast<size_t>(rows_.target_stride));
        if (t.weight) rows_.weight = put(t.weight, t.n, 1, 1);
    } catch (...) {
        for (void *each : memory_) device_.release(each);
        throw;
    }
}

Dataset::~Dataset() {
    for (void *each : memory_) device_.release(each);
}

// Registers rows at a time, so that the padded copy on the host stays small.
template <class T> T *Dataset::put(const T *from, size_t rows, size_t columns, size_t stride) {
    const size_t bytes = rows * stride * sizeof(T);
    auto *const to = static_cast<T *>(device_.allocate(bytes));
    if (to == nullptr)
        throw DeviceFull("the data needs " + std::to_string(bytes >> 20) + " MiB on the device, which has " +
                         std::to_string(device_.free_bytes() >> 20) + " MiB left. Use fewer rows.");
    memory_.push_back(to);
    bytes_ += bytes;
    if (columns == stride) {
        device_.upload(to, from, bytes);
        return to;
    }
    const size_t most = std::max<size_t>(1, (size_t{16} << 20) / (stride * sizeof(T)));
    std::vector<T> padded(std::min(rows, most) * stride);
    for (size_t first = 0; first < rows; first += most) {
        const size_t n = std::min(most, rows - first);
        for (size_t i = 0; i < n; ++i) std::copy_n(from + (first + i) * columns, columns, padded.data() + i * stride);
        device_.upload(to + first * stride, padded.data(), n * stride * sizeof(T));
    }
    return to;
}

}  // namespace hyperband::cuda
