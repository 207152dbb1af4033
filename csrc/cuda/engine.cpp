#include "cuda/engine.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/rates.hpp"

namespace hyperband::cuda {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kUsable = 0.8;  // of the memory that is free, if no limit is given

// About the floating-point operations of a step.
double step_cost(const Network &n) {
    double weights = 0.0;
    for (int l = 0; l < n.layout.n_layers; ++l) weights += static_cast<double>(n.layout.layer[l].in) * n.layout.layer[l].stride;
    return weights * (6.0 * static_cast<double>(most_rows(n.architecture.batch_size, n.counters.rows)) + 20.0) + 1e5;
}

}  // namespace

Engine::Engine(std::shared_ptr<Device> device, const Table &train, const Table *validation, Loss loss, int n_inputs,
               int n_outputs, size_t limit, Precision precision)
    : device_(std::move(device)), facts_(device_->facts()),
      limit_(limit > 0 ? limit : static_cast<size_t>(kUsable * static_cast<double>(device_->free_bytes()))),
      train_(*device_, train, n_inputs, n_outputs), loss_(loss), n_inputs_(n_inputs), n_outputs_(n_outputs),
      precision_(precision), pool_(*device_, limit_) {
    if (validation != nullptr) validation_ = std::make_unique<Dataset>(*device_, *validation, n_inputs, n_outputs);
    const size_t data = train_.bytes() + (validation_ ? validation_->bytes() : 0);
    if (data >= limit_)
        throw DeviceFull("the data takes " + std::to_string(data >> 20) + " MiB of the device, of which " +
                         std::to_string(limit_ >> 20) + " MiB may be used. Raise device_memory or use fewer rows.");
    pool_.set_limit(limit_ - data);
}

Engine::~Engine() {
    for (auto &[id, m] : members_) drop(*m);
    if (networks_ != nullptr) device_->release(networks_);
}

size_t Engine::capacity() {
    const auto hold = lock();
    return pool_.limit();
}

size_t Engine::bytes_per_member(const Architecture &a, int n_inputs, int n_outputs) {
    Member m;
    m.network.architecture = a;
    m.network.layout = DeviceLayout::of(a, n_inputs, n_outputs);
    return m.bytes();
}

Member &Engine::find(int64_t id) {
    const auto found = members_.find(id);
    if (found == members_.end())
        throw std::out_of_range("`members` must be ids of living members; got " + std::to_string(id) +
                                ", which was never added or was released.");
    return *found->second;
}

void Engine::refuse(const Member &m) const {
    throw DeviceFull("a network of " + std::to_string(m.bytes() >> 20) + " MiB does not fit into the " +
                     std::to_string(pool_.limit() >> 20) + " MiB of the device that networks may take. Raise the limit " +
                     "or use smaller networks.");
}

// Its arenas' plan in its memory.
void Engine::point(Member &m) const {
    Network &n = m.network;
    auto *at = reinterpret_cast<float *>(m.memory);
    const auto next = [&](bool there) {
        float *const here = there ? at : nullptr;
        if (there) at += n.layout.size;
        return here;
    };
    n.weights = next(true);
    n.m = next(n.architecture.has_first_moment());
    n.v = next(n.architecture.has_second_moment());
    n.best = next(true);
}

// Brings a member to the device; others make room, those that were not needed for longest first, but none that was needed
// after `since`. False when there is no room.
bool Engine::come(Member &m, int64_t since) {
    m.used = ++now_;
    if (m.memory != nullptr) return true;
    m.memory = pool_.allocate(m.bytes());
    if (m.memory == nullptr) {
        std::vector<Member *> others;
        for (auto &[id, each] : members_)
            if (each->memory != nullptr && each->used <= since) others.push_back(each.get());
        std::sort(others.begin(), others.end(), [](const Member *a, const Member *b) { return a->used < b->used; });
        for (Member *each : others) {
            leave(*each);
            if ((m.memory = pool_.allocate(m.bytes())) != nullptr) break;
        }
    }
    if (m.memory == nullptr) return false;
    point(m);
    if (m.page != nullptr) {
        try {
            device_->upload(m.memory, m.page, m.bytes());
        } catch (...) {  // its numbers are still on the host alone
            pool_.release(m.memory);
            m.memory = nullptr;
            throw;
        }
        device_->release_pinned(m.page);
        m.page = nullptr;
    }
    return true;
}

void Engine::leave(Member &m) {
    m.page = static_cast<char *>(device_->allocate_pinned(m.bytes()));
    device_->download(m.page, m.memory, m.bytes());
    pool_.release(m.memory);
    m.memory = nullptr;
}

void Engine::drop(Member &m) noexcept {
    if (m.memory != nullptr) pool_.release(m.memory);
    if (m.page != nullptr) device_->release_pinned(m.page);
    m.memory = m.page = nullptr;
}

Network *Engine::networks(size_t n) {
    if (n > networks_room_) {
        if (networks_ != nullptr) device_->release(networks_);
        networks_room_ = 0;
        networks_ = static_cast<Network *>(device_->allocate(n * sizeof(Network)));
        if (networks_ == nullptr) throw DeviceFull("the device has no memory left for the list of networks.");
        networks_room_ = n;
    }
    return networks_;
}

Task Engine::task(bool evaluate) const {
    return {loss_, precision_, n_outputs_, train_.rows(), validation_ ? validation_->rows() : DeviceRows{}, evaluate};
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
    Member &m = find(id);
    if (m.network.counters.rows > 0) return plan_of(m, crowded(members_.size()));
    const auto batch = static_cast<int>(most_rows(m.network.architecture.batch_size, train_.rows().n));
    return plan_training(m.network.architecture, m.network.layout, loss_, batch, limits(crowded(members_.size())));
}

std::vector<int64_t> Engine::add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                                 const std::vector<int64_t> &total_steps) {
    const auto hold = lock();
    std::vector<std::unique_ptr<Member>> made;
    std::vector<Member *> listed;
    for (size_t i = 0; i < architectures.size(); ++i) {
        made.push_back(std::make_unique<Member>());
        Network &n = made.back()->network;
        n = {};
        n.architecture = architectures[i];
        n.layout = DeviceLayout::of(n.architecture, n_inputs_, n_outputs_);
        if (n.layout.size >= kMostFloats)
            throw DeviceFull("a network must have fewer than 2^31 weights; one of them has " + std::to_string(n.layout.size) +
                             ".");
        n.key = Key::of(seeds[i]);
        n.total_steps = total_steps[i];
        n.counters = Counters{};
        n.record = Record{};
        listed.push_back(made.back().get());
    }
    const int64_t first = next_id_;
    for (auto &m : made) members_.emplace(next_id_++, std::move(m));  // so that they can make room for one another
    try {
        in_waves(listed, [&](const std::vector<Member *> &wave) {
            std::vector<InitialiseJob> jobs;
            for (const Member *m : wave) {
                InitialiseJob job{m->network, {}};
                const DeviceLayout &y = m->network.layout;
                for (int l = 0; l < y.n_layers; ++l)
                    job.bound[l] = initial_bound(m->network.architecture, l, y.n_layers, y.layer[l].in, y.layer[l].out);
                jobs.push_back(job);
            }
            device_->initialise(jobs);
            return true;
        });
    } catch (...) {
        for (int64_t id = first; id < next_id_; ++id) {
            drop(find(id));
            members_.erase(id);
        }
        throw;
    }
    std::vector<int64_t> ids;
    for (int64_t id = first; id < next_id_; ++id) ids.push_back(id);
    return ids;
}

void Engine::release(int64_t id) {
    const auto hold = lock();
    drop(find(id));
    members_.erase(id);
}

void Engine::forget_best(int64_t id) {
    const auto hold = lock();
    Network &n = find(id).network;
    hyperband::forget_best(n.counters, n.record);
}

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows,
                                int inputs, bool evaluate, double seconds) {
    const auto hold = lock();
    const auto begin = Clock::now();
    std::vector<char> arrived(members.size(), 0);
    std::vector<Member *> listed;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &m = find(members[i]);
        arrived[i] = m.network.counters.diverged || m.network.counters.step >= until[i];
        if (arrived[i]) continue;
        begin_epoch(m.network.counters, m.network.record, rows, inputs);
        m.turn = i;
        m.cost = static_cast<double>(until[i] - m.network.counters.step) * step_cost(m.network);
        listed.push_back(&m);
    }
    const auto dearest_first = [](std::vector<Member *> &some) {
        std::stable_sort(some.begin(), some.end(), [](const Member *a, const Member *b) { return a->cost > b->cost; });
    };
    dearest_first(listed);
    bool first = true;
    in_waves(listed, [&](std::vector<Member *> &wave) {
        const double left = seconds < 0.0 ? -1.0 : seconds - std::chrono::duration<double>(Clock::now() - begin).count();
        if (seconds >= 0.0 && left <= 0.0 && !first) return false;
        first = false;
        dearest_first(wave);
        Network *const there = networks(wave.size());
        std::vector<Network> here;
        std::vector<TrainJob> jobs;
        here.reserve(wave.size()), jobs.reserve(wave.size());
        for (Member *m : wave) {
            jobs.push_back({there + here.size(), plan_of(*m, crowded(wave.size())), until[m->turn]});
            here.push_back(m->network);
        }
        device_->upload(there, here.data(), here.size() * sizeof(Network));
        device_->train(jobs, task(evaluate), seconds < 0.0 ? -1.0 : std::max(0.0, left));
        device_->download(here.data(), there, here.size() * sizeof(Network));
        for (size_t i = 0; i < wave.size(); ++i) {
            Network &n = wave[i]->network;
            n.counters = here[i].counters;
            n.record = here[i].record;
            arrived[wave[i]->turn] = n.counters.diverged || n.counters.step >= until[wave[i]->turn];
        }
        return true;
    });
    return arrived;
}

State Engine::state(int64_t id) {
    const auto hold = lock();
    const Member &m = find(id);
    const Network &n = m.network;
    State s{n.layout, n.counters, n.record, {}, {}, {}, {}};
    const auto size = static_cast<size_t>(n.layout.size);
    size_t at = 0;
    const auto read = [&](Floats &to, bool there, bool wanted) {
        if (!there) return;
        if (wanted) {
            to = Floats(size);
            if (m.memory != nullptr)
                device_->download(to.get(), m.memory + at, size * sizeof(float));
            else
                std::memcpy(to.get(), m.page + at, size * sizeof(float));
        }
        at += size * sizeof(float);
    };
    read(s.weights, true, true);
    read(s.m, n.architecture.has_first_moment(), true);
    read(s.v, n.architecture.has_second_moment(), true);
    read(s.best, true, n.counters.best_step >= 0);
    return s;
}

void Engine::set_state(int64_t id, State s) {
    const auto hold = lock();
    Member &m = find(id);
    const auto bytes = static_cast<size_t>(m.network.layout.size) * sizeof(float);
    size_t at = 0;
    const auto write = [&](const Floats &from, bool there) {
        if (!there) return;
        if (from) {
            if (m.memory != nullptr)
                device_->upload(m.memory + at, from.get(), bytes);
            else
                std::memcpy(m.page + at, from.get(), bytes);
        }
        at += bytes;
    };
    write(s.weights, true);
    write(s.m, m.network.architecture.has_first_moment());
    write(s.v, m.network.architecture.has_second_moment());
    write(s.best, true);
    m.network.counters = s.counters;
    m.network.record = s.record;
}

}  // namespace hyperband::cuda
