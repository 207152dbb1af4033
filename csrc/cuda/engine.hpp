// A population of networks on a device: one block trains one network, all the time until its step.
//
// Members that do not fit are in pinned host memory and come to the device in waves. Thread-safe, like the CPU's engine:
// every public function takes the lock.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/precision.hpp"
#include "core/state.hpp"
#include "cuda/dataset.hpp"
#include "cuda/memory_plan.hpp"
#include "cuda/pool.hpp"

namespace hyperband::cuda {

struct Member {
    Network network;  // as it was after the newest launch; its pointers hold while it is on the device
    char *memory = nullptr;  // on the device: weights, m, v, best, one after the other
    char *page = nullptr;    // the same on the host, while it is not on the device
    int64_t used = 0;        // when it was last needed
    size_t turn = 0;         // its place in the list of the call at hand,
    double cost = 0.0;       // and what it will cost
    MemoryPlan plan{};
    int64_t plan_batch = -1;  // for batches of so many rows,
    bool plan_crowded = false;

    int arenas() const {
        return 2 + (network.architecture.has_first_moment() ? 1 : 0) + (network.architecture.has_second_moment() ? 1 : 0);
    }
    size_t bytes() const { return static_cast<size_t>(arenas() * network.layout.size) * sizeof(float); }
};

using State = StateOf<DeviceLayout>;

class Engine {
  public:
    // limit: bytes of the device's memory that data and members may take; 0: most of what is free.
    Engine(std::shared_ptr<Device> device, const Table &train, const Table *validation, Loss loss, int n_inputs, int n_outputs,
           size_t limit, Precision precision);
    ~Engine();

    std::vector<int64_t> add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                             const std::vector<int64_t> &total_steps);
    void release(int64_t id);
    std::vector<char> train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows, int inputs,
                            bool evaluate, double seconds);
    std::vector<Scores> evaluate(const std::vector<int64_t> &members, const Table &table, bool best);
    bool predict(int64_t id, const float *x, size_t n, bool best, float *out);
    // The same with x (n, n_inputs) and out (n, n_outputs) on the device, nothing padded; they cross to nowhere.
    bool predict_on_device(int64_t id, const float *x, size_t n, bool best, float *out);
    void forget_best(int64_t id);
    State state(int64_t id);
    void set_state(int64_t id, State state);

    int n_inputs() const { return n_inputs_; }
    int n_outputs() const { return n_outputs_; }
    Loss loss() const { return loss_; }
    // Counters, record and layout of a member. The caller holds lock().
    const Network &member(int64_t id) { return find(id).network; }
    std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }
    // How a block trains the member beside all others, with batches out of all rows if it has not begun.
    MemoryPlan memory_plan(int64_t id);
    // Bytes that members may take on the device.
    size_t capacity();
    static size_t bytes_per_member(const Architecture &architecture, int n_inputs, int n_outputs);

  private:
    Member &find(int64_t id);
    void point(Member &m) const;
    bool come(Member &m, int64_t since);
    void leave(Member &m);
    [[noreturn]] void refuse(const Member &m) const;
    template <class Work> void in_waves(std::vector<Member *> members, const Work &work);
    Network *networks(size_t n);
    const Network *alone(Member &m);
    void send_through(const Member &m, const Network *there, const DeviceRows &rows, bool best, float *to);
    Task task(bool evaluate) const;
    const MemoryPlan &plan_of(Member &m, bool crowded);
    BlockLimits limits(bool crowded) const { return {facts_.threads, facts_.shared_bytes, crowded, facts_.size_class}; }
    bool crowded(size_t members) const { return members >= 2 * static_cast<size_t>(facts_.processors); }
    void drop(Member &m) noexcept;

    std::shared_ptr<Device> device_;
    DeviceFacts facts_;
    size_t limit_;
    Dataset train_;
    std::unique_ptr<Dataset> validation_;
    Loss loss_;
    int n_inputs_, n_outputs_;
    Precision precision_;
    Pool pool_;
    Network *networks_ = nullptr;  // room on the device for those of a launch
    size_t networks_room_ = 0;
    std::unordered_map<int64_t, std::unique_ptr<Member>> members_;
    int64_t next_id_ = 0, now_ = 0;
    std::mutex mutex_;
};

// Calls work(some of the members, on the device now) until all have had their turn; false ends it.
template <class Work> void Engine::in_waves(std::vector<Member *> members, const Work &work) {
    std::stable_sort(members.begin(), members.end(),  // those that are there already come first
                     [](const Member *a, const Member *b) { return (a->memory != nullptr) > (b->memory != nullptr); });
    for (size_t first = 0; first < members.size();) {
        std::vector<Member *> wave;
        const int64_t since = now_;
        while (first < members.size() && come(*members[first], since)) wave.push_back(members[first++]);
        if (wave.empty()) refuse(*members[first]);
        if (!work(wave)) return;
    }
}

}  // namespace hyperband::cuda
