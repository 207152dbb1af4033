// Engine::train: waves of members, and the launch of each.
#include <chrono>

#include "cuda/engine.hpp"

namespace hyperband::cuda {
namespace {

using Clock = std::chrono::steady_clock;

// Floating-point operations of a step, roughly.
double step_cost(const Network &n) {
    double weights = 0.0;
    for (int l = 0; l < n.layout.n_layers; ++l) weights += static_cast<double>(n.layout.layer[l].in) * n.layout.layer[l].stride;
    return weights * (6.0 * static_cast<double>(most_rows(n.architecture.batch_size, n.counters.rows)) + 20.0) + 1e5;
}

void sort_by_cost(std::vector<Member *> &members) {
    std::stable_sort(members.begin(), members.end(), [](const Member *a, const Member *b) { return a->cost > b->cost; });
}

}  // namespace

Task Engine::task(bool validate) const {
    return {loss_, precision_, n_outputs_, train_.rows(), validation_ ? validation_->rows() : DeviceRows{}, validate};
}

const MemoryPlan &Engine::plan_of(Member &m, bool crowded) {
    const Network &n = m.network;
    const int64_t batch = most_rows(n.architecture.batch_size, n.counters.rows);
    if (m.plan_batch != batch || m.plan_crowded != crowded) {
        m.plan = plan_training(n.architecture, n.layout, loss_, static_cast<int>(batch), limits(crowded));
        m.plan_batch = batch;
        m.plan_crowded = crowded;
    }
    return m.plan;
}

MemoryPlan Engine::memory_plan(int64_t id) {
    const auto hold = lock();
    Member &m = members_.at(id);
    const bool many = crowded(members_.size());
    if (m.network.counters.rows > 0) return plan_of(m, many);
    const auto batch = static_cast<int>(most_rows(m.architecture().batch_size, train_.rows().n));
    return plan_training(m.architecture(), m.network.layout, loss_, batch, limits(many));
}

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, const Slice &slice) {
    const auto hold = lock();
    const auto begin = Clock::now();
    std::vector<char> arrived(members.size(), 0);
    std::vector<Member *> listed;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &m = members_.at(members[i]);
        arrived[i] = m.finished(until[i]);
        if (arrived[i]) continue;
        begin_epoch(m.network.counters, m.network.record, slice.rows, slice.inputs);
        m.row = i;
        m.cost = static_cast<double>(until[i] - m.network.counters.step) * step_cost(m.network);
        listed.push_back(&m);
    }
    sort_by_cost(listed);
    bool first = true;
    in_waves(listed, [&](std::vector<Member *> &wave) {
        const double left = slice.seconds - std::chrono::duration<double>(Clock::now() - begin).count();
        if (slice.seconds >= 0.0 && left <= 0.0 && !first) return false;
        first = false;
        train_wave(wave, until, slice.validate, slice.seconds < 0.0 ? -1.0 : std::max(0.0, left));
        for (const Member *m : wave) arrived[m->row] = m->finished(until[m->row]);
        return true;
    });
    return arrived;
}

// Members that are on the device, the most expensive first.
void Engine::train_wave(std::vector<Member *> &wave, const std::vector<int64_t> &until, bool validate, double seconds) {
    sort_by_cost(wave);
    Network *const there = reserve_networks(wave.size());
    std::vector<Network> here;
    std::vector<TrainJob> jobs;
    here.reserve(wave.size()), jobs.reserve(wave.size());
    for (Member *m : wave) {
        jobs.push_back({there + here.size(), plan_of(*m, crowded(wave.size())), until[m->row]});
        here.push_back(m->network);
    }
    device_->upload(there, here.data(), here.size() * sizeof(Network));
    device_->train(jobs, task(validate), seconds);
    device_->download(here.data(), there, here.size() * sizeof(Network));
    for (size_t i = 0; i < wave.size(); ++i) {
        wave[i]->network.counters = here[i].counters;
        wave[i]->network.record = here[i].record;
    }
}

}  // namespace hyperband::cuda
