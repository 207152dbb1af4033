// A member's counters and losses, and the rules by which training changes them: the same on every device.
#pragma once

#include <cstdint>
#include <limits>

#include "core/architecture.hpp"

namespace hyperband {

// `position` counts the steps of the unfinished epoch, `rows` and `inputs` are those of that epoch (0 before the first).
struct Counters {
    int64_t step = 0, epoch = 0, position = 0, rows = 0, inputs = 0, best_step = -1, diverged = 0;
};

struct Scores {
    double loss, error;
};

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Record {  // the newest and the best validation; training losses
    double loss = kNotANumber, error = kNotANumber, best_loss = kInfinity, best_error = kNotANumber;
    double train_loss = kNotANumber, epoch_loss = 0.0;  // epoch_loss: sum over the rows of the unfinished epoch
};

// Sums over the rows of a split that is being evaluated.
struct Sums {
    double loss = 0.0, weight = 0.0, error = 0.0;
    HB_FN void add(const Sums &s) { loss += s.loss, weight += s.weight, error += s.error; }
    HB_FN Scores scores(int64_t rows) const { return {loss / weight, error / static_cast<double>(rows)}; }
};
// Rows of a split that are summed up together before their sums are added to the others'.
constexpr int kEvaluationRows = 64;

// Continues with so many rows and columns; when either has changed, an unfinished epoch ends here.
HB_FN void begin_epoch(Counters &c, Record &r, int64_t rows, int64_t inputs) {
    if ((c.rows != rows || c.inputs != inputs) && c.position > 0) {
        ++c.epoch;
        c.position = 0;
        r.epoch_loss = 0.0;
    }
    c.rows = rows;
    c.inputs = inputs;
}

// Rows of a full batch; then first row and number of rows of the current step.
HB_FN int64_t most_rows(int64_t batch_size, int64_t rows) { return batch_size < rows ? batch_size : rows; }
HB_FN int64_t first_row(const Counters &c, int64_t most) { return c.position * most; }
HB_FN int64_t batch_of(const Counters &c, int64_t most) {
    const int64_t rest = c.rows - first_row(c, most);
    return most < rest ? most : rest;
}

// Counts a step whose losses have this sum. True when it ended an epoch.
HB_FN bool advance(Counters &c, Record &r, int64_t most, double loss_sum) {
    const bool epoch_ended = first_row(c, most) + batch_of(c, most) >= c.rows;
    ++c.step;
    ++c.position;
    r.epoch_loss += loss_sum;
    if (!epoch_ended) return false;
    ++c.epoch;
    c.position = 0;
    r.train_loss = r.epoch_loss / static_cast<double>(c.rows);
    r.epoch_loss = 0.0;
    return true;
}

// The loss of a step was not finite: neither this step nor any later one is taken.
HB_FN void diverge(Counters &c, Record &r) {
    c.diverged = 1;
    r.loss = r.error = kNotANumber;
}

// Records a validation. True when it is the best one yet, so that the caller keeps the weights.
HB_FN bool record_validation(Counters &c, Record &r, int64_t step, const Scores &s) {
    r.loss = s.loss;
    r.error = s.error;
    if (!(s.loss < r.best_loss)) return false;
    r.best_loss = s.loss;
    r.best_error = s.error;
    c.best_step = step;
    return true;
}

// The next validation becomes the best one.
HB_FN void forget_best(Counters &c, Record &r) {
    r.best_loss = kInfinity;
    r.best_error = kNotANumber;
    c.best_step = -1;
}

}  // namespace hyperband
