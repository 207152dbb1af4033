#include "cuda/gpu/launcher.cuh"

#include <map>
#include <type_traits>

#include "cuda/block/initialise.hpp"
#include "cuda/gpu/block.cuh"

namespace hyperband::cuda {

// Jobs that are started together: of one size class and block size.
struct Group {
    size_t first = 0, count = 0;
    SizeClass size_class{};
    int threads = 0;
    int64_t shared = 0, global = 0;  // floats, of the largest
};

namespace {

__global__ void stamp_kernel(uint64_t *deadline, double seconds) {
    *deadline = seconds < 0.0 ? ~uint64_t{0} : nanoseconds() + static_cast<uint64_t>((seconds < 1e9 ? seconds : 1e9) * 1e9);
}

__global__ void __launch_bounds__(kMostThreads) initialise_kernel(const InitialiseJob *jobs, int n) {
    GpuBlock block(nullptr, 0);
    for (int i = static_cast<int>(blockIdx.x); i < n; i += static_cast<int>(gridDim.x)) initialise(block, jobs[i]);
}

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

}  // namespace

Launcher::Launcher(int number, const cudaDeviceProp &properties, cudaStream_t stream)
    : number_(number), processors_(properties.multiProcessorCount), stream_(stream) {
    allow_shared_memory(properties);
    check(cudaEventCreateWithFlags(&ready_, cudaEventDisableTiming), "cudaEventCreate");
}

Launcher::~Launcher() {
    for (const cudaStream_t s : streams_) cudaStreamDestroy(s);
    cudaEventDestroy(ready_);
}

// Lets all kernels have as much shared memory as the device has.
void Launcher::allow_shared_memory(const cudaDeviceProp &p) {
    const auto most = static_cast<int>(p.sharedMemPerBlockOptin);
    std::vector<size_t> own;
    std::vector<cudaError_t> found;
    const auto training = [&](auto tag, auto precision) {
        return allow_training<decltype(tag)::value, decltype(precision)::value>(most, &own.emplace_back());
    };
    const auto evaluation = [&](auto tag) { return allow_evaluation<decltype(tag)::value>(most, &own.emplace_back()); };
    for (const SizeClass c : {SizeClass::S, SizeClass::M, SizeClass::L, SizeClass::XL})
        for (const Precision precision : {Precision::float32, Precision::tf32, Precision::bf16})
            found.push_back(for_training(c, precision, training));
    for (const SizeClass c : {SizeClass::L, SizeClass::XL}) found.push_back(for_evaluation(c, evaluation));
    for (const cudaError_t e : found) {
        if (e == cudaErrorNoKernelImageForDevice || e == cudaErrorInvalidDeviceFunction ||
            e == cudaErrorUnsupportedPtxVersion) {
            cudaGetLastError();
            throw DeviceError("this build has code for the architectures " HYPERBAND_CUDA_ARCHITECTURES ", but " +
                              std::string(p.name) + " is " + std::to_string(p.major) + std::to_string(p.minor) +
                              ". Build with HYPERBAND_CUDA_ARCHITECTURES=" + std::to_string(p.major) + std::to_string(p.minor) +
                              ".");
        }
        check(e, "cudaFuncSetAttribute");
    }
    shared_bytes_ = most - static_cast<int64_t>(*std::max_element(own.begin(), own.end()));
}

template <class Job> Job *Launcher::upload(const std::vector<Job> &jobs) {
    Job *const there = jobs_.of<Job>(jobs.size());
    check(cudaMemcpyAsync(there, jobs.data(), jobs.size() * sizeof(Job), cudaMemcpyHostToDevice, stream_), "cudaMemcpy");
    check(cudaStreamSynchronize(stream_), "cudaMemcpy");
    return there;
}

void Launcher::initialise(const std::vector<InitialiseJob> &jobs) {
    if (jobs.empty()) return;
    const std::lock_guard<std::mutex> alone(mutex_);
    const CurrentDevice current(number_);
    const auto n = static_cast<int>(jobs.size());
    initialise_kernel<<<std::min(n, 8 * processors_), kMostThreads, 0, stream_>>>(upload(jobs), n);
    check(cudaGetLastError(), "the kernel of initial weights");
    check(cudaStreamSynchronize(stream_), "the kernel of initial weights");
}

cudaStream_t Launcher::stream_of(size_t group) {
    while (streams_.size() <= group) {
        cudaStream_t s = nullptr;
        check(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
        streams_.push_back(s);
    }
    return streams_[group];
}

// How a group is started: as many blocks as run at a time.
template <class Job> Shape Launcher::shape_of(const Group &g, const Task &task, cudaStream_t stream) const {
    Shape shape{0, g.threads, static_cast<size_t>(g.shared) * 4, stream};
    check(residents_of(static_cast<const Job *>(nullptr), shape, task, g.size_class, &shape.blocks), "asking for occupancy");
    const int64_t most = static_cast<int64_t>(std::max(1, shape.blocks)) * processors_;
    shape.blocks = static_cast<int>(std::min<int64_t>(static_cast<int64_t>(g.count), most));
    return shape;
}

// Every group on a stream of its own: when the blocks of one have no job left, those of the next take over.
template <class Job> void Launcher::launch(std::vector<Job> jobs, const Task &task, double seconds, const char *what) {
    if (jobs.empty()) return;
    const std::lock_guard<std::mutex> alone(mutex_);
    const CurrentDevice current(number_);
    const std::vector<Group> groups = grouped(jobs);
    std::vector<Shape> shapes;
    for (size_t i = 0; i < groups.size(); ++i) shapes.push_back(shape_of<Job>(groups[i], task, stream_of(i)));
    float *const global = global_memory(groups, shapes);
    Job *const there = upload(jobs);
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
    for (size_t i = 0; i < started; ++i)  // all of them: none may still run when this returns
        if (const cudaError_t e = cudaStreamSynchronize(shapes[i].stream); first == cudaSuccess) first = e;
    check(first, what);
}

// The blocks' parts of global memory; fewer blocks where there is too little.
float *Launcher::global_memory(const std::vector<Group> &groups, std::vector<Shape> &shapes) {
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

template void Launcher::launch(std::vector<TrainJob>, const Task &, double, const char *);
template void Launcher::launch(std::vector<EvaluateJob>, const Task &, double, const char *);

}  // namespace hyperband::cuda
