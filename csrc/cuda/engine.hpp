// The engine on a device: one block of threads trains one network, all the time until its step.
//
// Members that do not fit on the device are in pinned host memory and come to it in waves. Every public function takes the
// engine's lock, see core/engine_concept.hpp.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "core/engine_concept.hpp"
#include "core/member_table.hpp"
#include "cuda/dataset.hpp"
#include "cuda/memory_plan.hpp"
#include "cuda/pool.hpp"

namespace hyperband::cuda {

struct Member {
    Network network{};          // as it was after the newest launch; its pointers hold while it is on the device
    char *memory = nullptr;     // on the device: weights, m, v, average, best, one after the other
    char *host_copy = nullptr;  // the same in pinned memory, while it is not on the device
    int64_t last_used = 0;      // by the engine's clock
    size_t row = 0;             // in the list of the call at hand,
    double cost = 0.0;          // and what it will cost
    MemoryPlan plan{};
    int64_t plan_batch = -1;  // that the plan was made for
    bool plan_crowded = false;

    const Architecture &architecture() const { return network.architecture; }
    bool finished(int64_t until) const { return network.counters.diverged || network.counters.step >= until; }
    int64_t active_inputs() const { return network.inputs(); }
    // On the device.
    const float *weights(bool best) const {
        if (best && network.counters.best_step >= 0) return network.best;
        return network.average ? network.average : network.weights;
    }
    size_t arena_bytes() const { return static_cast<size_t>(network.layout.size) * sizeof(float); }
    size_t bytes() const {
        const Architecture &a = architecture();
        return (2 + (a.has_first_moment() ? 1 : 0) + (a.has_second_moment() ? 1 : 0) + (a.has_average() ? 1 : 0)) *
               arena_bytes();
    }
};

class Engine {
  public:
    struct Resources {
        std::shared_ptr<Device> device;
        size_t limit;  // bytes of the device's memory that data and members may take; 0: most of what is free
    };
    using State = StateOf<DeviceLayout>;
    static constexpr bool kReadsDevice = true;

    // Throws DeviceFull when the device has no room for the data.
    Engine(const Problem &problem, Precision precision, const Resources &resources);
    ~Engine();

    std::vector<int64_t> add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                             const std::vector<int64_t> &total_steps);
    std::vector<char> train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, const Slice &slice);
    std::vector<Progress> progress(const std::vector<int64_t> &members);
    std::vector<Scores> evaluate(const std::vector<int64_t> &members, const Table &table, bool best);
    bool predict(int64_t id, const float *x, size_t n, bool best, float *out);
    // The same with x (n, n_inputs) and out (n, n_outputs) on the device, nothing padded; nothing is copied to the host.
    bool predict_on_device(int64_t id, const float *x, size_t n, bool best, float *out);
    void forget_best(int64_t id);
    void release(int64_t id);
    State state(int64_t id);
    void set_state(int64_t id, State state);

    static size_t bytes_per_member(const Architecture &architecture, const Ends &ends);
    Ends ends() const { return {n_inputs_, n_outputs_, numbers_}; }
    int n_inputs() const { return n_inputs_; }
    int n_outputs() const { return n_outputs_; }
    Loss loss() const { return loss_; }
    // How a block trains the member beside all others, with batches out of all rows if it has not begun.
    MemoryPlan memory_plan(int64_t id);
    // Bytes that members may take on the device.
    size_t capacity();

  private:
    std::unique_ptr<Member> create(const Architecture &architecture, uint64_t seed, int64_t total_steps) const;
    void set_pointers(Member &m) const;
    bool bring(Member &m, int64_t since);
    void evict(Member &m);
    void free_memory(Member &m) noexcept;
    [[noreturn]] void refuse(const Member &m) const;
    template <class Visit> void for_each_arena(const Member &m, const Visit &visit) const;
    template <class Work> void in_waves(std::vector<Member *> members, const Work &work);
    Network *reserve_networks(size_t n);
    void train_wave(std::vector<Member *> &wave, const std::vector<int64_t> &until, bool validate, double seconds);
    std::vector<EvaluateJob> evaluation_jobs(const std::vector<Member *> &wave, Network *there, const DeviceRows &rows,
                                             bool best, Sums *sums) const;
    const Network *upload_alone(Member &m);
    void compute_outputs(const Member &m, const Network *there, const DeviceRows &rows, bool best, float *to);
    Task task(bool validate) const;
    const MemoryPlan &plan_of(Member &m, bool crowded);
    BlockLimits limits(bool crowded) const { return {facts_.threads, facts_.shared_bytes, crowded, facts_.size_class}; }
    bool crowded(size_t members) const { return members >= 2 * static_cast<size_t>(facts_.processors); }
    std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }

    Loss loss_;
    int n_inputs_, n_outputs_, numbers_;
    Precision precision_;
    std::shared_ptr<Device> device_;
    DeviceFacts facts_;
    size_t limit_;
    Dataset train_;
    std::unique_ptr<Dataset> validation_;
    Pool pool_;
    Network *networks_ = nullptr;  // on the device: those of a launch
    size_t networks_capacity_ = 0;
    MemberTable<Member> members_;
    int64_t clock_ = 0;  // counts uses of members
    std::mutex mutex_;
};

static_assert(PopulationEngine<Engine>);

// Calls work(some of the members, which are on the device now) until each was in one wave; false ends it.
template <class Work> void Engine::in_waves(std::vector<Member *> members, const Work &work) {
    std::stable_sort(members.begin(), members.end(),  // those that are there already come first
                     [](const Member *a, const Member *b) { return (a->memory != nullptr) > (b->memory != nullptr); });
    for (size_t first = 0; first < members.size();) {
        std::vector<Member *> wave;
        const int64_t since = clock_;
        while (first < members.size() && bring(*members[first], since)) wave.push_back(members[first++]);
        if (wave.empty()) refuse(*members[first]);
        if (!work(wave)) return;
    }
}

// Calls visit(which arena of a State, offset in bytes) for each arena that the member has, in the order of its memory.
template <class Visit> void Engine::for_each_arena(const Member &m, const Visit &visit) const {
    size_t offset = 0;
    const auto next = [&](Floats State::*arena, bool exists) {
        if (!exists) return;
        visit(arena, offset);
        offset += m.arena_bytes();
    };
    next(&State::weights, true);
    next(&State::m, m.architecture().has_first_moment());
    next(&State::v, m.architecture().has_second_moment());
    next(&State::average, m.architecture().has_average());
    next(&State::best, true);
}

}  // namespace hyperband::cuda
