#include "cuda/gpu/device.hpp"

#include <mutex>
#include <optional>

#include "cuda/gpu/launcher.cuh"

namespace hyperband::cuda {
namespace {

__global__ void finite_kernel(const float *x, size_t n, int *bad) {
    bool found = false;
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < n; i += size_t{gridDim.x} * blockDim.x)
        found = found || (__float_as_uint(x[i]) & 0x7f800000u) == 0x7f800000u;
    if (found) *bad = 1;
}

class GpuDevice final : public Device {
  public:
    GpuDevice(int number, int threads) : number_(number) {
        const CurrentDevice current(number_);
        cudaDeviceProp p{};
        check(cudaGetDeviceProperties(&p, number_), "cudaGetDeviceProperties");
        facts_.name = p.name;
        facts_.number = number_;
        facts_.capability = std::to_string(p.major) + "." + std::to_string(p.minor);
        has_tensor_cores_ = p.major >= 8;
        facts_.threads = threads;
        facts_.total_bytes = static_cast<int64_t>(p.totalGlobalMem);
        facts_.processors = p.multiProcessorCount;
        check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
        launcher_.emplace(number_, p, stream_);
        facts_.shared_bytes = launcher_->shared_bytes();
    }
    ~GpuDevice() override {
        launcher_.reset();
        cudaStreamDestroy(stream_);
    }

    DeviceFacts facts() const override { return facts_; }

    void *allocate(size_t bytes) override {
        const CurrentDevice current(number_);
        void *memory = nullptr;
        const cudaError_t e = cudaMalloc(&memory, bytes);
        if (e == cudaErrorMemoryAllocation) {
            cudaGetLastError();
            return nullptr;
        }
        check(e, "cudaMalloc");
        return memory;
    }
    void release(void *memory) noexcept override {
        try {
            const CurrentDevice current(number_);
            cudaFree(memory);
        } catch (const DeviceError &) {  // the driver is gone, and the memory with it
        }
    }
    size_t free_bytes() const override {
        const CurrentDevice current(number_);
        size_t free = 0, total = 0;
        check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        return free;
    }
    void *allocate_pinned(size_t bytes) override {
        const CurrentDevice current(number_);
        void *memory = nullptr;
        const cudaError_t e = cudaMallocHost(&memory, bytes);
        if (e == cudaErrorMemoryAllocation) {
            cudaGetLastError();
            throw DeviceFull("the host has no " + std::to_string((bytes >> 20) + 1) +
                             " MiB of pinned memory left for networks that wait.");
        }
        check(e, "cudaMallocHost");
        return memory;
    }
    void release_pinned(void *memory) noexcept override { cudaFreeHost(memory); }
    void upload(void *to, const void *from, size_t bytes) override { copy(to, from, bytes, cudaMemcpyHostToDevice); }
    void download(void *to, const void *from, size_t bytes) override { copy(to, from, bytes, cudaMemcpyDeviceToHost); }

    void initialise(const std::vector<InitialiseJob> &jobs) override { launcher_->initialise(jobs); }
    void train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) override {
        if (task.precision != Precision::float32 && !has_tensor_cores_)
            throw DeviceError("products in tf32 or bf16 need compute capability 8.0 or newer; " + facts_.name + " has " +
                              facts_.capability + ". Use precision='float32'.");
        launcher_->launch(jobs, task, seconds, "training");
    }
    void evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) override {
        launcher_->launch(jobs, task, -1.0, "evaluation");
    }

    bool all_finite(const float *x, size_t n) override {
        const std::lock_guard<std::mutex> alone(finite_mutex_);
        const CurrentDevice current(number_);
        int *const bad = found_.of<int>(1);
        check(cudaMemsetAsync(bad, 0, sizeof(int), stream_), "cudaMemset");
        finite_kernel<<<8 * facts_.processors, kMostThreads, 0, stream_>>>(x, n, bad);
        check(cudaGetLastError(), "the kernel that looks for infinite numbers");
        int found = 0;
        download(&found, bad, sizeof found);
        return found == 0;
    }
    void wait_for(uintptr_t stream) override {
        const CurrentDevice current(number_);
        // 1 and 2 are the names of the default streams, legacy and per thread, in CUDA's own headers too.
        check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for the stream of the array");
    }
    int whose(const void *memory) const override {
        const CurrentDevice current(number_);
        cudaPointerAttributes a{};
        check(cudaPointerGetAttributes(&a, memory), "cudaPointerGetAttributes");
        if (a.type == cudaMemoryTypeManaged) return number_;
        return a.type == cudaMemoryTypeDevice ? a.device : -1;
    }

  private:
    void copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
        const CurrentDevice current(number_);
        check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "cudaMemcpy");
        check(cudaStreamSynchronize(stream_), "cudaMemcpy");
    }

    int number_;
    DeviceFacts facts_{};
    bool has_tensor_cores_ = false;  // of the kind that block/tensor.hpp needs
    cudaStream_t stream_ = nullptr;
    std::optional<Launcher> launcher_;
    Buffer found_;
    std::mutex finite_mutex_;  // asked from outside, while an engine works
};

}  // namespace

Gpus find_gpus() {
    Gpus r;
    const cudaError_t e = cudaGetDeviceCount(&r.count);
    if (e == cudaSuccess && r.count > 0) return r;
    cudaGetLastError();
    r.count = 0;
    int driver = 0, own = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&own);
    if (driver == 0)
        r.reason = "there is no NVIDIA driver on this machine";
    else if (e == cudaErrorInsufficientDriver)
        r.reason = "the NVIDIA driver is for CUDA " + version_text(driver) + ", this build needs " + version_text(own) +
                   ": update the driver";
    else if (e == cudaErrorNoDevice || e == cudaSuccess)
        r.reason = "the NVIDIA driver shows no GPU to this process (CUDA_VISIBLE_DEVICES may hide them)";
    else
        r.reason = std::string("the NVIDIA driver answers: ") + cudaGetErrorString(e);
    return r;
}

std::shared_ptr<Device> open_gpu(int number, int threads) {
    const Gpus found = find_gpus();
    if (number < 0 || number >= found.count)
        throw DeviceError("GPU " + std::to_string(number) + " was asked for, but " +
                          (found.count == 0 ? found.reason : "there are " + std::to_string(found.count)) + ".");
    return std::make_shared<GpuDevice>(number, threads);
}

std::string cuda_build() { return version_text(CUDART_VERSION) + ", architectures " HYPERBAND_CUDA_ARCHITECTURES; }

}  // namespace hyperband::cuda
