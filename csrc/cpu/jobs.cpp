#include "cpu/jobs.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "cpu/packs.hpp"
#include "cpu/training_cursor.hpp"

namespace hyperband::cpu {
namespace {

// Floating-point operations between two barriers that make another thread worth it: below, waiting for one another takes
// longer than what is saved.
constexpr double kWorthAThread = 4e6;

// Jobs that could be lanes of one pack, by their numbers, and how many packs they fill.
struct Packing {
    const std::vector<size_t> &jobs;
    size_t packs;     // full ones, and one that is not full where that is sooner
    size_t rest;      // jobs that stay alone
    double pack_cost;

    Packing(const std::vector<Job> &all, const std::vector<size_t> &same_shape) : jobs(same_shape) {
        const Job &one = all[jobs[0]];
        const Cost cost = cost_of(*one.targets[0].member);
        const double steps = one.cost / cost.alone;
        pack_cost = kLanes * (steps * cost.packed + cost.moving);
        packs = jobs.size() / kLanes, rest = jobs.size() % kLanes;
        if (static_cast<double>(rest) * one.cost > pack_cost) ++packs, rest = 0;
    }
    double saved(double cost_alone) const {
        return static_cast<double>(jobs.size() - rest) * cost_alone - static_cast<double>(packs) * pack_cost;
    }
    void append(const std::vector<Job> &all, std::vector<Job> &to) const {
        for (size_t i = 0; i < jobs.size(); ++i) {
            const Job &job = all[jobs[i]];
            if (i >= packs * kLanes) {
                to.push_back(job);
                continue;
            }
            if (i % kLanes == 0) to.push_back({job.task, {}, 0.0, pack_cost});
            to.back().targets.push_back(job.targets[0]);
        }
    }
};

}  // namespace

Job job_of(const TrainingTask &task, const TrainingTarget &target) {
    const Member &m = *target.member;
    const Cost cost = cost_of(m);
    const int part = rows_at_a_time(static_cast<int>(TrainingCursor::most_rows(m)));
    return {&task, {target}, part * cost.row, cost.alone * static_cast<double>(target.until - m.counters.step)};
}

std::vector<Job> packed(const std::vector<Job> &jobs, int threads) {
    if (jobs.size() < 2) return jobs;
    using Shape = std::pair<const TrainingTask *, std::vector<int64_t>>;
    std::map<Shape, std::vector<size_t>> shapes;
    double all = 0.0, longest = 0.0;
    for (size_t i = 0; i < jobs.size(); ++i) {
        const TrainingTarget &t = jobs[i].targets[0];
        shapes[{jobs[i].task, shape_of(*t.member, t.until - t.member->counters.step)}].push_back(i);
        all += jobs[i].cost;
        longest = std::max(longest, jobs[i].cost);
    }
    std::vector<Job> r;
    for (const auto &[shape, same_shape] : shapes) {
        Packing packing(jobs, same_shape);
        const double with_packs = all - packing.saved(jobs[same_shape[0]].cost);
        if (with_packs < all && std::max(with_packs / threads, packing.pack_cost) <= std::max(all / threads, longest))
            all = with_packs;
        else
            packing.packs = 0;
        packing.append(jobs, r);
    }
    return r;
}

std::vector<int> team_sizes(const std::vector<Job> &jobs, int threads) {
    std::vector<int> sizes(jobs.size(), 1);
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

}  // namespace hyperband::cpu
