// Which members train together: one by one, with a team of threads each, or packs of one shape.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/member.hpp"

namespace hyperband::cpu {

// A member that is to train until a step.
struct TrainingTarget {
    Member *member;
    int64_t until;
    char *arrived;  // set to whether the member is at its step or has diverged
};

struct TrainingTask;

struct Job {  // one member, or a pack of members of one task
    const TrainingTask *task;
    std::vector<TrainingTarget> targets;
    double part_flops;  // floating-point operations of the rows that go through together, roughly
    double cost;        // of all steps that are left, in the unit of Cost (see packs.hpp)
};

// The job of a member by itself.
Job job_of(const TrainingTask &task, const TrainingTarget &target);

// The same jobs, where members of one task and shape are joined to packs if all are then done sooner.
std::vector<Job> packed(const std::vector<Job> &jobs, int threads);

// Threads of each job: one, and those that are left over go to the job in which a thread has the most to do.
std::vector<int> team_sizes(const std::vector<Job> &jobs, int threads);

}  // namespace hyperband::cpu
