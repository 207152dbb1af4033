// A population of networks on the CPU: members, their data, and threads over members.
//
// Thread-safe: every public function takes the engine's lock, so two calls never overlap. The bits of a member depend on
// its own record and the data alone: nothing here lets one member's arithmetic see another's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/precision.hpp"
#include "core/state.hpp"
#include "core/table.hpp"
#include "cpu/member.hpp"

namespace hyperband::cpu {

// Rows with targets, copied into padded storage.
class Dataset {
  public:
    Dataset() = default;
    Dataset(const Table &table, int n_inputs, int n_outputs);
    size_t n() const { return n_; }
    Rows rows(size_t first = 0) const;

  private:
    size_t n_ = 0, stride_ = 0, target_stride_ = 0;
    Floats x_, target_, weight_;
    std::vector<int32_t> label_;
};

inline size_t blocks_of(size_t rows) { return (rows + kEvaluationRows - 1) / kEvaluationRows; }

class Pack;
class Engine {
  public:
    Engine(const Table &train, const Table *validation, Loss loss, int n_inputs, int n_outputs, int threads,
           Precision precision);

    // All of them or, when memory runs out, none.
    std::vector<int64_t> add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                             const std::vector<int64_t> &total_steps);
    void release(int64_t id);
    // Trains members[i] until step until[i]; seconds < 0: no limit. Answers who has arrived.
    std::vector<char> train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows, int inputs,
                            bool evaluate, double seconds);
    std::vector<Scores> evaluate(const std::vector<int64_t> &members, const Table &table, bool best);
    // See predict_rows.
    bool predict(int64_t id, const float *x, size_t n, bool best, float *out);
    void forget_best(int64_t id);
    StateOf<Layout> state(int64_t id);
    void set_state(int64_t id, StateOf<Layout> state);

    int n_inputs() const { return n_inputs_; }
    int n_outputs() const { return n_outputs_; }
    Loss loss() const { return loss_; }
    // Throws std::out_of_range naming an unknown id. The caller holds lock().
    Member &member(int64_t id);
    std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }
    static size_t bytes_per_member(const Architecture &architecture, int n_inputs, int n_outputs);

  private:
    using Clock = std::chrono::steady_clock;
    struct TrainingTarget {
        Member *member;
        int64_t until;
        char *arrived;
    };
    struct Job {  // one member, or a pack of them
        std::vector<TrainingTarget> targets;
        double part_flops, cost;  // about: of rows that go together; of all that is left, see Cost
    };
    struct Team;
    std::unique_ptr<Member> create(const Architecture &a, uint64_t seed, int64_t total_steps) const;
    std::vector<Job> packed(const std::vector<Job> &jobs, int threads) const;
    std::vector<int> team_sizes(const std::vector<Job> &jobs, int threads) const;
    bool train_member(const TrainingTarget &target, bool evaluate, const Clock::time_point *deadline, Team &team, Share share,
                      ThreadScratch &scratch) const;
    void train_pack(const std::vector<TrainingTarget> &targets, bool evaluate, const Clock::time_point *deadline,
                    ThreadScratch &scratch) const;
    void validate(Member &m, const Counters &c, Team &team, Share share, const Workspace &work) const;
    void validate(Pack &pack, const std::vector<TrainingTarget> &targets, const std::vector<char> &living) const;
    // Of one block of rows.
    Sums evaluate_block(const Member &m, const float *weights, int64_t inputs, const Dataset &data, size_t block,
                        const Workspace &work) const;
    int64_t active_inputs(const Member &m) const;
    template <class Work> void over_threads(size_t n, const Work &work);

    Dataset train_;
    std::optional<Dataset> validation_;
    Loss loss_;
    int n_inputs_, n_outputs_;
    Precision precision_;
    std::vector<ThreadScratch> scratch_;  // one a thread
    std::unordered_map<int64_t, std::unique_ptr<Member>> members_;
    int64_t next_id_ = 0;
    std::mutex mutex_;
};

// Outputs of a network on n rows of x (n, n_inputs), rows dealt to the scratch's threads; out (n, n_outputs). False when x
// holds a number that is not finite: then `out` means nothing.
bool predict_rows(const Layout &layout, Activation activation, int inputs, const float *weights, const float *x, size_t n,
                  int n_inputs, int n_outputs, float *out, std::vector<ThreadScratch> &scratch);

}  // namespace hyperband::cpu
