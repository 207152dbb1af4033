// A pack of members through their steps, by one thread.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "cpu/packs.hpp"
#include "cpu/training.hpp"
#include "cpu/training_cursor.hpp"

namespace hyperband::cpu {
namespace {

// The members of all lanes; lanes that are left over repeat the first member.
std::vector<Member *> lanes_of(const TrainingTask &task, const std::vector<TrainingTarget> &targets) {
    std::vector<Member *> members;
    for (size_t lane = 0; lane < kLanes; ++lane) {
        Member &m = *targets[lane < targets.size() ? lane : 0].member;
        if (task.validation && !m.best) m.best = Floats(m.layout.size);
        members.push_back(&m);
    }
    return members;
}

class PackTrainer {
  public:
    PackTrainer(const TrainingTask &task, const std::vector<TrainingTarget> &targets, ThreadScratch &scratch)
        : task_(task), targets_(targets), members_(lanes_of(task, targets)),
          pack_(members_, task.loss, task.n_outputs, task.train.rows(), scratch.pack), living_(targets.size(), 1),
          n_living_(targets.size()) {
        for (const Member *m : members_) cursors_.emplace_back(*m);
    }

    void run() {
        while (!late_ && first().step < targets_[0].until && n_living_ > 0) step();
        for (size_t i = 0; i < targets_.size(); ++i) {
            if (living_[i]) write_back(i);
            *targets_[i].arrived = !living_[i] || members_[i]->counters.step >= targets_[i].until;
        }
    }

  private:
    // Of the first lane: all lanes keep step with it, also when its member has diverged.
    const Counters &first() const { return cursors_[0].counters(); }

    void step() {
        PackArgs &s = pack_.args;
        s.batch = cursors_[0].batch();
        for (int lane = kLanes - 1; lane >= 0; --lane) {
            TrainingCursor &cursor = cursors_[static_cast<size_t>(lane)];
            s.index = cursor.rows(kernels_, pack_.index(lane));
            s.step[lane] = static_cast<uint32_t>(cursor.counters().step);
            s.dropped[lane] = cursor.dropped();
            s.update[lane] = cursor.update();
        }
        late_ = task_.late();
        std::fill_n(s.loss_sum, kLanes, 0.0);
        kernels_.pack_gradient(s);
        stop_diverged();
        kernels_.pack_update(s);
        if (s.average != nullptr) {
            for (size_t lane = 0; lane < kLanes; ++lane) s.average_share[lane] = cursors_[lane].average_share();
            kernels_.pack_average(s);
        }
        bool epoch_ended = false;
        for (size_t lane = 0; lane < kLanes; ++lane) epoch_ended = cursors_[lane].advance(s.loss_sum[lane]);
        if (task_.validation && (epoch_ended || first().step == targets_[0].until)) validate();
    }

    // Writes back members whose loss is not finite, as they were before this step; from here on their lanes mean nothing.
    void stop_diverged() {
        for (size_t i = 0; i < targets_.size(); ++i) {
            if (!living_[i] || std::isfinite(pack_.args.loss_sum[i])) continue;
            living_[i] = 0;
            --n_living_;
            cursors_[i].diverge();
            write_back(i);
        }
    }

    void write_back(size_t i) {
        pack_.write_back(static_cast<int>(i), *members_[i]);
        cursors_[i].write_back(*members_[i]);
    }

    void validate() {
        const Dataset &data = task_.validation->data;
        PackArgs s = pack_.args;
        if (s.average != nullptr) s.weights = s.average;
        uint32_t index[kEvaluationRows];
        std::iota(index, index + kEvaluationRows, 0u);
        s.index = index;
        std::vector<Sums> all(targets_.size());
        for (size_t first = 0; first < data.n(); first += kEvaluationRows) {
            s.data = data.rows(first);
            for (double *sums : {s.loss_sum, s.weight_sum, s.error_sum}) std::fill_n(sums, kLanes, 0.0);
            kernels_.pack_evaluate(s, static_cast<int>(std::min<size_t>(kEvaluationRows, data.n() - first)));
            for (size_t i = 0; i < targets_.size(); ++i) all[i].add({s.loss_sum[i], s.weight_sum[i], s.error_sum[i]});
        }
        for (size_t i = 0; i < targets_.size(); ++i) {
            if (!living_[i]) continue;
            Member &m = *members_[i];
            keep_validation(task_, m, s.step[i] + 1, all[i], [&] {
                // Weights that take no part in training are in the member's own arena alone.
                std::memcpy(m.best.get(), m.current(), m.layout.size * sizeof(float));
                pack_.write_current(static_cast<int>(i), m, m.best.get());
            });
        }
    }

    const TrainingTask &task_;
    const std::vector<TrainingTarget> &targets_;
    const Kernels &kernels_ = kernels();
    const std::vector<Member *> members_;  // by lane
    std::vector<TrainingCursor> cursors_;  // by lane
    Pack pack_;
    std::vector<char> living_;  // by target: not diverged
    size_t n_living_;
    bool late_ = false;
};

}  // namespace

void train_pack(const TrainingTask &task, const std::vector<TrainingTarget> &targets, ThreadScratch &scratch) {
    PackTrainer(task, targets, scratch).run();
}

}  // namespace hyperband::cpu
