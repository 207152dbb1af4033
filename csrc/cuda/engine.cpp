#include "cuda/engine.hpp"

#include <cstring>

#include "core/rates.hpp"

namespace hyperband::cuda {
namespace {

constexpr double kUsable = 0.8;  // of the memory that is free, if no limit is given

InitialiseJob initialise_job(const Network &n) {
    InitialiseJob job{n, {}};
    const DeviceLayout &y = n.layout;
    for (int l = 0; l < y.n_layers; ++l)
        job.bound[l] = initial_bound(n.architecture, l, y.n_layers, y.layer[l].in, y.layer[l].out);
    return job;
}

}  // namespace

Engine::Engine(const Problem &p, Precision precision, const Resources &resources)
    : loss_(p.loss), n_inputs_(p.n_inputs), n_outputs_(p.n_outputs), numbers_(p.numbers), precision_(precision),
      device_(resources.device), facts_(device_->facts()),
      limit_(resources.limit > 0 ? resources.limit : static_cast<size_t>(kUsable * static_cast<double>(device_->free_bytes()))),
      train_(*device_, p.train, p.n_inputs, p.n_outputs), pool_(*device_, limit_) {
    if (p.validation) validation_ = std::make_unique<Dataset>(*device_, *p.validation, n_inputs_, n_outputs_);
    const size_t data = train_.bytes() + (validation_ ? validation_->bytes() : 0);
    if (data >= limit_)
        throw DeviceFull("the data takes " + std::to_string(data >> 20) + " MiB of the device, of which " +
                         std::to_string(limit_ >> 20) + " MiB may be used. Raise device_memory or use fewer rows.");
    pool_.set_limit(limit_ - data);
}

Engine::~Engine() {
    members_.for_each([&](Member &m) { free_memory(m); });
    if (networks_ != nullptr) device_->release(networks_);
}

size_t Engine::capacity() {
    const auto hold = lock();
    return pool_.limit();
}

size_t Engine::bytes_per_member(const Architecture &a, const Ends &ends) {
    Member m;
    m.network.architecture = a;
    m.network.layout = DeviceLayout::of(a, ends);
    return m.bytes();
}

std::unique_ptr<Member> Engine::create(const Architecture &a, uint64_t seed, int64_t total_steps) const {
    auto m = std::make_unique<Member>();
    Network &n = m->network;
    n.architecture = a;
    n.layout = DeviceLayout::of(a, ends());
    n.key = Key::of(seed);
    n.total_steps = total_steps;
    if (n.layout.size >= kMostFloats)
        throw DeviceFull("a network must have fewer than 2^31 weights; one of them has " + std::to_string(n.layout.size) + ".");
    return m;
}

std::vector<int64_t> Engine::add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                                 const std::vector<int64_t> &total_steps) {
    const auto hold = lock();
    std::vector<std::unique_ptr<Member>> made;
    std::vector<Member *> listed;
    for (size_t i = 0; i < architectures.size(); ++i) {
        made.push_back(create(architectures[i], seeds[i], total_steps[i]));
        listed.push_back(made.back().get());
    }
    const std::vector<int64_t> ids = members_.insert(std::move(made));  // from here on they can make room for one another
    try {
        in_waves(listed, [&](const std::vector<Member *> &wave) {
            std::vector<InitialiseJob> jobs;
            for (const Member *m : wave) jobs.push_back(initialise_job(m->network));
            device_->initialise(jobs);
            return true;
        });
    } catch (...) {
        for (const int64_t id : ids) {
            free_memory(members_.at(id));
            members_.erase(id);
        }
        throw;
    }
    return ids;
}

std::vector<Progress> Engine::progress(const std::vector<int64_t> &members) {
    const auto hold = lock();
    std::vector<Progress> r;
    for (const int64_t id : members) {
        const Network &n = members_.at(id).network;
        r.push_back({n.counters, n.record});
    }
    return r;
}

void Engine::release(int64_t id) {
    const auto hold = lock();
    free_memory(members_.at(id));
    members_.erase(id);
}

void Engine::forget_best(int64_t id) {
    const auto hold = lock();
    Network &n = members_.at(id).network;
    hyperband::forget_best(n.counters, n.record);
}

Engine::State Engine::state(int64_t id) {
    const auto hold = lock();
    const Member &m = members_.at(id);
    const Network &n = m.network;
    State s{n.layout, n.counters, n.record, {}, {}, {}, {}, {}};
    for_each_arena(m, [&](Floats State::*arena, size_t offset) {
        if (arena == &State::best && n.counters.best_step < 0) return;
        Floats &to = s.*arena;
        to = Floats(static_cast<size_t>(n.layout.size));
        if (m.memory != nullptr)
            device_->download(to.get(), m.memory + offset, m.arena_bytes());
        else
            std::memcpy(to.get(), m.host_copy + offset, m.arena_bytes());
    });
    return s;
}

void Engine::set_state(int64_t id, State s) {
    const auto hold = lock();
    Member &m = members_.at(id);
    for_each_arena(m, [&](Floats State::*arena, size_t offset) {
        const Floats &from = s.*arena;
        if (!from) return;
        if (m.memory != nullptr)
            device_->upload(m.memory + offset, from.get(), m.arena_bytes());
        else
            std::memcpy(m.host_copy + offset, from.get(), m.arena_bytes());
    });
    m.network.counters = s.counters;
    m.network.record = s.record;
}

}  // namespace hyperband::cuda
