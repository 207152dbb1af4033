// The kernels of a size class, and how they are started. Blocks are persistent: each takes the next job of the list until none
// is left or the deadline is over.
#pragma once

#include <cuda_runtime.h>

#include "cuda/network.hpp"

namespace hyperband::cuda {

constexpr int kMostThreads = 256;  // of a block

// What the blocks of a launch share besides the task: the next job, the blocks' parts of global memory, the deadline.
template <class Job> struct JobList {
    const Job *jobs;
    int n;
    int *next;
    float *global;
    int64_t global_stride;  // floats
    const uint64_t *deadline;
};

struct Shape {
    int blocks, threads;
    size_t shared_bytes;
    cudaStream_t stream;
};

// One for each class and kind of products, in a file of its own: they are large.
template <SizeClass kClass, Precision kPrecision>
cudaError_t start_training(const Shape &shape, const JobList<TrainJob> &list, const Task &task);
template <SizeClass kClass>
cudaError_t start_evaluation(const Shape &shape, const JobList<EvaluateJob> &list, const Task &task);
// Lets the kernels have so much shared memory, and says how much they use of themselves.
template <SizeClass kClass, Precision kPrecision> cudaError_t allow_training(int shared_bytes, size_t *own_bytes);
template <SizeClass kClass> cudaError_t allow_evaluation(int shared_bytes, size_t *own_bytes);
// Blocks that a multiprocessor runs at a time.
template <SizeClass kClass, Precision kPrecision> cudaError_t training_residents(const Shape &shape, int *residents);
template <SizeClass kClass> cudaError_t evaluation_residents(const Shape &shape, int *residents);

}  // namespace hyperband::cuda
