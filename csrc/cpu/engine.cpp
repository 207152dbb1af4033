#include "cpu/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/rates.hpp"
#include "cpu/threads.hpp"

namespace hyperband {
namespace {

constexpr int kJudgedRows = 64;  // rows of an evaluation at a time: a block
// Floating-point operations between two meetings that make it worth another thread: below, what threads have to tell one
// another takes longer than what they save.
constexpr double kWorthAThread = 4e6;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void copy_padded(const float *from, size_t n, size_t columns, size_t stride, float *to) {
    for (size_t i = 0; i < n; ++i) std::copy_n(from + i * columns, columns, to + i * stride);
}

// Meanwhile the numbers behind them, which come next, are on their way from memory.
bool all_finite(const float *x, size_t n) {
    constexpr uint32_t kExponent = 0x7f800000;
    uint32_t found = 0;
    size_t i = 0;
    auto look_at = [&](size_t end) {
        for (; i < end; ++i) {
            uint32_t u;
            std::memcpy(&u, x + i, sizeof u);
            found |= (u & kExponent) == kExponent ? 1u : 0u;
        }
    };
    for (; i + kPanel <= n;) {
        __builtin_prefetch(x + n + i, 0, 2);
        look_at(i + kPanel);
    }
    look_at(n);
    return found == 0;
}

size_t blocks_of(size_t rows) { return (rows + kJudgedRows - 1) / kJudgedRows; }

double flops_per_row(const Layout &layout, int inputs) {
    double f = 0.0;
    for (int l = 0; l < layout.n_layers; ++l)
        f += (l == 0 ? 4.0 * inputs : 6.0 * layout.layer[l].in) * layout.layer[l].out + 50.0;
    return f;
}

}  // namespace

struct Engine::Sums {  // over some rows of a split
    double loss = 0.0, weight = 0.0, error = 0.0;
    void add(const Sums &s) { loss += s.loss, weight += s.weight, error += s.error; }
    Scores scores(size_t rows) const { return {loss / weight, error / static_cast<double>(rows)}; }
};

// Threads that train one member together.
struct Engine::Team {
    explicit Team(int size) : barrier(size) {}
    Barrier barrier;
    const Workspace *work = nullptr;  // the first thread's
    std::atomic<bool> failed{false};
    bool late = false;       // written by the first thread before a barrier, read by all after it
    std::vector<Sums> sums;  // of a validation, by block
};

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
    run_on_threads(static_cast<int>(std::min(scratch_.size(), n)), [&](int t, int) {
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
        Counters &c = m.counters;
        arrived[i] = c.diverged || c.step >= until[i];
        if (arrived[i]) continue;
        if ((c.rows != rows || c.inputs != inputs) && c.position > 0) {
            ++c.epoch;
            c.position = 0;
            m.record.epoch_loss = 0.0;
        }
        c.rows = rows;
        c.inputs = inputs;
        const auto batch = static_cast<int>(std::min<int64_t>(m.architecture.batch_size, rows));
        const double row = flops_per_row(m.layout, inputs), steps = static_cast<double>(until[i] - c.step);
        jobs.push_back({&m, until[i], row * rows_at_a_time(batch), row * batch * steps, &arrived[i]});
    }
    std::stable_sort(jobs.begin(), jobs.end(), [](const Job &a, const Job &b) { return a.cost > b.cost; });
    const auto deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, seconds)));
    auto run = [&](const Job &job, Team &team, Share share, ThreadScratch &scratch) {
        const bool there = train_member(job, evaluate, seconds < 0.0 ? nullptr : &deadline, team, share, scratch);
        if (share.rank == 0) *job.arrived = there;
    };

    const std::vector<int> sizes = team_sizes(jobs, static_cast<int>(scratch_.size()));
    std::vector<std::unique_ptr<Team>> teams;
    std::vector<std::pair<size_t, Share>> places;  // of each thread: its job, its share
    for (size_t i = 0; i < sizes.size(); ++i) {
        teams.push_back(std::make_unique<Team>(sizes[i]));
        for (int rank = 0; rank < sizes[i]; ++rank) places.push_back({i, {rank, sizes[i]}});
    }
    const auto wanted = static_cast<int>(std::min(places.size(), scratch_.size()));
    std::atomic<size_t> next{0};
    run_on_threads(wanted, [&](int t, int n) {
        ThreadScratch &scratch = scratch_[static_cast<size_t>(t)];
        if (jobs.size() < static_cast<size_t>(wanted) && n == wanted) {
            const auto &[job, share] = places[static_cast<size_t>(t)];
            return run(jobs[job], *teams[job], share, scratch);
        }
        bool first = true;  // every thread does some work, however short the time
        for (size_t i = next++; i < jobs.size() && (first || seconds < 0.0 || Clock::now() < deadline); i = next++) {
            first = false;
            Team alone(1);
            run(jobs[i], alone, {}, scratch);
        }
    });
    return arrived;
}

// One thread for each job; those that are left go where a thread has the most to do.
std::vector<int> Engine::team_sizes(const std::vector<Job> &jobs, int threads) {
    std::vector<int> sizes(jobs.size(), 1);
    auto load = [&](size_t i) { return jobs[i].cost / sizes[i]; };
    for (auto spare = threads - static_cast<int64_t>(jobs.size()); spare > 0; --spare) {
        size_t chosen = jobs.size();
        for (size_t i = 0; i < jobs.size(); ++i)
            if (jobs[i].part_cost >= (sizes[i] + 1) * kWorthAThread && (chosen == jobs.size() || load(i) > load(chosen)))
                chosen = i;
        if (chosen == jobs.size()) break;
        ++sizes[chosen];
    }
    return sizes;
}

// Every thread of the team calls this with its share, and counts along; the first one keeps the books.
bool Engine::train_member(const Job &job, bool evaluate, const Clock::time_point *deadline, Team &team, Share share,
                          ThreadScratch &scratch) const {
    Member &m = *job.member;
    const Kernels &kernel = kernels();
    const Architecture &a = m.architecture;
    const bool first_thread = share.rank == 0, judged = evaluate && validation_;
    Counters c = m.counters;
    double epoch_loss = m.record.epoch_loss, train_loss = m.record.train_loss;
    const auto rows = c.rows;
    const int64_t most = std::min<int64_t>(a.batch_size, rows);
    const Workspace *judging = nullptr;
    uint32_t *index = nullptr;
    try {  // whatever may throw comes first: later the others would wait for ever
        if (first_thread) team.work = &scratch.training.for_training(m.layout, static_cast<int>(most), a.clip_norm > 0.0);
        if (judged) judging = &scratch.judging.for_judging(m.layout, kJudgedRows);
        if (judged && first_thread) team.sums.resize(blocks_of(validation_->n()));
        if (judged && first_thread && !m.best) m.best = Floats(m.layout.size);
        index = scratch.order(std::max<int64_t>(most, kOrdered));
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
    auto order = RowOrder::of(m.key, static_cast<uint32_t>(rows), static_cast<uint32_t>(c.epoch));
    int64_t ordered = 0, ordered_end = 0;  // rows of this epoch whose order `index` holds
    while (!late && c.step < job.until && !c.diverged) {
        const int64_t begin = c.position * most;
        s.batch = static_cast<int32_t>(std::min<int64_t>(most, rows - begin));
        s.step = static_cast<uint32_t>(c.step);
        s.update = update_at(a, c.step, m.total_steps);
        if (begin >= ordered_end) {
            ordered = begin;
            ordered_end = std::min(rows, begin + std::max<int64_t>(1, kOrdered / most) * most);
            kernel.order_rows(order, static_cast<uint32_t>(begin), static_cast<int>(ordered_end - begin), index);
        }
        if (first_thread && deadline != nullptr) team.late = Clock::now() >= *deadline;
        const int32_t part = rows_at_a_time(static_cast<int>(most));
        double total = 0.0;
        for (s.first = 0; s.first < s.batch && std::isfinite(total); s.first += part) {
            s.rows = std::min(part, s.batch - s.first);
            s.index = index + (begin - ordered) + s.first;
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
            c.diverged = 1;
            break;
        }
        if (s.work->gradient != nullptr) {
            kernel.update(s, share);
            team.barrier.wait(share.rank);
        }
        ++c.step;
        ++c.position;
        epoch_loss += total;
        const bool epoch_ended = begin + s.batch >= rows;
        if (epoch_ended) {
            ++c.epoch;
            c.position = 0;
            train_loss = epoch_loss / static_cast<double>(rows);
            epoch_loss = 0.0;
            ordered_end = 0;
            order = RowOrder::of(m.key, static_cast<uint32_t>(rows), static_cast<uint32_t>(c.epoch));
        }
        if (judged && (epoch_ended || c.step == job.until)) validate(m, c, team, share, *judging);
    }
    if (first_thread) {
        c.best_step = m.counters.best_step;
        m.counters = c;
        m.record.train_loss = train_loss;
        m.record.epoch_loss = epoch_loss;
        if (c.diverged) m.record.loss = m.record.error = kNan;
    }
    return c.diverged || c.step >= job.until;
}

void Engine::validate(Member &m, const Counters &c, Team &team, Share share, const Workspace &work) const {
    for (size_t b = static_cast<size_t>(share.rank); b < team.sums.size(); b += static_cast<size_t>(share.size))
        team.sums[b] = judge(m, m.weights.get(), c.inputs, *validation_, b, work);
    team.barrier.wait(share.rank);
    if (share.rank != 0) return;
    Sums all;
    for (const Sums &s : team.sums) all.add(s);
    const Scores s = all.scores(validation_->n());
    m.record.loss = s.loss;
    m.record.error = s.error;
    if (s.loss < m.record.best_loss) {
        std::memcpy(m.best.get(), m.weights.get(), m.layout.size * sizeof(float));
        m.record.best_loss = s.loss;
        m.record.best_error = s.error;
        m.counters.best_step = c.step;
    }
}

Engine::Sums Engine::judge(const Member &m, const float *weights, int64_t inputs, const Dataset &data, size_t block,
                           const Workspace &work) const {
    const size_t first = block * kJudgedRows;
    const auto rows = static_cast<int32_t>(std::min<size_t>(kJudgedRows, data.n() - first));
    JudgeArgs j{loss_, n_outputs_, rows, data.rows(first), &work, 0.0, 0.0, 0.0};
    kernels().forward(
        {&m.layout, m.architecture.activation, static_cast<int32_t>(inputs), weights, j.data.x, j.data.stride, rows, &work});
    kernels().judge(j);
    return {j.loss_sum, j.weight_sum, j.error_sum};
}

std::vector<Scores> Engine::evaluate(const std::vector<int64_t> &members, const Dataset &data, bool best) {
    const auto hold = lock();
    std::vector<const Member *> listed;
    for (const int64_t id : members) listed.push_back(&member(id));
    const size_t blocks = blocks_of(data.n());
    const size_t parts = listed.size() < scratch_.size() ? std::min(blocks, scratch_.size()) : 1;  // of a member's rows
    std::vector<Sums> totals(listed.size()), by_block(parts > 1 ? listed.size() * blocks : 0);
    over_threads(listed.size() * parts, [&](size_t item, ThreadScratch &scratch) {
        const size_t i = item / parts, part = item % parts;
        const Member &m = *listed[i];
        const Workspace &work = scratch.judging.for_judging(m.layout, kJudgedRows);
        const float *weights = best && m.counters.best_step >= 0 ? m.best.get() : m.weights.get();
        for (size_t b = blocks * part / parts; b < blocks * (part + 1) / parts; ++b) {
            const Sums s = judge(m, weights, active_inputs(m), data, b, work);
            if (parts > 1)
                by_block[i * blocks + b] = s;
            else
                totals[i].add(s);
        }
    });
    std::vector<Scores> r;
    for (size_t i = 0; i < listed.size(); ++i) {
        for (size_t b = 0; parts > 1 && b < blocks; ++b) totals[i].add(by_block[i * blocks + b]);
        r.push_back(totals[i].scores(data.n()));
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
    // Rows are read where they lie, unless they are so far apart that a column of them falls into a few sets of the cache.
    const bool copied = columns * sizeof(float) % 2048 == 0;
    const auto stride = copied ? static_cast<size_t>(row_stride(n_inputs)) : columns;
    std::atomic<size_t> next{0};
    std::atomic<bool> finite{true};
    run_on_threads(static_cast<int>(std::min(scratch.size(), blocks)), [&](int t, int) {
        const Workspace &work = scratch[static_cast<size_t>(t)].judging.for_judging(layout, kJudgedRows);
        for (size_t b = next++; b < blocks && finite.load(std::memory_order_relaxed); b = next++) {
            const size_t first = b * kJudgedRows, rows = std::min<size_t>(kJudgedRows, n - first);
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

}  // namespace hyperband
