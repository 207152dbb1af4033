#include "cuda/gpu/device.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <type_traits>

#include "cuda/block/initialise.hpp"
#include "cuda/gpu/block.cuh"
#include "cuda/gpu/launches.cuh"

#ifndef HYPERBAND_CUDA_ARCHITECTURES
#define HYPERBAND_CUDA_ARCHITECTURES "unknown"
#endif

namespace hyperband::cuda {
namespace {

std::string version_text(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

void check(cudaError_t e, const char *call) {
    if (e == cudaSuccess) return;
    cudaGetLastError();  // the next call must not find it
    throw DeviceError(std::string(call) + " failed: " + cudaGetErrorString(e) + " (" + cudaGetErrorName(e) + ").");
}

// Makes a device the thread's own for a while: other libraries in this thread keep theirs.
class Current {
  public:
    explicit Current(int number) : number_(number) {
        check(cudaGetDevice(&before_), "cudaGetDevice");
        if (before_ != number) check(cudaSetDevice(number), "cudaSetDevice");
    }
    ~Current() {
        if (before_ == number_) return;
        cudaSetDevice(before_);
        cudaGetLastError();  // nobody asked for this
    }
    Current(const Current &) = delete;
    Current &operator=(const Current &) = delete;

  private:
    int number_, before_ = 0;
};

__global__ void stamp_kernel(uint64_t *deadline, double seconds) {
    *deadline = seconds < 0.0 ? ~uint64_t{0} : nanoseconds() + static_cast<uint64_t>((seconds < 1e9 ? seconds : 1e9) * 1e9);
}

__global__ void __launch_bounds__(kMostThreads) initialise_kernel(const InitialiseJob *jobs, int n) {
    GpuBlock block(nullptr, 0);
    for (int i = static_cast<int>(blockIdx.x); i < n; i += static_cast<int>(gridDim.x)) initialise(block, jobs[i]);
}

__global__ void finite_kernel(const float *x, size_t n, int *bad) {
    bool found = false;
    for (size_t i = blockIdx.x * size_t{blockDim.x} + threadIdx.x; i < n; i += size_t{gridDim.x} * blockDim.x)
        found = found || (__float_as_uint(x[i]) & 0x7f800000u) == 0x7f800000u;
    if (found) *bad = 1;
}

// Grows when more is asked for than before; what was in it is lost.
class Buffer {
  public:
    ~Buffer() { cudaFree(memory_); }
    Buffer() = default;
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;
    // Null when there is not so much left.
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

// Jobs that are started together: kernels of one class, blocks of one size.
struct Group {
    size_t first = 0, count = 0;
    SizeClass size_class{};
    int threads = 0;
    int64_t shared = 0, global = 0;  // floats, of the largest
};

template <class Job> std::vector<Group> grouped(std::vector<Job> &jobs) {
    std::map<std::pair<SizeClass, int>, int> seen;  // in the order in which they come: the longest job's first
    const auto key = [](const Job &j) { return std::pair(j.plan.size_class, j.plan.threads); };
    for (const Job &j : jobs) seen.emplace(key(j), static_cast<int>(seen.size()));
    std::stable_sort(jobs.begin(), jobs.end(), [&](const Job &a, const Job &b) { return seen[key(a)] < seen[key(b)]; });
    std::vector<Group> groups;
    for (size_t i = 0; i < jobs.size(); ++i) {
        const MemoryPlan &p = jobs[i].plan;
        if (groups.empty() || key(jobs[i]) != std::pair(groups.back().size_class, groups.back().threads))
            groups.push_back({i, 0, p.size_class, p.threads, 0, 0});
        Group &g = groups.back();
        ++g.count;
        g.shared = std::max(g.shared, p.shared_size);
        g.global = std::max(g.global, (p.global_size + 63) / 64 * 64);
    }
    return groups;
}

template <SizeClass kClass> using ClassTag = std::integral_constant<SizeClass, kClass>;

template <Precision kPrecision> using PrecisionTag = std::integral_constant<Precision, kPrecision>;

// call(class, precision), as constants.
template <class P, class Call> cudaError_t for_class(SizeClass c, P precision, const Call &call) {
    switch (c) {
        case SizeClass::S: return call(ClassTag<SizeClass::S>{}, precision);
        case SizeClass::M: return call(ClassTag<SizeClass::M>{}, precision);
        case SizeClass::L: return call(ClassTag<SizeClass::L>{}, precision);
        default: return call(ClassTag<SizeClass::XL>{}, precision);
    }
}
template <class Call> cudaError_t for_training(SizeClass c, Precision precision, const Call &call) {
    switch (precision) {
        case Precision::tf32: return for_class(c, PrecisionTag<Precision::tf32>{}, call);
        case Precision::bf16: return for_class(c, PrecisionTag<Precision::bf16>{}, call);
        default: return for_class(c, PrecisionTag<Precision::float32>{}, call);
    }
}
template <class Call> cudaError_t for_evaluation(SizeClass c, const Call &call) {
    return c == SizeClass::L ? call(ClassTag<SizeClass::L>{}) : call(ClassTag<SizeClass::XL>{});
}

cudaError_t start(const Shape &shape, const JobList<TrainJob> &list, const Task &task, SizeClass c) {
    return for_training(c, task.precision, [&](auto tag, auto precision) {
        return start_training<decltype(tag)::value, decltype(precision)::value>(shape, list, task);
    });
}
cudaError_t start(const Shape &shape, const JobList<EvaluateJob> &list, const Task &task, SizeClass c) {
    return for_evaluation(c, [&](auto tag) { return start_evaluation<decltype(tag)::value>(shape, list, task); });
}
cudaError_t residents_of(const TrainJob *, const Shape &shape, const Task &task, SizeClass c, int *n) {
    return for_training(c, task.precision, [&](auto tag, auto precision) {
        return training_residents<decltype(tag)::value, decltype(precision)::value>(shape, n);
    });
}
cudaError_t residents_of(const EvaluateJob *, const Shape &shape, const Task &, SizeClass c, int *n) {
    return for_evaluation(c, [&](auto tag) { return evaluation_residents<decltype(tag)::value>(shape, n); });
}

class GpuDevice final : public Device {
  public:
    GpuDevice(int number, int threads) : number_(number) {
        const Current current(number_);
        cudaDeviceProp p{};
        check(cudaGetDeviceProperties(&p, number_), "cudaGetDeviceProperties");
        allow(static_cast<int>(p.sharedMemPerBlockOptin), p);
        facts_.name = p.name;
        facts_.number = number_;
        facts_.capability = std::to_string(p.major) + "." + std::to_string(p.minor);
        has_tensor_cores_ = p.major >= 8;
        facts_.threads = threads;
        facts_.total_bytes = static_cast<int64_t>(p.totalGlobalMem);
        facts_.processors = p.multiProcessorCount;
        check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
        check(cudaEventCreateWithFlags(&ready_, cudaEventDisableTiming), "cudaEventCreate");
    }
    ~GpuDevice() override {
        for (const cudaStream_t s : streams_) cudaStreamDestroy(s);
        cudaEventDestroy(ready_);
        cudaStreamDestroy(stream_);
    }

    DeviceFacts facts() const override { return facts_; }

    void *allocate(size_t bytes) override {
        const Current current(number_);
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
            const Current current(number_);
            cudaFree(memory);
        } catch (const DeviceError &) {  // the driver is gone, and the memory with it
        }
    }
    size_t free_bytes() const override {
        const Current current(number_);
        size_t free = 0, total = 0;
        check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        return free;
    }
    void *allocate_pinned(size_t bytes) override {
        const Current current(number_);
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

    void initialise(const std::vector<InitialiseJob> &jobs) override {
        if (jobs.empty()) return;
        const std::lock_guard<std::mutex> alone(launch_mutex_);
        const Current current(number_);
        auto *const there = jobs_.of<InitialiseJob>(jobs.size());
        upload(there, jobs.data(), jobs.size() * sizeof(InitialiseJob));
        const auto n = static_cast<int>(jobs.size());
        initialise_kernel<<<std::min(n, 8 * facts_.processors), kMostThreads, 0, stream_>>>(there, n);
        check(cudaGetLastError(), "the kernel of initial weights");
        check(cudaStreamSynchronize(stream_), "the kernel of initial weights");
    }
    void train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) override {
        if (task.precision != Precision::float32 && !has_tensor_cores_)
            throw DeviceError("products in tf32 or bf16 need compute capability 8.0 or newer; " + facts_.name + " has " +
                              facts_.capability + ". Use precision='float32'.");
        launch(jobs, task, seconds, "training");
    }
    void evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) override { launch(jobs, task, -1.0, "evaluation"); }

    bool all_finite(const float *x, size_t n) override {
        const std::lock_guard<std::mutex> alone(finite_mutex_);
        const Current current(number_);
        int *const bad = found_.of<int>(1);
        check(cudaMemsetAsync(bad, 0, sizeof(int), stream_), "cudaMemset");
        finite_kernel<<<8 * facts_.processors, kMostThreads, 0, stream_>>>(x, n, bad);
        check(cudaGetLastError(), "the kernel that looks for infinite numbers");
        int found = 0;
        download(&found, bad, sizeof found);
        return found == 0;
    }
    void wait_for(uintptr_t stream) override {
        const Current current(number_);
        // 1 and 2 are the names of the default streams, legacy and per thread, in CUDA's own headers too.
        check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for the stream of the array");
    }
    int whose(const void *memory) const override {
        const Current current(number_);
        cudaPointerAttributes a{};
        check(cudaPointerGetAttributes(&a, memory), "cudaPointerGetAttributes");
        if (a.type == cudaMemoryTypeManaged) return number_;
        return a.type == cudaMemoryTypeDevice ? a.device : -1;
    }

  private:
    // Shared memory up to the device's most, for all kernels; shared_bytes is what is left beside their own.
    void allow(int most, const cudaDeviceProp &p) {
        std::vector<size_t> own;
        std::vector<cudaError_t> found;
        const auto training = [&](auto tag, auto precision) {
            return allow_training<decltype(tag)::value, decltype(precision)::value>(most, &own.emplace_back());
        };
        const auto evaluation = [&](auto tag) { return allow_evaluation<decltype(tag)::value>(most, &own.emplace_back()); };
        for (const SizeClass c : {SizeClass::S, SizeClass::M, SizeClass::L, SizeClass::XL})
            for (const Precision p : {Precision::float32, Precision::tf32, Precision::bf16})
                found.push_back(for_training(c, p, training));
        for (const SizeClass c : {SizeClass::L, SizeClass::XL}) found.push_back(for_evaluation(c, evaluation));
        for (const cudaError_t e : found) {
            if (e == cudaErrorNoKernelImageForDevice || e == cudaErrorInvalidDeviceFunction ||
                e == cudaErrorUnsupportedPtxVersion) {
                cudaGetLastError();
                throw DeviceError("this build has code for the architectures " HYPERBAND_CUDA_ARCHITECTURES ", but " +
                                  std::string(p.name) + " is " + std::to_string(p.major) + std::to_string(p.minor) +
                                  ". Build with HYPERBAND_CUDA_ARCHITECTURES=" + std::to_string(p.major) +
                                  std::to_string(p.minor) + ".");
            }
            check(e, "cudaFuncSetAttribute");
        }
        facts_.shared_bytes = most - static_cast<int64_t>(*std::max_element(own.begin(), own.end()));
    }

    void copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
        const Current current(number_);
        check(cudaMemcpyAsync(to, from, bytes, kind, stream_), "cudaMemcpy");
        check(cudaStreamSynchronize(stream_), "cudaMemcpy");
    }

    cudaStream_t stream_of(size_t group) {
        while (streams_.size() <= group) {
            cudaStream_t s = nullptr;
            check(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
            streams_.push_back(s);
        }
        return streams_[group];
    }

    // How a group is started: as many blocks as run at a time.
    template <class Job> Shape shape_of(const Group &g, const Task &task, cudaStream_t stream) const {
        Shape shape{0, g.threads, static_cast<size_t>(g.shared) * 4, stream};
        check(residents_of(static_cast<const Job *>(nullptr), shape, task, g.size_class, &shape.blocks),
              "asking for occupancy");
        const int64_t most = static_cast<int64_t>(std::max(1, shape.blocks)) * facts_.processors;
        shape.blocks = static_cast<int>(std::min<int64_t>(static_cast<int64_t>(g.count), most));
        return shape;
    }

    // Every group on a stream of its own: when the blocks of one have no job left, those of the next take their plan.
    template <class Job> void launch(std::vector<Job> jobs, const Task &task, double seconds, const char *what) {
        if (jobs.empty()) return;
        const std::lock_guard<std::mutex> alone(launch_mutex_);
        const Current current(number_);
        const std::vector<Group> groups = grouped(jobs);
        std::vector<Shape> shapes;
        for (size_t i = 0; i < groups.size(); ++i) shapes.push_back(shape_of<Job>(groups[i], task, stream_of(i)));
        float *const global = global_memory(groups, shapes);
        Job *const there = jobs_.of<Job>(jobs.size());
        upload(there, jobs.data(), jobs.size() * sizeof(Job));
        const size_t counters = (groups.size() + 1) / 2 * 2;
        int *const next = next_.of<int>(counters + 2);
        auto *const deadline = reinterpret_cast<uint64_t *>(next + counters);
        check(cudaMemsetAsync(next, 0, counters * sizeof(int), stream_), "cudaMemset");
        stamp_kernel<<<1, 1, 0, stream_>>>(deadline, seconds);
        check(cudaEventRecord(ready_, stream_), "cudaEventRecord");
        int64_t offset = 0;
        size_t started = 0;
        cudaError_t first = cudaSuccess;
        for (; started < groups.size() && first == cudaSuccess; ++started) {
            const Group &g = groups[started];
            const Shape &shape = shapes[started];
            const JobList<Job> list{there + g.first, static_cast<int>(g.count), next + started, global + offset, g.global,
                                    deadline};
            first = cudaStreamWaitEvent(shape.stream, ready_, 0);
            if (first == cudaSuccess) first = start(shape, list, task, g.size_class);
            offset += g.global * shape.blocks;
        }
        for (size_t i = 0; i < started; ++i)  // all of them: none may run on when this returns
            if (const cudaError_t e = cudaStreamSynchronize(shapes[i].stream); first == cudaSuccess) first = e;
        check(first, what);
    }

    // The blocks' parts of global memory; fewer blocks where there is too little.
    float *global_memory(const std::vector<Group> &groups, std::vector<Shape> &shapes) {
        while (true) {
            size_t floats = 0;
            for (size_t i = 0; i < groups.size(); ++i)
                floats += static_cast<size_t>(groups[i].global) * static_cast<size_t>(shapes[i].blocks);
            if (floats == 0) return nullptr;
            if (void *memory = global_.reserve(floats * sizeof(float))) return static_cast<float *>(memory);
            bool fewer = false;
            for (Shape &s : shapes) {
                fewer = fewer || s.blocks > 1;
                s.blocks = std::max(1, s.blocks / 2);
            }
            if (!fewer) return global_.of<float>(floats);  // says what is missing
        }
    }

    int number_;
    DeviceFacts facts_{};
    bool has_tensor_cores_ = false;  // of the kind that block/tensor.hpp needs
    cudaStream_t stream_ = nullptr;
    cudaEvent_t ready_ = nullptr;
    std::vector<cudaStream_t> streams_;
    Buffer jobs_, next_, global_, found_;
    std::mutex launch_mutex_;  // several engines share the device: their lists of jobs lie in the same memory
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
