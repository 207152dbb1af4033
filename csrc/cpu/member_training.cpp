// One member through its steps, by one thread or several.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/training.hpp"
#include "cpu/training_cursor.hpp"

namespace hyperband::cpu {
namespace {

// One thread's part. Every thread counts steps on a cursor of its own; only the first thread changes the member.
class MemberTrainer {
  public:
    MemberTrainer(const TrainingTask &task, const TrainingTarget &target, Team &team, Share share)
        : task_(task), target_(target), member_(*target.member), team_(team), share_(share),
          kernels_(task.precision == Precision::bf16 ? bf16_kernels() : kernels()), cursor_(member_),
          part_(rows_at_a_time(static_cast<int>(TrainingCursor::most_rows(member_)))) {}

    void run(ThreadScratch &scratch) {
        reserve(scratch);
        if (first_thread()) kernels_.transpose(member_.layout, member_.weights.get(), *team_.work);
        wait();
        if (team_.failed) return;
        StepArgs s = arguments();
        while (!late_ && counters().step < target_.until && !counters().diverged) step(s);
        if (!first_thread()) return;
        cursor_.write_back(member_);
        *target_.arrived = counters().diverged || counters().step >= target_.until;
    }

  private:
    const Counters &counters() const { return cursor_.counters(); }
    bool first_thread() const { return share_.rank == 0; }
    void wait() { team_.barrier.wait(share_.rank); }

    // Whatever may throw comes here: later the other threads would wait for ever.
    void reserve(ThreadScratch &scratch) {
        const Layout &layout = member_.layout;
        try {
            if (first_thread()) {
                const Architecture &a = member_.architecture;
                const auto most = static_cast<int>(TrainingCursor::most_rows(member_));
                team_.work =
                    &scratch.training.for_training(layout, most, a.clip_norm > 0.0, task_.precision == Precision::bf16);
            }
            if (task_.validation) evaluation_ = &scratch.evaluation.for_evaluation(layout, kEvaluationRows);
            if (task_.validation && first_thread()) {
                team_.sums.resize(blocks_of(task_.validation->data.n()));
                if (!member_.best) member_.best = Floats(layout.size);
            }
            index_ = scratch.order(TrainingCursor::order_capacity(member_));
        } catch (...) {
            team_.failed = true;
            wait();
            throw;
        }
    }

    StepArgs arguments() const {
        return {.layout = &member_.layout,
                .architecture = &member_.architecture,
                .loss = task_.loss,
                .n_outputs = task_.n_outputs,
                .inputs = active_inputs(member_),
                .batch = 0,
                .first = 0,
                .rows = 0,
                .data = task_.train.rows(),
                .key = member_.key,
                .index = nullptr,
                .step = 0,
                .dropped = 0,
                .update = {},
                .weights = member_.weights.get(),
                .m = member_.m.get(),
                .v = member_.v.get(),
                .average = member_.average.get(),
                .average_share = 0.0f,
                .work = team_.work};
    }

    void step(StepArgs &s) {
        s.batch = cursor_.batch();
        s.step = static_cast<uint32_t>(counters().step);
        s.dropped = cursor_.dropped();
        s.update = cursor_.update();
        const uint32_t *const rows = cursor_.rows(kernels_, index_);
        if (first_thread() && task_.deadline) team_.late = task_.late();
        const double losses = forward_and_back(s, rows);
        if (!std::isfinite(losses)) return cursor_.diverge();  // nothing was updated
        if (s.work->gradient != nullptr || has_more_parameters(member_.layout)) {
            kernels_.update(s, share_);
            wait();
        }
        if (s.average != nullptr) {
            s.average_share = cursor_.average_share();
            kernels_.average(s, share_);
            wait();
        }
        const bool epoch_ended = cursor_.advance(losses);
        if (task_.validation && (epoch_ended || counters().step == target_.until)) validate();
    }

    // The parts of a batch: outputs, gradients, and either the update of the weights or the sum of the gradients. Returns the
    // sum of the losses; no part follows one that is not finite.
    double forward_and_back(StepArgs &s, const uint32_t *rows) {
        double total = 0.0;
        for (s.first = 0; s.first < s.batch && std::isfinite(total); s.first += part_) {
            s.rows = std::min(part_, s.batch - s.first);
            s.index = rows + s.first;
            kernels_.rows(s, share_);
            wait();
            late_ = team_.late;
            for (int32_t b = 0; b < s.rows; ++b)
                total += static_cast<double>(s.data.weight ? s.data.weight[s.index[b]] : 1.0f) *
                         static_cast<double>(s.work->row_loss[b]);
            if (!std::isfinite(total)) break;
            kernels_.columns(s, share_);
            wait();
        }
        return total;
    }

    void validate() {
        for (size_t b = static_cast<size_t>(share_.rank); b < team_.sums.size(); b += static_cast<size_t>(share_.size))
            team_.sums[b] = evaluate_block(*task_.validation, member_, member_.current(), b, *evaluation_);
        wait();
        if (!first_thread()) return;
        Sums all;
        for (const Sums &s : team_.sums) all.add(s);
        keep_validation(task_, member_, counters().step, all,
                        [&] { std::memcpy(member_.best.get(), member_.current(), member_.layout.size * sizeof(float)); });
    }

    const TrainingTask &task_;
    const TrainingTarget &target_;
    Member &member_;
    Team &team_;
    const Share share_;
    const Kernels &kernels_;
    TrainingCursor cursor_;
    const int32_t part_;                     // rows that go forward and back together
    const Workspace *evaluation_ = nullptr;  // of this thread
    uint32_t *index_ = nullptr;
    bool late_ = false;
};

}  // namespace

void train_member(const TrainingTask &task, const TrainingTarget &target, Team &team, Share share, ThreadScratch &scratch) {
    MemberTrainer(task, target, team, share).run(scratch);
}

}  // namespace hyperband::cpu
