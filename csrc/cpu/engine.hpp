// The engine on the CPU: members, their data, and threads over members.
//
// Every public function takes the engine's lock, see core/engine_concept.hpp. Threads start and end with the call.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/engine_concept.hpp"
#include "core/member_table.hpp"
#include "cpu/dataset.hpp"
#include "cpu/member.hpp"
#include "cpu/training.hpp"

namespace hyperband::cpu {

class Engine;

// What one engine does in a call that trains members of several engines.
struct TrainingPart {
    Engine *engine;
    std::vector<int64_t> members, until;
    Slice slice;
};

class Engine {
  public:
    struct Resources {
        int threads;  // at least 1
    };
    using State = StateOf<Layout>;
    static constexpr bool kReadsDevice = false;

    // Throws std::invalid_argument when this machine has no instructions for the precision, or not those of HYPERBAND_ISA.
    Engine(const Problem &problem, Precision precision, const Resources &resources);

    std::vector<int64_t> add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                             const std::vector<int64_t> &total_steps);
    std::vector<char> train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, const Slice &slice);
    // `train` of several engines at once, whose members share the threads of the first; the answers are by part.
    static std::vector<std::vector<char>> train_together(const std::vector<TrainingPart> &parts);
    std::vector<Progress> progress(const std::vector<int64_t> &members);
    std::vector<Scores> evaluate(const std::vector<int64_t> &members, const Table &table, bool best);
    bool predict(int64_t id, const float *x, size_t n, bool best, float *out);
    void forget_best(int64_t id);
    void release(int64_t id);
    State state(int64_t id);
    void set_state(int64_t id, State state);

    static size_t bytes_per_member(const Architecture &architecture, const Ends &ends);
    Ends ends() const { return {n_inputs_, n_outputs_, numbers_}; }
    int n_inputs() const { return n_inputs_; }
    int n_outputs() const { return n_outputs_; }
    Loss loss() const { return loss_; }

  private:
    std::unique_ptr<Member> create(const Architecture &a, uint64_t seed, int64_t total_steps) const;
    TrainingTask task(const Slice &slice, TrainingTask::Clock::time_point now) const;
    std::vector<Job> jobs(const TrainingPart &part, const TrainingTask &task, std::vector<char> &arrived);
    std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }

    Loss loss_;
    int n_inputs_, n_outputs_, numbers_;
    Precision precision_;
    Dataset train_;
    std::optional<Dataset> validation_;
    std::vector<ThreadScratch> scratch_;  // one a thread
    MemberTable<Member> members_;
    std::mutex mutex_;
};

static_assert(PopulationEngine<Engine>);

}  // namespace hyperband::cpu
