// Chooses a member's size class on a device, and plans where its numbers are while a block works on it.
#pragma once

#include "cuda/network.hpp"

namespace hyperband::cuda {

// Optimiser steps whose constants are computed at a time, each by a thread of its own.
constexpr int kUpdatesAhead = 32;
constexpr int kUpdateWords = sizeof(Update) / sizeof(float) + 2;
constexpr int kDroppedWord = kUpdateWords - 2, kShareWord = kUpdateWords - 1;  // limit of dropout, share of the average
constexpr int kControlWords = 64;  // see Control in block/trainer.hpp

// What blocks of a device may have.
struct BlockLimits {
    int threads;         // most of a block
    int64_t shared_bytes;  // shared memory of a block
    bool crowded;  // there are more members than blocks run at a time: take smaller blocks, several on a multiprocessor
    int size_class = -1;  // of every member, if it is not negative; shared_size may then exceed any device's: for tests
};

// For training `a`, with so many rows in a full batch.
MemoryPlan plan_training(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, const BlockLimits &limits);
// For the outputs of so many rows: weights stay in global memory.
MemoryPlan plan_evaluation(const Architecture &a, const DeviceLayout &layout, Loss loss, int64_t rows,
                           const BlockLimits &limits);

}  // namespace hyperband::cuda
