#include "cpu/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "core/finite.hpp"
#include "core/rates.hpp"
#include "cpu/threads.hpp"

namespace hyperband::cpu {
namespace {

void copy_padded(const float *from, size_t n, size_t columns, size_t stride, float *to) {
    for (size_t i = 0; i < n; ++i) std::copy_n(from + i * columns, columns, to + i * stride);
}

}  // namespace

Dataset::Dataset(const Table &t, int n_inputs, int n_outputs)
    : n_(t.n), stride_(static_cast<size_t>(padded(n_inputs))), target_stride_(static_cast<size_t>(padded(n_outputs))),
      x_(t.n * stride_) {
    copy_padded(t.x, n_, static_cast<size_t>(n_inputs), stride_, x_.get());
    if (t.label != nullptr) label_.assign(t.label, t.label + n_);
    if (t.target != nullptr) {
        target_ = Floats(n_ * target_stride_);
        copy_padded(t.target, n_, static_cast<size_t>(n_outputs), target_stride_, target_.get());
    }
    if (t.weight != nullptr) {
        weight_ = Floats(n_);
        std::copy_n(t.weight, n_, weight_.get());
    }
}

Rows Dataset::rows(size_t first) const {
    Rows r;
    r.x = x_.get() + first * stride_;
    r.stride = stride_;
    r.label = label_.empty() ? nullptr : label_.data() + first;
    r.target = target_ ? target_.get() + first * target_stride_ : nullptr;
    r.weight = weight_ ? weight_.get() + first : nullptr;
    return r;
}

Engine::Engine(const Table &train, const Table *validation, Loss loss, int n_inputs, int n_outputs, int threads,
               Precision precision)
    : train_(train, n_inputs, n_outputs), loss_(loss), n_inputs_(n_inputs), n_outputs_(n_outputs), precision_(precision),
      scratch_(static_cast<size_t>(threads)) {
    if (validation != nullptr) validation_.emplace(*validation, n_inputs, n_outputs);
    kernels();  // what this machine does not offer is reported here, not in a thread
    if (precision == Precision::bf16) bf16_kernels();
}

size_t Engine::bytes_per_member(const Architecture &a, int n_inputs, int n_outputs) {
    const size_t arenas = 2 + (a.has_first_moment() ? 1 : 0) + (a.has_second_moment() ? 1 : 0);  // weights, best snapshot
    return arenas * Layout::of(a, n_inputs, n_outputs).size * sizeof(float) + sizeof(Member) + 64;
}

std::unique_ptr<Member> Engine::create(const Architecture &a, uint64_t seed, int64_t total_steps) const {
    auto m = std::make_unique<Member>();
    m->architecture = a;
    m->layout = Layout::of(a, n_inputs_, n_outputs_);
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
        if (kind.initial == Initial::ones)
            std::fill_n(m->weights.get() + at, kind.axes[0] == Axis::inputs ? y.in : y.out, 1.0f);
    });
    return m;
}

std::vector<int64_t> Engine::add(const std::vector<Architecture> &architectures, const std::vector<uint64_t> &seeds,
                                 const std::vector<int64_t> &total_steps) {
    const auto hold = lock();
    std::vector<std::unique_ptr<Member>> made;
    for (size_t i = 0; i < architectures.size(); ++i) made.push_back(create(architectures[i], seeds[i], total_steps[i]));
    std::vector<int64_t> ids;
    for (auto &m : made) {
        members_.emplace(next_id_, std::move(m));
        ids.push_back(next_id_++);
    }
    return ids;
}

Member &Engine::member(int64_t id) {
    const auto found = members_.find(id);
    if (found == members_.end())
        throw std::out_of_range("`members` must be ids of living members; got " + std::to_string(id) +
                                ", which was never added or was released.");
    return *found->second;
}

void Engine::release(int64_t id) {
    const auto hold = lock();
    member(id);
    members_.erase(id);
}

void Engine::forget_best(int64_t id) {
    const auto hold = lock();
    Member &m = member(id);
    hyperband::forget_best(m.counters, m.record);
}

StateOf<Layout> Engine::state(int64_t id) {
    const auto hold = lock();
    const Member &m = member(id);
    const auto copy = [&](const Floats &from) {
        Floats to(from.size());
        if (from) std::memcpy(to.get(), from.get(), from.size() * sizeof(float));
        return to;
    };
    return {m.layout,
            m.counters,
            m.record,
            copy(m.weights),
            copy(m.m),
            copy(m.v),
            m.counters.best_step >= 0 ? copy(m.best) : Floats()};
}

void Engine::set_state(int64_t id, StateOf<Layout> s) {
    const auto hold = lock();
    Member &m = member(id);
    m.weights = std::move(s.weights);
    m.m = std::move(s.m);
    m.v = std::move(s.v);
    m.best = std::move(s.best);
    m.counters = s.counters;
    m.record = s.record;
}

// Deals items 0 .. n - 1 to the threads, each taking the next one when it is free.
template <class Work> void Engine::over_threads(size_t n, const Work &work) {
    std::atomic<size_t> next{0};
    run_on_threads(static_cast<int>(std::min(scratch_.size(), n)), [&](int t, int) {
        for (size_t i = next++; i < n; i = next++) work(i, scratch_[static_cast<size_t>(t)]);
    });
}

Sums Engine::evaluate_block(const Member &m, const float *weights, int64_t inputs, const Dataset &data, size_t block,
                            const Workspace &work) const {
    const size_t first = block * kEvaluationRows;
    const auto rows = static_cast<int32_t>(std::min<size_t>(kEvaluationRows, data.n() - first));
    EvaluateArgs j{loss_, n_outputs_, rows, data.rows(first), &work, 0.0, 0.0, 0.0};
    kernels().forward(
        {&m.layout, m.architecture.activation, static_cast<int32_t>(inputs), weights, j.data.x, j.data.stride, rows, &work});
    kernels().evaluate(j);
    return {j.loss_sum, j.weight_sum, j.error_sum};
}

std::vector<Scores> Engine::evaluate(const std::vector<int64_t> &members, const Table &table, bool best) {
    const auto hold = lock();
    const Dataset data(table, n_inputs_, n_outputs_);
    std::vector<const Member *> listed;
    for (const int64_t id : members) listed.push_back(&member(id));
    const size_t blocks = blocks_of(data.n());
    const size_t parts = listed.size() < scratch_.size() ? std::min(blocks, scratch_.size()) : 1;  // of a member's rows
    std::vector<Sums> totals(listed.size()), by_block(parts > 1 ? listed.size() * blocks : 0);
    over_threads(listed.size() * parts, [&](size_t item, ThreadScratch &scratch) {
        const size_t i = item / parts, part = item % parts;
        const Member &m = *listed[i];
        const Workspace &work = scratch.evaluation.for_evaluation(m.layout, kEvaluationRows);
        const float *weights = best && m.counters.best_step >= 0 ? m.best.get() : m.weights.get();
        for (size_t b = blocks * part / parts; b < blocks * (part + 1) / parts; ++b) {
            const Sums s = evaluate_block(m, weights, active_inputs(m), data, b, work);
            if (parts > 1)
                by_block[i * blocks + b] = s;
            else
                totals[i].add(s);
        }
    });
    std::vector<Scores> r;
    for (size_t i = 0; i < listed.size(); ++i) {
        for (size_t b = 0; parts > 1 && b < blocks; ++b) totals[i].add(by_block[i * blocks + b]);
        r.push_back(totals[i].scores(static_cast<int64_t>(data.n())));
    }
    return r;
}

int64_t Engine::active_inputs(const Member &m) const { return m.counters.inputs > 0 ? m.counters.inputs : n_inputs_; }

bool Engine::predict(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    const Member &m = member(id);
    const float *weights = best && m.counters.best_step >= 0 ? m.best.get() : m.weights.get();
    return predict_rows(m.layout, m.architecture.activation, static_cast<int>(active_inputs(m)), weights, x, n, n_inputs_,
                        n_outputs_, out, scratch_);
}

bool predict_rows(const Layout &layout, Activation activation, int inputs, const float *weights, const float *x, size_t n,
                  int n_inputs, int n_outputs, float *out, std::vector<ThreadScratch> &scratch) {
    const size_t blocks = blocks_of(n), columns = static_cast<size_t>(n_inputs);
    const auto out_stride = static_cast<size_t>(row_stride(n_outputs));
    // Rows are read where they lie, unless their stride maps a column of them to a few sets of the cache.
    const bool copied = columns * sizeof(float) % 2048 == 0;
    const auto stride = copied ? static_cast<size_t>(row_stride(n_inputs)) : columns;
    std::atomic<size_t> next{0};
    std::atomic<bool> finite{true};
    run_on_threads(static_cast<int>(std::min(scratch.size(), blocks)), [&](int t, int) {
        const Workspace &work = scratch[static_cast<size_t>(t)].evaluation.for_evaluation(layout, kEvaluationRows);
        for (size_t b = next++; b < blocks && finite.load(std::memory_order_relaxed); b = next++) {
            const size_t first = b * kEvaluationRows, rows = std::min<size_t>(kEvaluationRows, n - first);
            const float *from = x + first * columns;
            if (!all_finite(from, rows * columns)) finite = false;
            if (copied) copy_padded(from, rows, columns, stride, work.x);
            kernels().forward(
                {&layout, activation, inputs, weights, copied ? work.x : from, stride, static_cast<int32_t>(rows), &work});
            for (size_t i = 0; i < rows; ++i)
                std::copy_n(work.outputs + i * out_stride, n_outputs, out + (first + i) * static_cast<size_t>(n_outputs));
        }
    });
    return finite;
}

}  // namespace hyperband::cpu
