#include "core/async_rungs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hyperband {

namespace {

// std::push_heap keeps the greatest row in front: this order puts the best there.
bool worse(const Row &a, const Row &b) { return b < a; }

template <typename Order> void push(std::deque<Row> &heap, Row row, Order order) {
    heap.push_back(row);
    std::push_heap(heap.begin(), heap.end(), order);
}

template <typename Order> Row pop(std::deque<Row> &heap, Order order) {
    std::pop_heap(heap.begin(), heap.end(), order);
    const Row row = heap.back();
    heap.pop_back();
    return row;
}

bool better(const Row &a, const Row &b) { return a < b; }

}  // namespace

void AsyncRung::record(Row row) {
    ++finished_;
    // floor(finished / eta) grows by at most 1 with each result, because eta > 1.
    remainder_ += denominator_;
    if (remainder_ >= numerator_) {
        remainder_ -= numerator_;
        ++share_;
    }
    if (std::isfinite(row.loss)) {
        push(waiting_, row, worse);
        if (!best_.empty() && row < best_.front()) {
            push(best_, row, better);
        } else {
            push(rest_, row, worse);
        }
    }
    fill();
}

void AsyncRung::fill() {
    const auto share = static_cast<std::size_t>(share_);
    while (best_.size() > share) push(rest_, pop(best_, better), worse);
    while (best_.size() < share && !rest_.empty()) push(best_, pop(rest_, worse), better);
}

void AsyncRung::restore(std::int64_t finished, std::deque<Row> rows, std::deque<Row> waiting) {
    finished_ = share_ = remainder_ = 0;
    best_.clear();
    for (; finished_ < finished; ++finished_) {
        remainder_ += denominator_;
        if (remainder_ >= numerator_) {
            remainder_ -= numerator_;
            ++share_;
        }
    }
    rest_ = std::move(rows);
    waiting_ = std::move(waiting);
    std::make_heap(rest_.begin(), rest_.end(), worse);
    std::make_heap(waiting_.begin(), waiting_.end(), worse);
    fill();
}

Row AsyncRung::take() { return pop(waiting_, worse); }

std::vector<Row> AsyncRung::rows() const {
    std::vector<Row> all(best_.begin(), best_.end());
    all.insert(all.end(), rest_.begin(), rest_.end());
    std::sort(all.begin(), all.end(), [](const Row &a, const Row &b) { return a.trial < b.trial; });
    return all;
}

AsyncRungs::AsyncRungs(const std::vector<std::size_t> &n_rungs, std::int64_t numerator, std::int64_t denominator) {
    for (const std::size_t n : n_rungs) {
        brackets_.emplace_back(n, AsyncRung(numerator, denominator));
        limits_.push_back(n - 1);
        longest_ = std::max(longest_, n);
    }
}

std::int64_t AsyncRungs::begin(const std::vector<std::uint16_t> &brackets) {
    const auto first = static_cast<std::int64_t>(trials_.size());
    for (const std::uint16_t bracket : brackets) trials_.push_back({bracket, 0, TrialStatus::open});
    n_open_ += static_cast<std::int64_t>(brackets.size());
    return first;
}

// Visits (bracket, rung) pairs that may promote, the highest rung first, until the visitor returns true.
template <typename Visit> bool AsyncRungs::each_from_the_top(Visit visit) const {
    for (std::size_t depth = 2; depth <= longest_; ++depth) {  // the last rung of a bracket promotes nobody
        for (std::size_t bracket = 0; bracket < brackets_.size(); ++bracket) {
            const std::size_t n = brackets_[bracket].size();
            if (depth > n || n - depth >= limits_[bracket]) continue;
            if (visit(bracket, n - depth)) return true;
        }
    }
    return false;
}

void AsyncRungs::promote(std::size_t n, std::vector<std::int64_t> &trials) {
    if (n == 0) return;
    each_from_the_top([&](std::size_t bracket, std::size_t rung) {
        AsyncRung &rung_results = brackets_[bracket][rung];
        while (n > 0 && rung_results.ready()) {
            const std::int64_t trial = rung_results.take().trial;
            TrialState &state = trials_[static_cast<std::size_t>(trial)];
            ++state.rung;
            state.status = TrialStatus::open;
            ++n_open_;
            trials.push_back(trial);
            --n;
        }
        return n == 0;
    });
}

bool AsyncRungs::ready() const {
    return each_from_the_top([this](std::size_t bracket, std::size_t rung) { return brackets_[bracket][rung].ready(); });
}

AsyncRungs::Fault AsyncRungs::check(std::int64_t trial, std::int64_t rung) const {
    if (trial < 0 || trial >= static_cast<std::int64_t>(trials_.size())) return Fault::unknown;
    const TrialState &state = trials_[static_cast<std::size_t>(trial)];
    if (state.status != TrialStatus::open) return Fault::closed;
    return state.rung == rung ? Fault::none : Fault::rung;
}

void AsyncRungs::record(std::int64_t trial, double loss) {
    TrialState &state = trials_[static_cast<std::size_t>(trial)];
    std::vector<AsyncRung> &rungs = brackets_[state.bracket];
    rungs[state.rung].record({loss, trial});
    const bool goes_on = std::isfinite(loss) && state.rung + 1u < rungs.size();
    state.status = goes_on ? TrialStatus::paused : TrialStatus::over;
    --n_open_;
}

void AsyncRungs::withdraw(std::int64_t trial) {
    trials_[static_cast<std::size_t>(trial)].status = TrialStatus::withdrawn;
    --n_open_;
}

void AsyncRungs::restore(std::deque<TrialState> trials) {
    trials_ = std::move(trials);
    n_open_ = std::count_if(trials_.begin(), trials_.end(), [](const TrialState &p) { return p.status == TrialStatus::open; });
}

}  // namespace hyperband
