// The kernels, included by the file of each size class and precision.
#pragma once

#include "cuda/block/evaluate.hpp"
#include "cuda/block/trainer.hpp"
#include "cuda/gpu/block.cuh"
#include "cuda/gpu/launches.cuh"

namespace hyperband::cuda {

// By all threads; a barrier must follow.
template <class T> __device__ __forceinline__ void copy_words(T &to, const T &from) {
    static_assert(sizeof(T) % 4 == 0);
    auto *const target = reinterpret_cast<uint32_t *>(&to);
    const auto *const source = reinterpret_cast<const uint32_t *>(&from);
    for (unsigned i = threadIdx.x; i < sizeof(T) / 4; i += blockDim.x) target[i] = source[i];
}

// A job with its network, in shared memory: every phase reads of them.
template <class Job> struct alignas(8) JobSlot {
    unsigned char job_bytes[sizeof(Job)], network_bytes[sizeof(Network)];  // shared memory has no constructors
    int turn;
    __device__ __forceinline__ Job &job() { return *reinterpret_cast<Job *>(job_bytes); }
    __device__ __forceinline__ Network &network() { return *reinterpret_cast<Network *>(network_bytes); }
};
static_assert(sizeof(TrainJob) % 8 == 0 && sizeof(EvaluateJob) % 8 == 0 && sizeof(Network) % 8 == 0);

// Takes the next job of the list with its network; false when none is left. A block that starts after the deadline still does
// one job, so that every launch makes progress.
template <class Job>
__device__ __forceinline__ bool next_job(JobSlot<Job> &here, const JobList<Job> &list, const GpuBlock &block, bool first) {
    __syncthreads();
    if (threadIdx.x == 0) here.turn = !first && block.late() ? list.n : atomicAdd(list.next, 1);
    __syncthreads();
    const int turn = here.turn;
    if (turn >= list.n) return false;
    copy_words(here.job(), list.jobs[turn]);
    copy_words(here.network(), *list.jobs[turn].network);
    __syncthreads();
    return true;
}

template <SizeClass kClass, Precision kPrecision>
__global__ void __launch_bounds__(kMostThreads, 1)
    train_kernel(const __grid_constant__ JobList<TrainJob> list, const __grid_constant__ Task task) {
    __shared__ JobSlot<TrainJob> here;
    GpuBlock block(list.global + blockIdx.x * list.global_stride, *list.deadline);
    for (bool first = true; next_job(here, list, block, first); first = false) {
        Trainer<GpuBlock, kClass, kPrecision>(block, here.network(), here.job(), task).run();
        copy_words(*here.job().network, here.network());
    }
}

template <SizeClass kClass>
__global__ void __launch_bounds__(kMostThreads, 1)
    evaluate_kernel(const __grid_constant__ JobList<EvaluateJob> list, const __grid_constant__ Task task) {
    __shared__ JobSlot<EvaluateJob> here;
    GpuBlock block(list.global + blockIdx.x * list.global_stride, *list.deadline);
    for (bool first = true; next_job(here, list, block, first); first = false)
        evaluate<GpuBlock, kClass>(block, here.network(), here.job(), task);
}

template <class Kernel> cudaError_t allow(Kernel kernel, int shared_bytes, size_t *own_bytes) {
    cudaFuncAttributes found{};
    if (const cudaError_t e = cudaFuncGetAttributes(&found, kernel); e != cudaSuccess) return e;
    *own_bytes = found.sharedSizeBytes;
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes - static_cast<int>(found.sharedSizeBytes));
}

template <SizeClass kClass, Precision kPrecision>
cudaError_t start_training(const Shape &s, const JobList<TrainJob> &list, const Task &task) {
    train_kernel<kClass, kPrecision><<<s.blocks, s.threads, s.shared_bytes, s.stream>>>(list, task);
    return cudaGetLastError();
}
template <SizeClass kClass> cudaError_t start_evaluation(const Shape &s, const JobList<EvaluateJob> &list, const Task &task) {
    evaluate_kernel<kClass><<<s.blocks, s.threads, s.shared_bytes, s.stream>>>(list, task);
    return cudaGetLastError();
}
template <SizeClass kClass, Precision kPrecision> cudaError_t allow_training(int shared_bytes, size_t *own_bytes) {
    return allow(train_kernel<kClass, kPrecision>, shared_bytes, own_bytes);
}
template <SizeClass kClass> cudaError_t allow_evaluation(int shared_bytes, size_t *own_bytes) {
    return allow(evaluate_kernel<kClass>, shared_bytes, own_bytes);
}
template <SizeClass kClass, Precision kPrecision> cudaError_t training_residents(const Shape &s, int *residents) {
    return cudaOccupancyMaxActiveBlocksPerMultiprocessor(residents, train_kernel<kClass, kPrecision>, s.threads,
                                                         s.shared_bytes);
}
template <SizeClass kClass> cudaError_t evaluation_residents(const Shape &s, int *residents) {
    return cudaOccupancyMaxActiveBlocksPerMultiprocessor(residents, evaluate_kernel<kClass>, s.threads, s.shared_bytes);
}

}  // namespace hyperband::cuda
