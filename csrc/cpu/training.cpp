// Engine::train: members become jobs, and threads take them.
#include "cpu/training.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "cpu/engine.hpp"

namespace hyperband::cpu {
namespace {

void run(const Job &job, Team &team, Share share, ThreadScratch &scratch) {
    if (job.targets.size() > 1) return train_pack(*job.task, job.targets, scratch);
    train_member(*job.task, job.targets[0], team, share, scratch);
}

bool is_float32(const Job &job) { return job.task->precision == Precision::float32; }

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
void run_jobs(const std::vector<Job> &jobs, std::vector<ThreadScratch> &scratch) {
    const auto threads = static_cast<int>(scratch.size());
    const bool teams_allowed = std::ranges::all_of(jobs, is_float32);
    const std::vector<int> sizes = teams_allowed ? team_sizes(jobs, threads) : std::vector<int>(jobs.size(), 1);
    std::vector<std::unique_ptr<Team>> teams;
    const std::vector<Assignment> assignments = assign(jobs, sizes, teams);
    const auto wanted = static_cast<int>(std::min(assignments.size(), scratch.size()));
    std::atomic<size_t> next{0};
    run_on_threads(wanted, [&](int t, int n) {
        ThreadScratch &own = scratch[static_cast<size_t>(t)];
        if (jobs.size() < static_cast<size_t>(wanted) && n == wanted) {
            const Assignment &a = assignments[static_cast<size_t>(t)];
            return run(*a.job, *a.team, a.share, own);
        }
        bool first = true;  // every thread does some work, however short the time
        for (size_t i = next++; i < jobs.size() && (first || !jobs[i].task->late()); i = next++) {
            first = false;
            Team alone(1);
            run(jobs[i], alone, {}, own);
        }
    });
}

}  // namespace

TrainingTask Engine::task(const Slice &slice, TrainingTask::Clock::time_point now) const {
    TrainingTask r{train_, {}, loss_, n_outputs_, precision_, {}};
    if (slice.validate && validation_) r.validation.emplace(EvaluationTask{*validation_, loss_, n_outputs_});
    if (slice.seconds >= 0.0)
        r.deadline =
            now + std::chrono::duration_cast<TrainingTask::Clock::duration>(std::chrono::duration<double>(slice.seconds));
    return r;
}

std::vector<Job> Engine::jobs(const TrainingPart &part, const TrainingTask &task, std::vector<char> &arrived) {
    std::vector<Job> r;
    for (size_t i = 0; i < part.members.size(); ++i) {
        Member &m = members_.at(part.members[i]);
        arrived[i] = m.counters.diverged || m.counters.step >= part.until[i];
        if (arrived[i]) continue;
        begin_epoch(m.counters, m.record, part.slice.rows, part.slice.inputs);
        r.push_back(job_of(task, {&m, part.until[i], &arrived[i]}));
    }
    return r;
}

std::vector<std::vector<char>> Engine::train_together(const std::vector<TrainingPart> &parts) {
    std::vector<Engine *> engines;
    for (const TrainingPart &part : parts) engines.push_back(part.engine);
    std::ranges::sort(engines, std::less<>());  // locks are always taken in this order
    if (std::ranges::adjacent_find(engines) != engines.end())
        throw std::invalid_argument("`parts` must name each engine once.");
    std::vector<std::unique_lock<std::mutex>> hold;
    for (Engine *e : engines) hold.push_back(e->lock());

    const auto now = TrainingTask::Clock::now();
    std::vector<TrainingTask> tasks;
    for (const TrainingPart &part : parts) tasks.push_back(part.engine->task(part.slice, now));
    std::vector<std::vector<char>> arrived;
    std::vector<Job> jobs;
    for (size_t i = 0; i < parts.size(); ++i) {
        arrived.emplace_back(parts[i].members.size(), 0);
        const std::vector<Job> more = parts[i].engine->jobs(parts[i], tasks[i], arrived[i]);
        jobs.insert(jobs.end(), more.begin(), more.end());
    }
    if (parts.empty()) return arrived;
    std::vector<ThreadScratch> &scratch = parts[0].engine->scratch_;
    if (std::ranges::all_of(jobs, is_float32)) jobs = packed(jobs, static_cast<int>(scratch.size()));
    std::ranges::stable_sort(jobs, std::greater<>(), &Job::cost);
    run_jobs(jobs, scratch);
    return arrived;
}

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, const Slice &slice) {
    return train_together({{this, members, until, slice}})[0];
}

}  // namespace hyperband::cpu
