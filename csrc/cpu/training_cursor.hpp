// The position of a member in its training: the rows and the learning rate of the next step, and the sum of the losses.
#pragma once

#include <algorithm>

#include "core/dropout.hpp"
#include "cpu/member.hpp"

namespace hyperband::cpu {

// Works on copies of the member's counters, so that each thread of a team can have one; write_back() stores them.
class TrainingCursor {
  public:
    explicit TrainingCursor(const Member &m)
        : member_(&m), c_(m.counters), r_(m.record), most_(most_rows(m)), order_(order()) {}

    // Rows of a full batch, and rows whose order is computed at a time.
    static int64_t most_rows(const Member &m) { return hyperband::most_rows(m.architecture.batch_size, m.counters.rows); }
    static int64_t order_capacity(const Member &m) { return std::max<int64_t>(most_rows(m), kOrdered); }

    const Counters &counters() const { return c_; }
    // Of the next step: the number of its rows, its constants, and the numbers of its rows.
    int32_t batch() const { return static_cast<int32_t>(batch_of(c_, most_)); }
    Update update() const { return update_at(member_->architecture, c_.step, member_->total_steps); }
    uint32_t dropped() const { return dropout_limit_at(member_->architecture, c_.step, member_->total_steps); }
    float average_share() const { return hyperband::average_share(member_->architecture, c_.step); }
    // `index` has room for order_capacity() numbers, padded to 16, and is the same buffer in every call.
    const uint32_t *rows(const Kernels &kernel, uint32_t *index) {
        if (begin() >= ordered_end_) {
            ordered_ = begin();
            ordered_end_ = std::min(c_.rows, ordered_ + std::max<int64_t>(1, kOrdered / most_) * most_);
            kernel.order_rows(order_, static_cast<uint32_t>(ordered_), static_cast<int>(ordered_end_ - ordered_), index);
        }
        return index + (begin() - ordered_);
    }

    // Counts a step whose losses have this sum. True when it ended an epoch.
    bool advance(double loss_sum) {
        if (!hyperband::advance(c_, r_, most_, loss_sum)) return false;
        ordered_end_ = 0;
        order_ = order();
        return true;
    }
    // The step was not taken, and none will be.
    void diverge() { hyperband::diverge(c_, r_); }

    void write_back(Member &m) const {
        const int64_t best_step = m.counters.best_step;
        m.counters = c_;
        m.counters.best_step = best_step;
        m.record.train_loss = r_.train_loss;
        m.record.epoch_loss = r_.epoch_loss;
        if (c_.diverged) m.record.loss = m.record.error = kNotANumber;
    }

  private:
    int64_t begin() const { return first_row(c_, most_); }
    RowOrder order() const {
        return RowOrder::of(member_->key, static_cast<uint32_t>(c_.rows), static_cast<uint32_t>(c_.epoch));
    }

    const Member *member_;
    Counters c_;
    Record r_;
    int64_t most_;
    RowOrder order_;
    int64_t ordered_ = 0, ordered_end_ = 0;  // the rows of this epoch whose numbers are in `index`
};

}  // namespace hyperband::cpu
