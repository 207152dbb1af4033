// Engine::train: packs, teams of threads, and the way of each through its steps.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "cpu/engine.hpp"
#include "cpu/packs.hpp"
#include "cpu/threads.hpp"
#include "cpu/training_cursor.hpp"

namespace hyperband::cpu {
namespace {

// Floating-point operations between two meetings that make it worth another thread: below, what threads have to tell one
// another takes longer than what they save.
constexpr double kWorthAThread = 4e6;

}  // namespace

// Threads that train one member together.
struct Engine::Team {
    explicit Team(int size) : barrier(size) {}
    Barrier barrier;
    const Workspace *work = nullptr;  // the first thread's
    std::atomic<bool> failed{false};
    bool late = false;       // written by the first thread before a barrier, read by all after it
    std::vector<Sums> sums;  // of a validation, by block
};

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows,
                                int inputs, bool evaluate, double seconds) {
    const auto hold = lock();
    std::vector<char> arrived(members.size(), 0);
    std::vector<Job> jobs;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &m = member(members[i]);
        Counters &c = m.counters;
        arrived[i] = c.diverged || c.step >= until[i];
        if (arrived[i]) continue;
        begin_epoch(c, m.record, rows, inputs);
        const Cost cost = cost_of(m);
        const int part = rows_at_a_time(static_cast<int>(TrainingCursor::most_rows(m)));
        jobs.push_back({{{&m, until[i], &arrived[i]}}, part * cost.row, cost.alone * static_cast<double>(until[i] - c.step)});
    }
    jobs = packed(jobs, static_cast<int>(scratch_.size()));
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job &a, const Job &b) { return a.cost > b.cost; });
    const auto limit =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, seconds)));
    const Clock::time_point *const deadline = seconds < 0.0 ? nullptr : &limit;
    auto run = [&](const Job &job, Team &team, Share share, ThreadScratch &scratch) {
        if (job.targets.size() > 1) return train_pack(job.targets, evaluate, deadline, scratch);
        const bool there = train_member(job.targets[0], evaluate, deadline, team, share, scratch);
        if (share.rank == 0) *job.targets[0].arrived = there;
    };

    const std::vector<int> sizes = team_sizes(jobs, static_cast<int>(scratch_.size()));
    std::vector<std::unique_ptr<Team>> teams;
    std::vector<std::pair<size_t, Share>> assignments;  // of each thread: its job, its share
    for (size_t i = 0; i < sizes.size(); ++i) {
        teams.push_back(std::make_unique<Team>(sizes[i]));
        for (int rank = 0; rank < sizes[i]; ++rank) assignments.push_back({i, {rank, sizes[i]}});
    }
    const auto wanted = static_cast<int>(std::min(assignments.size(), scratch_.size()));
    std::atomic<size_t> next{0};
    run_on_threads(wanted, [&](int t, int n) {
        ThreadScratch &scratch = scratch_[static_cast<size_t>(t)];
        if (jobs.size() < static_cast<size_t>(wanted) && n == wanted) {
            const auto &[job, share] = assignments[static_cast<size_t>(t)];
            return run(jobs[job], *teams[job], share, scratch);
        }
        bool first = true;  // every thread does some work, however short the time
        for (size_t i = next++; i < jobs.size() && (first || seconds < 0.0 || Clock::now() < limit); i = next++) {
            first = false;
            Team alone(1);
            run(jobs[i], alone, {}, scratch);
        }
    });
    return arrived;
}

// The same jobs, members of one shape joined to packs where all are then done sooner.
std::vector<Engine::Job> Engine::packed(const std::vector<Job> &jobs, int threads) const {
    if (jobs.size() < 2 || precision_ != Precision::float32) return jobs;
    std::map<std::vector<int64_t>, std::vector<size_t>> shapes;
    double all = 0.0, longest = 0.0;
    for (size_t i = 0; i < jobs.size(); ++i) {
        const TrainingTarget &s = jobs[i].targets[0];
        shapes[shape_of(*s.member, s.until - s.member->counters.step)].push_back(i);
        all += jobs[i].cost;
        longest = std::max(longest, jobs[i].cost);
    }
    std::vector<Job> r;
    for (const auto &[shape, alike] : shapes) {
        const Job &one = jobs[alike[0]];
        const Cost cost = cost_of(*one.targets[0].member);
        const double steps = one.cost / cost.alone, pack = kLanes * (steps * cost.packed + cost.moving);
        size_t packs = alike.size() / kLanes, rest = alike.size() % kLanes;
        if (static_cast<double>(rest) * one.cost > pack) ++packs, rest = 0;
        const double with = all - static_cast<double>(alike.size() - rest) * one.cost + static_cast<double>(packs) * pack;
        const bool sooner = with < all && std::max(with / threads, pack) <= std::max(all / threads, longest);
        if (!sooner) packs = 0;
        if (sooner) all = with;
        for (size_t i = 0; i < alike.size(); ++i) {
            const Job &job = jobs[alike[i]];
            if (i >= packs * kLanes) {
                r.push_back(job);
                continue;
            }
            if (i % kLanes == 0) r.push_back({{}, 0.0, pack});
            r.back().targets.push_back(job.targets[0]);
        }
    }
    return r;
}

// One thread for each job; those that are left go where a thread has the most to do.
std::vector<int> Engine::team_sizes(const std::vector<Job> &jobs, int threads) const {
    std::vector<int> sizes(jobs.size(), 1);
    if (precision_ != Precision::float32) return sizes;
    auto load = [&](size_t i) { return jobs[i].cost / sizes[i]; };
    for (auto spare = threads - static_cast<int64_t>(jobs.size()); spare > 0; --spare) {
        size_t chosen = jobs.size();
        for (size_t i = 0; i < jobs.size(); ++i)
            if (jobs[i].part_flops >= (sizes[i] + 1) * kWorthAThread && (chosen == jobs.size() || load(i) > load(chosen)))
                chosen = i;
        if (chosen == jobs.size()) break;
        ++sizes[chosen];
    }
    return sizes;
}

// Every thread of the team calls this with its share and counts steps on its own cursor; the first thread alone changes the
// member.
bool Engine::train_member(const TrainingTarget &target, bool evaluate, const Clock::time_point *deadline, Team &team,
                          Share share, ThreadScratch &scratch) const {
    Member &m = *target.member;
    const bool bf16 = precision_ == Precision::bf16;
    const Kernels &kernel = bf16 ? bf16_kernels() : kernels();
    const Architecture &a = m.architecture;
    const bool first_thread = share.rank == 0, validated = evaluate && validation_;
    TrainingCursor cursor(m);
    const Counters &c = cursor.counters();
    const auto most = static_cast<int>(TrainingCursor::most_rows(m));
    const Workspace *evaluation = nullptr;
    uint32_t *index = nullptr;
    try {  // whatever may throw comes first: later the others would wait for ever
        if (first_thread) team.work = &scratch.training.for_training(m.layout, most, a.clip_norm > 0.0, bf16);
        if (validated) evaluation = &scratch.evaluation.for_evaluation(m.layout, kEvaluationRows);
        if (validated && first_thread) team.sums.resize(blocks_of(validation_->n()));
        if (validated && first_thread && !m.best) m.best = Floats(m.layout.size);
        index = scratch.order(TrainingCursor::order_capacity(m));
    } catch (...) {
        team.failed = true;
        team.barrier.wait(share.rank);
        throw;
    }
    if (first_thread) kernel.transpose(m.layout, m.weights.get(), *team.work);
    team.barrier.wait(share.rank);
    if (team.failed) return false;
    bool late = false;
    StepArgs s{.layout = &m.layout,
               .architecture = &a,
               .loss = loss_,
               .n_outputs = n_outputs_,
               .inputs = static_cast<int32_t>(c.inputs),
               .batch = 0,
               .first = 0,
               .rows = 0,
               .data = train_.rows(),
               .key = m.key,
               .index = nullptr,
               .step = 0,
               .update = {},
               .weights = m.weights.get(),
               .m = m.m.get(),
               .v = m.v.get(),
               .work = team.work};
    while (!late && c.step < target.until && !c.diverged) {
        s.batch = cursor.batch();
        s.step = static_cast<uint32_t>(c.step);
        s.update = cursor.update();
        const uint32_t *const of_batch = cursor.rows(kernel, index);
        if (first_thread && deadline != nullptr) team.late = Clock::now() >= *deadline;
        const int32_t part = rows_at_a_time(most);
        double total = 0.0;
        for (s.first = 0; s.first < s.batch && std::isfinite(total); s.first += part) {
            s.rows = std::min(part, s.batch - s.first);
            s.index = of_batch + s.first;
            kernel.rows(s, share);
            team.barrier.wait(share.rank);
            late = team.late;
            for (int32_t b = 0; b < s.rows; ++b)
                total += static_cast<double>(s.data.weight ? s.data.weight[s.index[b]] : 1.0f) *
                         static_cast<double>(s.work->row_loss[b]);
            if (!std::isfinite(total)) break;
            kernel.columns(s, share);
            team.barrier.wait(share.rank);
        }
        if (!std::isfinite(total)) {  // nothing was updated
            cursor.diverge();
            break;
        }
        if (s.work->gradient != nullptr) {
            kernel.update(s, share);
            team.barrier.wait(share.rank);
        }
        const bool epoch_ended = cursor.advance(total);
        if (validated && (epoch_ended || c.step == target.until)) validate(m, c, team, share, *evaluation);
    }
    if (first_thread) cursor.write_back(m);
    return c.diverged || c.step >= target.until;
}

void Engine::validate(Member &m, const Counters &c, Team &team, Share share, const Workspace &work) const {
    for (size_t b = static_cast<size_t>(share.rank); b < team.sums.size(); b += static_cast<size_t>(share.size))
        team.sums[b] = evaluate_block(m, m.weights.get(), c.inputs, *validation_, b, work);
    team.barrier.wait(share.rank);
    if (share.rank != 0) return;
    Sums all;
    for (const Sums &s : team.sums) all.add(s);
    if (record_validation(m.counters, m.record, c.step, all.scores(static_cast<int64_t>(validation_->n()))))
        std::memcpy(m.best.get(), m.weights.get(), m.layout.size * sizeof(float));
}

// The targets' members take their steps together, so all of them arrive or none does, unless they diverge.
void Engine::train_pack(const std::vector<TrainingTarget> &targets, bool evaluate, const Clock::time_point *deadline,
                        ThreadScratch &scratch) const {
    const Kernels &kernel = kernels();
    const bool validated = evaluate && validation_;
    std::vector<Member *> members;
    std::vector<TrainingCursor> cursors;
    for (size_t lane = 0; lane < kLanes; ++lane) {
        Member &m = *targets[lane < targets.size() ? lane : 0].member;
        if (validated && !m.best) m.best = Floats(m.layout.size);
        members.push_back(&m);
        cursors.emplace_back(m);
    }
    Pack pack(members, loss_, n_outputs_, train_.rows(), scratch.pack);
    PackArgs &s = pack.args;
    std::vector<char> living(targets.size(), 1);
    size_t n_living = targets.size();
    const TrainingCursor &first = cursors[0];  // all lanes keep its time, also when their member has diverged
    for (bool late = false; !late && first.counters().step < targets[0].until && n_living > 0;) {
        s.batch = first.batch();
        for (int lane = kLanes - 1; lane >= 0; --lane) {
            TrainingCursor &cursor = cursors[static_cast<size_t>(lane)];
            s.index = cursor.rows(kernel, pack.index(lane));
            s.step[lane] = static_cast<uint32_t>(cursor.counters().step);
            s.update[lane] = cursor.update();
        }
        late = deadline != nullptr && Clock::now() >= *deadline;
        std::fill_n(s.loss_sum, kLanes, 0.0);
        kernel.pack_gradient(s);
        for (size_t i = 0; i < targets.size(); ++i)
            if (living[i] && !std::isfinite(s.loss_sum[i])) {  // from here on its lane means nothing
                living[i] = 0;
                --n_living;
                pack.write_back(static_cast<int>(i), *members[i]);
                cursors[i].diverge();
                cursors[i].write_back(*members[i]);
            }
        kernel.pack_update(s);
        bool epoch_ended = false;
        for (size_t lane = 0; lane < kLanes; ++lane) epoch_ended = cursors[lane].advance(s.loss_sum[lane]);
        if (validated && (epoch_ended || first.counters().step == targets[0].until)) validate(pack, targets, living);
    }
    for (size_t i = 0; i < targets.size(); ++i) {
        Member &m = *members[i];
        if (living[i]) {
            pack.write_back(static_cast<int>(i), m);
            cursors[i].write_back(m);
        }
        *targets[i].arrived = !living[i] || m.counters.step >= targets[i].until;
    }
}

void Engine::validate(Pack &pack, const std::vector<TrainingTarget> &targets, const std::vector<char> &living) const {
    PackArgs s = pack.args;
    uint32_t index[kEvaluationRows];
    std::iota(index, index + kEvaluationRows, 0u);
    s.index = index;
    std::vector<Sums> all(targets.size());
    for (size_t first = 0; first < validation_->n(); first += kEvaluationRows) {
        s.data = validation_->rows(first);
        for (double *sums : {s.loss_sum, s.weight_sum, s.error_sum}) std::fill_n(sums, kLanes, 0.0);
        kernels().pack_evaluate(s, static_cast<int>(std::min<size_t>(kEvaluationRows, validation_->n() - first)));
        for (size_t i = 0; i < targets.size(); ++i) all[i].add({s.loss_sum[i], s.weight_sum[i], s.error_sum[i]});
    }
    for (size_t i = 0; i < targets.size(); ++i) {
        Member &m = *targets[i].member;
        if (!living[i] ||
            !record_validation(m.counters, m.record, s.step[i] + 1, all[i].scores(static_cast<int64_t>(validation_->n()))))
            continue;
        std::memcpy(m.best.get(), m.weights.get(), m.layout.size * sizeof(float));  // what takes no part stands there
        pack.write_weights(static_cast<int>(i), m, m.best.get());
    }
}

}  // namespace hyperband::cpu
