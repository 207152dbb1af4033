// Engine::train: members become jobs, and threads take them.
#include "cpu/training.hpp"

#include <algorithm>

#include "cpu/engine.hpp"

namespace hyperband::cpu {
namespace {

void run(const TrainingTask &task, const Job &job, Team &team, Share share, ThreadScratch &scratch) {
    if (job.targets.size() > 1) return train_pack(task, job.targets, scratch);
    train_member(task, job.targets[0], team, share, scratch);
}

// Each thread has its share of one job from the beginning.
struct Assignment {
    const Job *job;
    Team *team;
    Share share;
};

// The teams' threads, one after the other.
std::vector<Assignment> assign(const std::vector<Job> &jobs, const std::vector<int> &sizes,
                               std::vector<std::unique_ptr<Team>> &teams) {
    std::vector<Assignment> r;
    for (size_t i = 0; i < sizes.size(); ++i) {
        teams.push_back(std::make_unique<Team>(sizes[i]));
        for (int rank = 0; rank < sizes[i]; ++rank) r.push_back({&jobs[i], teams[i].get(), {rank, sizes[i]}});
    }
    return r;
}

// Trains all jobs: by teams where there are fewer jobs than threads, else each thread takes the next job when it is free.
void run_jobs(const TrainingTask &task, const std::vector<Job> &jobs, std::vector<ThreadScratch> &scratch) {
    const auto threads = static_cast<int>(scratch.size());
    const bool teams_allowed = task.precision == Precision::float32;
    const std::vector<int> sizes = teams_allowed ? team_sizes(jobs, threads) : std::vector<int>(jobs.size(), 1);
    std::vector<std::unique_ptr<Team>> teams;
    const std::vector<Assignment> assignments = assign(jobs, sizes, teams);
    const auto wanted = static_cast<int>(std::min(assignments.size(), scratch.size()));
    std::atomic<size_t> next{0};
    run_on_threads(wanted, [&](int t, int n) {
        ThreadScratch &own = scratch[static_cast<size_t>(t)];
        if (jobs.size() < static_cast<size_t>(wanted) && n == wanted) {
            const Assignment &a = assignments[static_cast<size_t>(t)];
            return run(task, *a.job, *a.team, a.share, own);
        }
        bool first = true;  // every thread does some work, however short the time
        for (size_t i = next++; i < jobs.size() && (first || !task.late()); i = next++) {
            first = false;
            Team alone(1);
            run(task, jobs[i], alone, {}, own);
        }
    });
}

}  // namespace

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, const Slice &slice) {
    using Clock = TrainingTask::Clock;
    const auto hold = lock();
    std::vector<char> arrived(members.size(), 0);
    std::vector<Job> jobs;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &m = members_.at(members[i]);
        arrived[i] = m.counters.diverged || m.counters.step >= until[i];
        if (arrived[i]) continue;
        begin_epoch(m.counters, m.record, slice.rows, slice.inputs);
        jobs.push_back(job_of({&m, until[i], &arrived[i]}));
    }
    if (precision_ == Precision::float32) jobs = packed(jobs, static_cast<int>(scratch_.size()));
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job &a, const Job &b) { return a.cost > b.cost; });
    TrainingTask task{train_, {}, loss_, n_outputs_, precision_, {}};
    if (slice.validate && validation_) task.validation.emplace(EvaluationTask{*validation_, loss_, n_outputs_});
    if (slice.seconds >= 0.0)
        task.deadline =
            Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(slice.seconds));
    run_jobs(task, jobs, scratch_);
    return arrived;
}

}  // namespace hyperband::cpu
