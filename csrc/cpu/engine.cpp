#include "cpu/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <system_error>

#include "core/rates.hpp"
#include "cpu/threads.hpp"

namespace hyperband {
namespace {

constexpr int kJudgedRows = 64;  // rows of an evaluation at a time
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void copy_padded(const float *from, size_t n, size_t columns, size_t stride, float *to) {
    for (size_t i = 0; i < n; ++i) std::copy_n(from + i * columns, columns, to + i * stride);
}

double flops_per_row(const Layout &layout, int inputs) {
    double f = 0.0;
    for (int l = 0; l < layout.n_layers; ++l)
        f += (l == 0 ? 4.0 * inputs : 6.0 * layout.layer[l].in) * layout.layer[l].out + 50.0;
    return f;
}

}  // namespace

Dataset::Dataset(const float *x, size_t n, int n_inputs, const int32_t *label, const float *target, int n_outputs,
                 const float *weight)
    : n_(n), stride_(static_cast<size_t>(padded(n_inputs))), target_stride_(static_cast<size_t>(padded(n_outputs))),
      x_(n * stride_) {
    copy_padded(x, n, static_cast<size_t>(n_inputs), stride_, x_.get());
    if (label != nullptr) label_.assign(label, label + n);
    if (target != nullptr) {
        target_ = Floats(n * target_stride_);
        copy_padded(target, n, static_cast<size_t>(n_outputs), target_stride_, target_.get());
    }
    if (weight != nullptr) {
        weight_ = Floats(n);
        std::copy_n(weight, n, weight_.get());
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

Engine::Engine(Dataset train, std::optional<Dataset> validation, Loss loss, int n_inputs, int n_outputs, int threads)
    : train_(std::move(train)), validation_(std::move(validation)), loss_(loss), n_inputs_(n_inputs), n_outputs_(n_outputs),
      scratch_(static_cast<size_t>(threads)) {
    kernels();  // an unknown HYPERBAND_ISA is reported here, not in a thread
}

size_t Engine::bytes_per_member(const Architecture &a, int n_inputs, int n_outputs) {
    const size_t arenas = 2 + (a.has_first_moment() ? 1 : 0) + (a.has_second_moment() ? 1 : 0);  // weights, best snapshot
    return arenas * Layout::of(a, n_inputs, n_outputs).size * sizeof(float) + sizeof(Member) + 64;
}

int64_t Engine::add(const Architecture &a, uint64_t seed, int64_t total_steps) {
    const auto hold = lock();
    auto m = std::make_unique<Member>();
    m->architecture = a;
    m->layout = Layout::of(a, n_inputs_, n_outputs_);
    m->key = Key::of(seed);
    m->total_steps = total_steps;
    m->weights = Floats(m->layout.size);
    if (a.has_first_moment()) m->m = Floats(m->layout.size);
    if (a.has_second_moment()) m->v = Floats(m->layout.size);
    m->record = {kNan, kNan, std::numeric_limits<double>::infinity(), kNan, kNan, 0.0};
    float bound[kMaxLayers];
    for (int l = 0; l < m->layout.n_layers; ++l)
        bound[l] = initial_bound(a, l, m->layout.n_layers, m->layout.layer[l].in, m->layout.layer[l].out);
    kernels().initialise(m->layout, m->key, bound, m->weights.get());
    members_.emplace(next_id_, std::move(m));
    return next_id_++;
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
    m.record.best_loss = std::numeric_limits<double>::infinity();
    m.record.best_error = kNan;
    m.counters.best_step = -1;
}

// Deals items 0 .. n - 1 to the threads, each taking the next one when it is free.
template <class Work> void Engine::over_threads(size_t n, const Work &work) {
    std::atomic<size_t> next{0};
    const int threads = static_cast<int>(std::min(scratch_.size(), n));
    run_on_threads(threads, [&](int t) {
        for (size_t i = next++; i < n; i = next++) work(i, scratch_[static_cast<size_t>(t)]);
    });
}

std::vector<char> Engine::train(const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows,
                                int inputs, bool evaluate, double seconds) {
    const auto hold = lock();
    std::vector<char> arrived(members.size(), 0);
    std::vector<Job> jobs;
    for (size_t i = 0; i < members.size(); ++i) {
        Member &m = member(members[i]);
        const double remaining = static_cast<double>(until[i] - m.counters.step);
        jobs.push_back({&m, until[i], remaining * m.architecture.batch_size * flops_per_row(m.layout, inputs), &arrived[i]});
    }
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job &a, const Job &b) { return a.cost > b.cost; });
    for (const Job &j : jobs) {
        Counters &c = j.member->counters;
        if (c.diverged || c.step >= j.until) continue;
        if ((c.rows != rows || c.inputs != inputs) && c.position > 0) {
            ++c.epoch;
            c.position = 0;
            j.member->record.epoch_loss = 0.0;
        }
        c.rows = rows;
        c.inputs = inputs;
    }
    const auto deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, seconds)));
    over_threads(jobs.size(), [&](size_t i, ThreadScratch &scratch) {
        *jobs[i].arrived = train_member(*jobs[i].member, jobs[i].until, evaluate, seconds < 0.0 ? nullptr : &deadline, scratch);
    });
    return arrived;
}

bool Engine::train_member(Member &m, int64_t until, bool evaluate, const Clock::time_point *deadline,
                          ThreadScratch &scratch) const {
    Counters &c = m.counters;
    if (c.diverged || c.step >= until) return true;
    if (deadline != nullptr && Clock::now() >= *deadline) return false;
    const Kernels &kernel = kernels();
    const Architecture &a = m.architecture;
    const auto rows = c.rows;
    const int64_t most = std::min<int64_t>(a.batch_size, rows);
    const Workspace &work = scratch.training.for_training(m.layout, static_cast<int>(most), a.clip_norm > 0.0);
    kernel.transpose(m.layout, m.weights.get(), work);
    StepArgs s{.layout = &m.layout,
               .architecture = &a,
               .loss = loss_,
               .n_outputs = n_outputs_,
               .inputs = static_cast<int32_t>(c.inputs),
               .batch = 0,
               .first = 0,
               .data = train_.rows(),
               .key = m.key,
               .index = nullptr,
               .step = 0,
               .update = {},
               .weights = m.weights.get(),
               .m = m.m.get(),
               .v = m.v.get(),
               .work = &work};
    auto order = RowOrder::of(m.key, static_cast<uint32_t>(rows), static_cast<uint32_t>(c.epoch));
    int64_t ordered = 0, ordered_end = 0;  // rows of this epoch whose order work.index holds
    while (c.step < until) {
        const int64_t first = c.position * most;
        s.batch = static_cast<int32_t>(std::min<int64_t>(most, rows - first));
        s.step = static_cast<uint32_t>(c.step);
        s.update = update_at(a, c.step, m.total_steps);
        if (first >= ordered_end) {
            ordered = first;
            ordered_end = std::min(rows, first + std::max<int64_t>(1, kOrdered / most) * most);
            kernel.order_rows(order, static_cast<uint32_t>(first), static_cast<int>(ordered_end - first), work.index);
        }
        s.index = work.index + (first - ordered);
        const double loss = kernel.step(s);
        if (!std::isfinite(loss)) {
            c.diverged = 1;
            m.record.loss = m.record.error = kNan;
            return true;
        }
        ++c.step;
        ++c.position;
        m.record.epoch_loss += loss * s.batch;
        const bool epoch_ended = first + s.batch >= rows;
        if (epoch_ended) {
            ++c.epoch;
            c.position = 0;
            m.record.train_loss = m.record.epoch_loss / static_cast<double>(rows);
            m.record.epoch_loss = 0.0;
            ordered_end = 0;
            order = RowOrder::of(m.key, static_cast<uint32_t>(rows), static_cast<uint32_t>(c.epoch));
        }
        if (evaluate && validation_ && (epoch_ended || c.step == until)) validate(m, scratch.judging);
        if (deadline != nullptr && c.step < until && Clock::now() >= *deadline) return false;
    }
    return true;
}

void Engine::validate(Member &m, Scratch &scratch) const {
    const Scores s = judge(m, m.weights.get(), *validation_, scratch);
    m.record.loss = s.loss;
    m.record.error = s.error;
    if (s.loss < m.record.best_loss) {
        if (!m.best) m.best = Floats(m.layout.size);
        std::memcpy(m.best.get(), m.weights.get(), m.layout.size * sizeof(float));
        m.record.best_loss = s.loss;
        m.record.best_error = s.error;
        m.counters.best_step = m.counters.step;
    }
}

Scores Engine::judge(const Member &m, const float *weights, const Dataset &data, Scratch &scratch) const {
    const Workspace &work = scratch.for_judging(m.layout, kJudgedRows);
    JudgeArgs j{loss_, n_outputs_, 0, {}, &work, 0.0, 0.0, 0.0};
    const auto inputs = static_cast<int32_t>(m.counters.inputs > 0 ? m.counters.inputs : n_inputs_);
    for (size_t first = 0; first < data.n(); first += kJudgedRows) {
        j.data = data.rows(first);
        j.rows = static_cast<int32_t>(std::min<size_t>(kJudgedRows, data.n() - first));
        kernels().forward({&m.layout, m.architecture.activation, inputs, weights, j.data.x, j.data.stride, j.rows, &work});
        kernels().judge(j);
    }
    return {j.loss_sum / j.weight_sum, j.error_sum / static_cast<double>(data.n())};
}

std::vector<Scores> Engine::evaluate(const std::vector<int64_t> &members, const Dataset &data, bool best) {
    const auto hold = lock();
    std::vector<Scores> r(members.size());
    std::vector<const Member *> listed;
    for (const int64_t id : members) listed.push_back(&member(id));
    over_threads(listed.size(), [&](size_t i, ThreadScratch &scratch) {
        const Member &m = *listed[i];
        r[i] = judge(m, best && m.counters.best_step >= 0 ? m.best.get() : m.weights.get(), data, scratch.judging);
    });
    return r;
}

void Engine::predict(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    const Member &m = member(id);
    const float *weights = best && m.counters.best_step >= 0 ? m.best.get() : m.weights.get();
    const int inputs = m.counters.inputs > 0 ? static_cast<int>(m.counters.inputs) : n_inputs_;
    predict_rows(m.layout, m.architecture.activation, inputs, weights, x, n, n_inputs_, n_outputs_, out, scratch_);
}

void predict_rows(const Layout &layout, Activation activation, int inputs, const float *weights, const float *x, size_t n,
                  int n_inputs, int n_outputs, float *out, std::vector<ThreadScratch> &scratch) {
    const size_t chunks = (n + kJudgedRows - 1) / kJudgedRows, columns = static_cast<size_t>(n_inputs);
    const auto stride = static_cast<size_t>(padded(n_inputs)), out_stride = static_cast<size_t>(row_stride(n_outputs));
    std::atomic<size_t> next{0};
    run_on_threads(static_cast<int>(std::min(scratch.size(), chunks)), [&](int t) {
        const Workspace &work = scratch[static_cast<size_t>(t)].judging.for_judging(layout, kJudgedRows);
        for (size_t c = next++; c < chunks; c = next++) {
            const size_t first = c * kJudgedRows, rows = std::min<size_t>(kJudgedRows, n - first);
            copy_padded(x + first * columns, rows, columns, stride, work.x);
            kernels().forward({&layout, activation, inputs, weights, work.x, stride, static_cast<int32_t>(rows), &work});
            for (size_t i = 0; i < rows; ++i)
                std::copy_n(work.g[0] + i * out_stride, n_outputs, out + (first + i) * static_cast<size_t>(n_outputs));
        }
    });
}

}  // namespace hyperband
