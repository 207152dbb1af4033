// Promotion in asynchronous brackets: rungs grow without limit, and a trial is promoted as soon as it has earned it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/rungs.hpp"

namespace hyperband {

// The results of one rung. A trial may be promoted when it is among the best floor(finished / eta) of `finished` results;
// promoted trials stay counted. ASHA (Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar 2020, Algorithm 2).
//
// O(log n) a result and a promotion; 32 bytes a result that is not promoted, 16 afterwards. Not thread-safe.
class AsyncRung {
  public:
    // eta = numerator / denominator > 1.
    AsyncRung(std::int64_t numerator, std::int64_t denominator) : numerator_(numerator), denominator_(denominator) {}

    // A result. One that is not finite counts as finished and is never promoted.
    void record(Row row);

    // Replaces the results by saved ones: `finished` in all, the finite ones in `rows`, and those of trials that were not
    // promoted also in `waiting`.
    void restore(std::int64_t finished, std::deque<Row> rows, std::deque<Row> waiting);

    // Whether a trial may be promoted; take() promotes the best one.
    bool ready() const { return !waiting_.empty() && !best_.empty() && !(best_.front() < waiting_.front()); }
    Row take();

    std::int64_t finished() const { return finished_; }
    std::vector<Row> rows() const;

  private:
    void fill();

    std::int64_t numerator_, denominator_;
    std::int64_t finished_ = 0;
    std::int64_t share_ = 0, remainder_ = 0;  // finished * denominator = share * numerator + remainder
    // Deques grow without a copy and without unused capacity.
    std::deque<Row> best_;                   // the best `share_` rows: a heap, the worst in front
    std::deque<Row> rest_;                   // the other rows: a heap, the best in front
    std::deque<Row> waiting_;                // rows of trials that were not promoted: a heap, the best in front
};

// Open: its loss is awaited. Paused: it may be promoted. Over: it finished the last rung, or failed. Withdrawn: cancelled.
enum class TrialStatus : std::uint8_t { open = 0, paused = 1, over = 2, withdrawn = 3 };

struct TrialState {
    std::uint16_t bracket;
    std::uint8_t rung;
    TrialStatus status;
};

// Several brackets that end at the same resource, and their trials 0, 1, 2, ... in the order in which they begin.
class AsyncRungs {
  public:
    enum class Fault : int { none = 0, unknown = 1, closed = 2, rung = 3 };

    // At most 65,536 brackets of 1 to 255 rungs.
    AsyncRungs(const std::vector<std::size_t> &n_rungs, std::int64_t numerator, std::int64_t denominator);

    // New trials, open in rung 0 of these brackets; returns the number of the first.
    std::int64_t begin(const std::vector<std::uint16_t> &brackets);

    // Up to `n` promotions, from the top rung down and through the brackets in order; appends the trials.
    void promote(std::size_t n, std::vector<std::int64_t> &trials);

    // Whether a loss of `trial` in `rung` can be recorded.
    Fault check(std::int64_t trial, std::int64_t rung) const;

    // Records a loss of an open trial; `check` has passed.
    void record(std::int64_t trial, double loss);

    // Cancels an open trial that will not be evaluated.
    void withdraw(std::int64_t trial);

    // Promotion in a bracket reaches this rung and no higher one.
    void limit(std::size_t bracket, std::size_t rung) { limits_.at(bracket) = rung; }

    bool ready() const;
    std::int64_t n_open() const { return n_open_; }

    std::deque<TrialState> &trials() { return trials_; }
    const std::deque<TrialState> &trials() const { return trials_; }
    std::vector<AsyncRung> &rungs(std::size_t bracket) { return brackets_.at(bracket); }
    const std::vector<AsyncRung> &rungs(std::size_t bracket) const { return brackets_.at(bracket); }

    // Replaces the trials by saved ones.
    void restore(std::deque<TrialState> trials);

  private:
    template <typename Visit> bool each_from_the_top(Visit visit) const;

    std::vector<std::vector<AsyncRung>> brackets_;
    std::vector<std::size_t> limits_;
    std::size_t longest_ = 0;
    std::deque<TrialState> trials_;
    std::int64_t n_open_ = 0;
};

}  // namespace hyperband
