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

// A call of the device failed; the message names the call and the device's own message.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The device has too little memory; the message says for what, and how much there is.
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
    int number = 0;            // by which other libraries know it
};

class Device {
  public:
    virtual ~Device() = default;
    virtual DeviceFacts facts() const = 0;
    // Null when there is not enough left.
    virtual void *allocate(size_t bytes) = 0;
    virtual void release(void *memory) noexcept = 0;
    virtual size_t free_bytes() const = 0;
    // Host memory from which copies are fast; never null.
    virtual void *allocate_pinned(size_t bytes) = 0;
    virtual void release_pinned(void *memory) noexcept = 0;
    virtual void upload(void *to, const void *from, size_t bytes) = 0;
    virtual void download(void *to, const void *from, size_t bytes) = 0;
    // Writes the initial weights of these networks, and 0 to their other numbers.
    virtual void initialise(const std::vector<InitialiseJob> &jobs) = 0;
    // Trains in the order of the list until each is at its step or about `seconds` are over; negative: no limit.
    virtual void train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) = 0;
    virtual void evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) = 0;
    // Whether an array in the device's memory is finite.
    virtual bool all_finite(const float *x, size_t n) = 0;
    // Waits for the work on another library's stream, given by that library's number for it.
    virtual void wait_for(uintptr_t stream) = 0;
    // The number of the device whose memory this is: this device for memory of all devices, -1 for other memory.
    virtual int whose(const void *memory) const = 0;
};

}  // namespace hyperband::cuda
