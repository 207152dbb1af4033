// Launches of a device: jobs in groups, a kernel and a stream for each group.
#pragma once

#include <mutex>
#include <vector>

#include "cuda/gpu/launches.cuh"
#include "cuda/gpu/runtime.cuh"

namespace hyperband::cuda {

struct Group;

// Thread-safe: one launch at a time, since the lists of jobs are in the same memory. Every function returns when the device has
// done its work.
class Launcher {
  public:
    // Throws DeviceError when the build has no code for this device. The stream must outlive it.
    Launcher(int number, const cudaDeviceProp &properties, cudaStream_t stream);
    ~Launcher();
    Launcher(const Launcher &) = delete;
    Launcher &operator=(const Launcher &) = delete;

    // Shared memory of a block beside what the kernels use of themselves.
    int64_t shared_bytes() const { return shared_bytes_; }
    void initialise(const std::vector<InitialiseJob> &jobs);
    // Until all jobs are done or about `seconds` are over; negative: no limit. `what` is for the error message.
    template <class Job> void launch(std::vector<Job> jobs, const Task &task, double seconds, const char *what);

  private:
    void allow_shared_memory(const cudaDeviceProp &properties);
    cudaStream_t stream_of(size_t group);
    template <class Job> Shape shape_of(const Group &group, const Task &task, cudaStream_t stream) const;
    float *global_memory(const std::vector<Group> &groups, std::vector<Shape> &shapes);
    template <class Job> Job *upload(const std::vector<Job> &jobs);

    int number_, processors_;
    int64_t shared_bytes_ = 0;
    cudaStream_t stream_;
    cudaEvent_t ready_ = nullptr;
    std::vector<cudaStream_t> streams_;
    Buffer jobs_, next_, global_;
    std::mutex mutex_;
};

}  // namespace hyperband::cuda
