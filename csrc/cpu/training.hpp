// What the members that train in one call share, and the training of one member and of a pack.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "core/precision.hpp"
#include "cpu/evaluation.hpp"
#include "cpu/jobs.hpp"
#include "cpu/threads.hpp"

namespace hyperband::cpu {

struct TrainingTask {
    using Clock = std::chrono::steady_clock;

    const Dataset &train;
    std::optional<EvaluationTask> validation;  // after each epoch and at the end
    Loss loss;
    int n_outputs;
    Precision precision;
    std::optional<Clock::time_point> deadline;

    bool late() const { return deadline && Clock::now() >= *deadline; }
};

// Threads that train one member together.
struct Team {
    explicit Team(int size) : barrier(size) {}
    Barrier barrier;
    const Workspace *work = nullptr;  // the first thread's
    std::atomic<bool> failed{false};
    bool late = false;       // written by the first thread before a barrier, read by all after it
    std::vector<Sums> sums;  // of a validation, by block
};

// Trains a member until its step or the deadline, at least one step. Each thread of the team calls it with its share. Any
// number of threads gives the same bits.
void train_member(const TrainingTask &task, const TrainingTarget &target, Team &team, Share share, ThreadScratch &scratch);

// Trains members of one shape, at most kLanes, side by side in one thread, each to the bits of train_member. They take their
// steps together, so that all of them arrive or none does, unless they diverge.
void train_pack(const TrainingTask &task, const std::vector<TrainingTarget> &targets, ThreadScratch &scratch);

// Keeps the scores of a validation after `step` steps; the weights as well where they are the best ones until now: copy_weights
// writes them to m.best.
template <class CopyWeights>
void keep_validation(const TrainingTask &task, Member &m, int64_t step, const Sums &sums, const CopyWeights &copy_weights) {
    const Scores scores = sums.scores(static_cast<int64_t>(task.validation->data.n()));
    if (record_validation(m.counters, m.record, step, scores)) copy_weights();
}

}  // namespace hyperband::cpu
