// What the engine needs of a device, free of CUDA's types: memory, copies, and blocks that train and evaluate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/network.hpp"

namespace hyperband::cuda {

// The device did not do what it was asked to; the message names the call and the device's own words.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// It has too little memory; the message says for what, and how much there is.
struct DeviceFull : DeviceError {
    using DeviceError::DeviceError;
};

struct DeviceFacts {
    std::string name, capability;
    int threads = 0;           // most of a block
    int64_t shared_bytes = 0;    // shared memory that a block may have
    int64_t total_bytes = 0;   // of global memory
    int processors = 1;        // multiprocessors
    int size_class = -1;       // of every member, if it is not negative: for tests
    int number = 0;            // that other libraries know it by
};

class Device {
  public:
    virtual ~Device() = default;
    virtual DeviceFacts facts() const = 0;
    // Null when there is not so much left.
    virtual void *allocate(size_t bytes) = 0;
    virtual void release(void *memory) noexcept = 0;
    virtual size_t free_bytes() const = 0;
    // Host memory from which copies are fast; never null.
    virtual void *allocate_pinned(size_t bytes) = 0;
    virtual void release_pinned(void *memory) noexcept = 0;
    virtual void upload(void *to, const void *from, size_t bytes) = 0;
    virtual void download(void *to, const void *from, size_t bytes) = 0;
    // All numbers of these networks: initial weights, the rest 0.
    virtual void initialise(const std::vector<InitialiseJob> &jobs) = 0;
    // Trains in the order of the list until each has arrived, or about `seconds` are over; negative: no limit.
    virtual void train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) = 0;
    virtual void evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) = 0;
    // Of an array in the device's memory.
    virtual bool all_finite(const float *x, size_t n) = 0;
    // Until what was put on another library's stream is done; the number that the library calls it by.
    virtual void wait_for(uintptr_t stream) = 0;
    // The number of the device whose memory this is, this one's if it is every device's; -1: none's.
    virtual int whose(const void *memory) const = 0;
};

}  // namespace hyperband::cuda
