#include "cpu/engine.hpp"

#include <cstring>
#include <stdexcept>

#include "core/initial_values.hpp"
#include "core/rates.hpp"
#include "cpu/evaluation.hpp"

namespace hyperband::cpu {

Engine::Engine(const Problem &p, Precision precision, const Resources &resources)
    : loss_(p.loss), n_inputs_(p.n_inputs), n_outputs_(p.n_outputs), numbers_(p.numbers), precision_(precision),
      train_(p.train, p.n_inputs, p.n_outputs) {
    if (resources.threads < 1)
        throw std::invalid_argument("`threads` must be at least 1; got " + std::to_string(resources.threads) + ".");
    if (precision == Precision::tf32) throw std::invalid_argument("`precision` must be float32 or bf16 on the CPU; got tf32.");
    scratch_ = std::vector<ThreadScratch>(static_cast<size_t>(resources.threads));
    if (p.validation) validation_.emplace(*p.validation, n_inputs_, n_outputs_);
    kernels();  // what this machine does not offer is reported here, not in a thread
    if (precision == Precision::bf16) bf16_kernels();
}

size_t Engine::bytes_per_member(const Architecture &a, const Ends &ends) {
    const size_t arenas = 2 + (a.has_first_moment() ? 1 : 0) + (a.has_second_moment() ? 1 : 0) +
                          (a.has_average() ? 1 : 0);  // weights, best snapshot
    return arenas * Layout::of(a, ends).size * sizeof(float) + sizeof(Member) + 64;
}

std::unique_ptr<Member> Engine::create(const Architecture &a, uint64_t seed, int64_t total_steps) const {
    auto m = std::make_unique<Member>();
    m->architecture = a;
    m->layout = Layout::of(a, ends());
    m->key = Key::of(seed);
    m->total_steps = total_steps;
    m->weights = Floats(m->layout.size);
    if (a.has_first_moment()) m->m = Floats(m->layout.size);
    if (a.has_second_moment()) m->v = Floats(m->layout.size);
    float bound[kMaxLayers];
    for (int l = 0; l < m->layout.n_layers; ++l)
        bound[l] = initial_bound(a, l, m->layout.n_layers, m->layout.layer[l].in, m->layout.layer[l].out);
    kernels().initialise(m->layout, m->key, bound, m->weights.get());
    for_each_parameter(m->layout, [&](int, const Layer &y, const ParameterKind &kind, size_t at) {
        if (!kind.packed() || kind.initial == Initial::zeros) return;  // kernels().initialise has the matrices
        const InitialValues values = initial_values(a, kind.initial, kind.stream);
        const auto n = static_cast<uint32_t>(count_of(y, m->layout.embedding, kind));
        for (uint32_t e = 0; e < n; ++e) m->weights.get()[at + e] = values(m->key, e);
    });
    if (a.has_average()) {
        m->average = Floats(m->layout.size);
        std::memcpy(m->average.get(), m->weights.get(), m->layout.size * sizeof(float));
    }
    return m;
}

std::vector<int64_t> Engine::add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                                 const std::vector<int64_t> &total_steps) {
    const auto hold = lock();
    std::vector<std::unique_ptr<Member>> made;  // all of them before the first one is a member
    for (size_t i = 0; i < architectures.size(); ++i) made.push_back(create(architectures[i], seeds[i], total_steps[i]));
    return members_.insert(std::move(made));
}

std::vector<Progress> Engine::progress(const std::vector<int64_t> &members) {
    const auto hold = lock();
    std::vector<Progress> r;
    for (const int64_t id : members) r.push_back({members_.at(id).counters, members_.at(id).record});
    return r;
}

void Engine::release(int64_t id) {
    const auto hold = lock();
    members_.at(id);
    members_.erase(id);
}

void Engine::forget_best(int64_t id) {
    const auto hold = lock();
    Member &m = members_.at(id);
    hyperband::forget_best(m.counters, m.record);
}

Engine::State Engine::state(int64_t id) {
    const auto hold = lock();
    const Member &m = members_.at(id);
    const auto copy = [&](const Floats &from) {
        Floats to(from.size());
        if (from) std::memcpy(to.get(), from.get(), from.size() * sizeof(float));
        return to;
    };
    return {m.layout,  m.counters, m.record,        copy(m.weights),
            copy(m.m), copy(m.v),  copy(m.average), m.counters.best_step >= 0 ? copy(m.best) : Floats()};
}

void Engine::set_state(int64_t id, State s) {
    const auto hold = lock();
    Member &m = members_.at(id);
    m.weights = std::move(s.weights);
    m.m = std::move(s.m);
    m.v = std::move(s.v);
    m.average = std::move(s.average);
    m.best = std::move(s.best);
    m.counters = s.counters;
    m.record = s.record;
}

std::vector<Scores> Engine::evaluate(const std::vector<int64_t> &members, const Table &table, bool best) {
    const auto hold = lock();
    const Dataset data(table, n_inputs_, n_outputs_);
    std::vector<const Member *> listed;
    for (const int64_t id : members) listed.push_back(&members_.at(id));
    return cpu::evaluate({data, loss_, n_outputs_}, listed, best, scratch_);
}

bool Engine::predict(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    const Member &m = members_.at(id);
    return cpu::predict({m.layout, m.architecture.activation, active_inputs(m), weights_of(m, best)}, {x, n, out}, scratch_);
}

}  // namespace hyperband::cpu
