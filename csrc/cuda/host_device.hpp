// A device whose blocks are loops on the host: the tests run the blocks' code on it.
#pragma once

#include "cuda/device.hpp"
#include "cuda/host_block.hpp"

namespace hyperband::cuda {

struct HostDeviceOptions : HostOptions {
    int64_t shared_bytes = 227 << 10, total_bytes = int64_t{1} << 30;
    int size_class = -1;  // of every member, if it is not negative
};

class HostDevice final : public Device {
  public:
    explicit HostDevice(const HostDeviceOptions &options) : options_(options) {}
    ~HostDevice() override;

    DeviceFacts facts() const override;
    void *allocate(size_t bytes) override;
    void release(void *memory) noexcept override;
    size_t free_bytes() const override { return static_cast<size_t>(options_.total_bytes) - used_; }
    void *allocate_pinned(size_t bytes) override;
    void release_pinned(void *memory) noexcept override;
    void upload(void *to, const void *from, size_t bytes) override { std::memcpy(to, from, bytes); }
    void download(void *to, const void *from, size_t bytes) override { std::memcpy(to, from, bytes); }
    void initialise(const std::vector<InitialiseJob> &jobs) override;
    void train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) override;
    void evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) override;
    bool all_finite(const float *x, size_t n) override;
    void wait_for(uintptr_t) override {}
    int whose(const void *) const override { return 0; }

    int64_t phases() const { return phases_; }  // of the newest job

  private:
    template <class Job, class Run>
    void run(const Job &job, const HostBlock<false>::Clock::time_point *deadline, const Run &run);

    HostDeviceOptions options_;
    std::unordered_map<void *, size_t> sizes_;
    size_t used_ = 0;
    int64_t phases_ = 0;
};

}  // namespace hyperband::cuda
