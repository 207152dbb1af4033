#include "cuda/host_device.hpp"

#include <cstdlib>
#include <new>

#include "core/finite.hpp"
#include "cuda/block/initialise.hpp"
#include "cuda/block/trainer.hpp"

namespace hyperband::cuda {

using Clock = std::chrono::steady_clock;

HostDevice::~HostDevice() {
    for (const auto &[memory, size] : sizes_) ::operator delete(memory, std::align_val_t{256});
}

DeviceFacts HostDevice::facts() const {
    DeviceFacts f;
    f.name = "host";
    f.capability = "none";
    f.threads = options_.threads;
    f.shared_bytes = options_.shared_bytes;
    f.total_bytes = options_.total_bytes;
    f.size_class = options_.size_class;
    return f;
}

void *HostDevice::allocate(size_t bytes) {
    if (bytes > free_bytes()) return nullptr;
    void *memory = ::operator new(bytes, std::align_val_t{256});
    std::memset(memory, 0xff, bytes);  // not a number
    sizes_[memory] = bytes;
    used_ += bytes;
    return memory;
}

void HostDevice::release(void *memory) noexcept {
    const auto found = sizes_.find(memory);
    if (found == sizes_.end()) return;
    used_ -= found->second;
    sizes_.erase(found);
    ::operator delete(memory, std::align_val_t{256});
}

void *HostDevice::allocate_pinned(size_t bytes) { return ::operator new(bytes, std::align_val_t{256}); }
void HostDevice::release_pinned(void *memory) noexcept { ::operator delete(memory, std::align_val_t{256}); }

void HostDevice::initialise(const std::vector<InitialiseJob> &jobs) {
    std::vector<Registers<4>> shared(1);
    HostBlock<false> block(options_, shared, nullptr, nullptr);
    for (const InitialiseJob &job : jobs) cuda::initialise(block, job);
}

// Calls run(block, class) with a block that has the memory which the job asks for.
template <class Job, class Run> void HostDevice::run(const Job &job, const Clock::time_point *deadline, const Run &run) {
    std::vector<Registers<4>> shared(static_cast<size_t>(job.plan.shared_size / 4 + 1)),
        global(static_cast<size_t>(job.plan.global_size / 4 + 1));
    const auto with = [&](auto block) {
        const auto as = [&](auto size_class) { run(block, size_class); };
        switch (job.plan.size_class) {
            case SizeClass::S: as(std::integral_constant<SizeClass, SizeClass::S>{}); break;
            case SizeClass::M: as(std::integral_constant<SizeClass, SizeClass::M>{}); break;
            case SizeClass::L: as(std::integral_constant<SizeClass, SizeClass::L>{}); break;
            case SizeClass::XL: as(std::integral_constant<SizeClass, SizeClass::XL>{}); break;
        }
        phases_ = block.phases();
    };
    if (options_.watched)
        with(HostBlock<true>(options_, shared, global.data()->number, deadline));
    else
        with(HostBlock<false>(options_, shared, global.data()->number, deadline));
}

void HostDevice::train(const std::vector<TrainJob> &jobs, const Task &task, double seconds) {
    const auto limit = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e9)));
    const Clock::time_point *const deadline = seconds < 0.0 ? nullptr : &limit;
    bool first = true;
    for (const TrainJob &job : jobs) {
        if (!first && deadline && Clock::now() >= limit) return;
        first = false;
        run(job, deadline, [&](auto &block, auto size_class) {
            using Block = std::remove_reference_t<decltype(block)>;
            constexpr SizeClass kClass = decltype(size_class)::value;
            switch (task.precision) {
                case Precision::float32:
                    return Trainer<Block, kClass, Precision::float32>(block, *job.network, job, task).run();
                case Precision::tf32: return Trainer<Block, kClass, Precision::tf32>(block, *job.network, job, task).run();
                case Precision::bf16: return Trainer<Block, kClass, Precision::bf16>(block, *job.network, job, task).run();
            }
        });
    }
}

void HostDevice::evaluate(const std::vector<EvaluateJob> &jobs, const Task &task) {
    for (const EvaluateJob &job : jobs)
        run(job, nullptr, [&](auto &block, auto size_class) {
            constexpr SizeClass kClass = decltype(size_class)::value;
            if constexpr (kClass == SizeClass::L || kClass == SizeClass::XL)
                cuda::evaluate<std::remove_reference_t<decltype(block)>, kClass>(block, *job.network, job, task);
        });
}

bool HostDevice::all_finite(const float *x, size_t n) { return hyperband::all_finite(x, n); }

}  // namespace hyperband::cuda
