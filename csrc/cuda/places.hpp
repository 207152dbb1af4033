// Which size class a member belongs to on a device, and where its numbers lie while a block works on it.
#pragma once

#include "cuda/network.hpp"

namespace hyperband::cuda {

// Numbers of optimiser steps that are computed at a time, each by its own thread.
constexpr int kUpdatesAhead = 32;
constexpr int kUpdateWords = sizeof(Update) / sizeof(float);
constexpr int kControlWords = 64;  // see Control in block/trainer.hpp

// For training `a`, with so many rows in a full batch, on blocks of `threads` threads with `near` bytes of shared memory.
Places training_places(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, int threads, int64_t near);
// The same with a given class; near_size may then exceed any device's. For tests.
Places training_places(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, int threads, int64_t near,
                       SizeClass size_class);
// For the outputs of rows: weights stay far.
Places judging_places(const Architecture &a, const DeviceLayout &layout, Loss loss, int64_t rows, int threads, int64_t near);

}  // namespace hyperband::cuda
