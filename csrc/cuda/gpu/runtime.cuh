// CUDA's runtime in C++: errors as exceptions, the current device and buffers as objects.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "cuda/device.hpp"

#ifndef HYPERBAND_CUDA_ARCHITECTURES
#define HYPERBAND_CUDA_ARCHITECTURES "unknown"
#endif

namespace hyperband::cuda {

inline std::string version_text(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

inline void check(cudaError_t e, const char *call) {
    if (e == cudaSuccess) return;
    cudaGetLastError();  // the next call must not find it
    throw DeviceError(std::string(call) + " failed: " + cudaGetErrorString(e) + " (" + cudaGetErrorName(e) + ").");
}

// Makes a device the thread's current one and restores the one before: other libraries in this thread keep theirs.
class CurrentDevice {
  public:
    explicit CurrentDevice(int number) : number_(number) {
        check(cudaGetDevice(&before_), "cudaGetDevice");
        if (before_ != number) check(cudaSetDevice(number), "cudaSetDevice");
    }
    ~CurrentDevice() {
        if (before_ == number_) return;
        cudaSetDevice(before_);
        cudaGetLastError();  // nobody asked for this
    }
    CurrentDevice(const CurrentDevice &) = delete;
    CurrentDevice &operator=(const CurrentDevice &) = delete;

  private:
    int number_, before_ = 0;
};

// Memory of the device that grows; growing loses its content.
class Buffer {
  public:
    ~Buffer() { cudaFree(memory_); }
    Buffer() = default;
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    // Null when there is not enough left.
    void *reserve(size_t bytes) {
        if (bytes <= size_ && memory_ != nullptr) return memory_;
        cudaFree(memory_);
        memory_ = nullptr, size_ = 0;
        if (const cudaError_t e = cudaMalloc(&memory_, std::max<size_t>(bytes, 256)); e != cudaSuccess) {
            memory_ = nullptr;
            cudaGetLastError();
            if (e != cudaErrorMemoryAllocation) check(e, "cudaMalloc");
            return nullptr;
        }
        size_ = bytes;
        return memory_;
    }
    template <class T> T *of(size_t n) {
        if (void *memory = reserve(n * sizeof(T))) return static_cast<T *>(memory);
        throw DeviceFull("the device has no " + std::to_string((n * sizeof(T) >> 20) + 1) +
                         " MiB left for the work of a launch. Lower device_memory, so that networks leave some.");
    }

  private:
    void *memory_ = nullptr;
    size_t size_ = 0;
};

}  // namespace hyperband::cuda
