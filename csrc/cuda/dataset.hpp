// A table on a device, padded for loads of 16 bytes. Rows that are on the device already are used where they are.
#pragma once

#include "core/table.hpp"
#include "cuda/device.hpp"

namespace hyperband::cuda {

class Dataset {
  public:
    // Throws DeviceFull when the device has no room.
    Dataset(Device &device, const Table &table, int n_inputs, int n_outputs);
    ~Dataset();
    Dataset(const Dataset &) = delete;
    Dataset &operator=(const Dataset &) = delete;
    const DeviceRows &rows() const { return rows_; }
    size_t bytes() const { return bytes_; }  // of the device's memory

  private:
    template <class T> T *put(const T *from, size_t rows, size_t columns, size_t stride);

    Device &device_;
    DeviceRows rows_;
    std::vector<void *> memory_;
    size_t bytes_ = 0;
};

}  // namespace hyperband::cuda
