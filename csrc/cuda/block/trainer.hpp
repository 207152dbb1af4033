// A block trains a member until a step or the deadline.
#pragma once

#include "cuda/block/evaluate.hpp"
#include "cuda/block/tensor.hpp"
#include "cuda/block/updates.hpp"

namespace hyperband::cuda {

// Words of shared memory, from plan.control, that one thread writes for all. kOpen: position in the numbers at kSums.
enum Control : int { kTotal = 0, kSums = 2, kOpen = 3, kLate = 14, kBetter = 15, kSquares = 16, kOrder = 32, kClip = 43 };

// kPrecision: of products in training; the validation rows are validated in float32.
template <class B, SizeClass kClass, Precision kPrecision> class Trainer {
    using MemberView = cuda::MemberView<B, kClass>;
    static constexpr bool kTensor = kPrecision != Precision::float32;
    using Weights = typename MemberView::template Floats<MemberView::kWeightsShared>;
    using Moments = typename MemberView::template Floats<MemberView::kMomentsShared>;
    template <class T> using Shared = typename B::template Shared<T>;

  public:
    // network: that of the job or a copy; its counters and record change.
    HB_BLOCK Trainer(B &block, Network &network, const TrainJob &job, const Task &task)
        : block_(block), job_(job), task_(task), net_(network),
          member_{block, network, job.plan, network.inputs(), task.n_outputs} {}

    // One loop takes the rows of batches and those of the validation split: a kernel that holds the products twice takes twice
    // as long to compile, and more registers.
    HB_BLOCK void run() {
        load_arenas();
        new_order();
        int64_t known = counters().step;  // steps below this one have their constants in shared memory
        bool late = false;
        int first = 0;        // row of the batch
        int64_t validated = -1;  // next row of the validation split; negative: training
        while (true) {
            const bool training = validated < 0;
            const Counters c = counters();
            if (training && first == 0) {
                if (late || c.diverged || c.step >= job_.until) break;
                if (c.step >= known) {
                    known = c.step + kUpdatesAhead;
                    look_ahead(c.step);
                }
            }
            const int64_t most = most_rows(net_.architecture.batch_size, c.rows);
            const auto batch = static_cast<int>(batch_of(c, most));
            const int64_t left = training ? batch - first : task_.validation.n - validated;
            const int rows = left < plan().part ? static_cast<int>(left) : plan().part;
            const DeviceRows &data = training ? task_.train : task_.validation;
            if (training) {
                take_rows(first_row(c, most) + first, rows);
                late = block_.uniform(word(kLate), 0) != 0;
            } else {
                number_rows(member_, validated, rows);
            }
            block_.phase([&](int tid) { gather(tid, member_, data, rows); });
            prepare_inputs(member_, rows, weights());
            const Shared<float> numbers =
                control(plan().updates, training ? static_cast<int>(c.step + kUpdatesAhead - known) * kUpdateWords : 0);
            uint32_t dropped = 0;
            if (training && net_.architecture.dropout > 0.0)
                dropped = static_cast<uint32_t>(block_.uniform(numbers, kDroppedWord));
            forward_rows({training, rows, first, static_cast<uint32_t>(c.step), dropped});
            const auto smoothing = static_cast<float>(net_.architecture.label_smoothing);
            const LossOf loss{task_.loss, data, training, rows, training ? batch : rows, training ? smoothing : 0.0f};
            row_losses(member_, loss);
            if (!training) {
                validated = validate_rows(loss, validated);
                if (validated < 0 && net_.average) swap_average();
                continue;
            }
            if (!backward(numbers, rows, first, batch)) {  // nothing was updated
                change_progress([](Counters &now, Record &r) { diverge(now, r); });
                break;
            }
            first += rows;
            if (first < batch) continue;
            first = 0;
            if (plan().collected) update(numbers);
            if (net_.average) average(numbers);
            const double total = block_.uniform(number(kTotal), 0);
            change_progress([&](Counters &now, Record &r) { advance(now, r, most, total); });
            const Counters next = counters();
            const bool epoch_ended = next.position == 0;
            if (epoch_ended) new_order();
            if (task_.evaluate && task_.validation.n > 0 && (epoch_ended || next.step == job_.until)) {
                if (net_.average) swap_average();
                validated = 0;
            }
        }
        store_arenas();
    }

  private:
    HB_BLOCK const MemoryPlan &plan() const { return job_.plan; }
    HB_BLOCK Shared<float> control(int64_t area, int offset) const {
        return block_.template shared<float>(static_cast<int>(area) + offset);
    }
    HB_BLOCK Shared<uint32_t> word(int which) const { return block_.template shared<uint32_t>(plan().control + which); }
    HB_BLOCK Shared<double> number(int which) const { return block_.template shared<double>(plan().control + which); }
    HB_BLOCK static bool finite(double x) { return x - x == 0.0; }

    // Counters and record stay in memory: in registers they would cost more than all else between the phases.
    HB_BLOCK Counters counters() const { return block_.uniform(block_.own(&net_.counters), 0); }
    // One thread calls change(counters, record).
    template <class Change> HB_BLOCK void change_progress(const Change &change) {
        block_.phase([&](int tid) {
            if (tid != 0) return;
            const auto own_counters = block_.own(&net_.counters);
            const auto own_record = block_.own(&net_.record);
            Counters c = own_counters.load(0);
            Record r = own_record.load(0);
            change(c, r);
            own_counters.store(0, c), own_record.store(0, r);
        });
    }

    HB_BLOCK Weights weights() const {
        if constexpr (MemberView::kWeightsShared)
            return member_.template at<true>(plan().weights);
        else
            return block_.arena(net_.weights);
    }
    HB_BLOCK Moments moments(int64_t offset, float *arena) const {
        if constexpr (MemberView::kMomentsShared)
            return member_.template at<true>(offset);
        else
            return block_.arena(arena);
    }
    HB_BLOCK auto gradient() const { return block_.global(plan().gradient); }

    template <class From, class To> HB_BLOCK void copy(From from, To to) {
        deal_vectors([&](int64_t at) {
            to.template store<kVector>(static_cast<typename To::Index>(at),
                                       from.template load<kVector>(static_cast<typename From::Index>(at)));
        });
    }
    template <class Visit> HB_BLOCK void deal_vectors(const Visit &visit) {
        block_.phase([&](int tid) {
            for (int64_t i = tid; i < net_.layout.size / kVector; i += block_.threads()) visit(i * kVector);
        });
    }

    HB_BLOCK void load_arenas() {
        if constexpr (MemberView::kWeightsShared) copy(block_.arena(net_.weights), weights());
        if constexpr (MemberView::kMomentsShared) {
            if (net_.m) copy(block_.arena(net_.m), moments(plan().m, net_.m));
            if (net_.v) copy(block_.arena(net_.v), moments(plan().v, net_.v));
        }
    }
    HB_BLOCK void store_arenas() {
        if constexpr (MemberView::kWeightsShared) copy(weights(), block_.arena(net_.weights));
        if constexpr (MemberView::kMomentsShared) {
            if (net_.m) copy(moments(plan().m, net_.m), block_.arena(net_.m));
            if (net_.v) copy(moments(plan().v, net_.v), block_.arena(net_.v));
        }
    }

    // Computes the keys of this epoch's order of rows.
    HB_BLOCK void new_order() {
        block_.phase([&](int tid) {
            if (tid != 0) return;
            const Counters c = block_.own(&net_.counters).load(0);
            const RowOrder o = RowOrder::of(net_.key, static_cast<uint32_t>(c.rows), static_cast<uint32_t>(c.epoch));
            const Shared<uint32_t> to = word(kOrder);
            to.store(0, o.n), to.store(1, static_cast<uint32_t>(o.lo)), to.store(2, static_cast<uint32_t>(o.hi));
            HB_UNROLL
            for (int i = 0; i < 8; ++i) to.store(3 + i, o.key[i]);
        });
    }
    HB_BLOCK RowOrder order() const {
        const Shared<uint32_t> from = word(kOrder);
        RowOrder o;
        o.n = from.load(0), o.lo = static_cast<int>(from.load(1)), o.hi = static_cast<int>(from.load(2));
        HB_UNROLL
        for (int i = 0; i < 8; ++i) o.key[i] = from.load(3 + i);
        return o;
    }

    HB_BLOCK void look_ahead(int64_t step) {
        block_.phase([&](int tid) {
            deal(tid, block_.threads(), kUpdatesAhead, [&](int i) {
                const Shared<float> to = control(plan().updates, i * kUpdateWords);
                const Architecture &a = net_.architecture;
                store_update(to, update_at(a, step + i, net_.total_steps));
                to.store(kDroppedWord, static_cast<float>(dropout_limit_at(a, step + i, net_.total_steps)));  // exact
                to.store(kShareWord, average_share(a, step + i));
            });
        });
    }

    // Writes the numbers of the next rows, and whether the deadline is over.
    HB_BLOCK void take_rows(int64_t first, int rows) {
        block_.phase([&](int tid) {
            if (tid == 0) word(kLate).store(0, block_.late() ? 1u : 0u);
            if (tid >= rows) return;
            const RowOrder o = order();
            deal(tid, block_.threads(), rows, [&](int i) { member_.index().store(i, o(static_cast<uint32_t>(first + i))); });
        });
    }

    // The rows of the part forward.
    HB_BLOCK void forward_rows(const ForwardPass &pass) {
        if constexpr (kTensor) {
            if (pass.training) {
                for (int l = 0; l < member_.layers(); ++l) {
                    block_.phase([&](int tid) {
                        tensor_forward<kPrecision>(tid, member_, pass, l, inputs_of(member_, l, member_.x()), weights());
                    });
                    if (waits_for_activation(member_, l))
                        block_.phase([&](int tid) { tensor_activation(tid, member_, pass, l, weights()); });
                }
                return;
            }
        }
        forward(member_, pass, weights());
    }

    // The sum of the losses of the batch up to this part, by one thread in the order of rows.
    HB_BLOCK void add_losses(int rows, bool accumulate) {
        double total = accumulate ? number(kTotal).load(0) : 0.0;
        const auto weight = block_.read_only(task_.train.weight);
        for (int row = 0; row < rows; row += kPiece) {
            const Registers<kPiece> losses = four_losses(member_, row);
            HB_UNROLL
            for (int i = 0; i < kPiece; ++i) {
                if (row + i >= rows) continue;
                const float w = task_.train.weight ? weight.load(member_.index().load(row + i)) : 1.0f;
                total += static_cast<double>(w) * static_cast<double>(losses[i]);
            }
        }
        number(kTotal).store(0, total);
    }

    HB_BLOCK void back(int tid, int rows, int l) {
        if constexpr (kTensor)
            tensor_backward<kPrecision>(tid, member_, rows, l, weights());
        else
            layer_backward(tid, member_, rows, l, weights());
    }

    // Gradients of all layers, from the last one down; a layer's weights change once what lies below has its gradient.
    // Returns whether the sum of the losses is finite; if not, nothing was changed.
    HB_BLOCK bool backward(Shared<float> numbers, int rows, int first, int batch) {
        const int last = member_.layers() - 1;
        for (int l = last; l >= 0; --l) {
            if (l > 0 || l == last)
                block_.phase([&](int tid) {
                    if (l == last && tid == block_.threads() - 1) add_losses(rows, first > 0);
                    if (l > 0) back(tid, rows, l);
                });
            if (l == last && !finite(block_.uniform(number(kTotal), 0))) return false;
            block_.phase([&](int tid) { columns(tid, numbers, rows, first, l, inputs_of(member_, l, member_.x())); });
        }
        if (net_.layout.embedding.exists()) embedding_backward({rows, first > 0, first + rows == batch});
        return true;
    }

    // The weights are those before the update: a network with an embedding collects its gradient.
    HB_BLOCK void embedding_backward(const EmbeddingSums &sums) {
        block_.phase([&](int tid) { components_backward(tid, member_, sums.rows, weights()); });
        block_.phase([&](int tid) {
            if (net_.layout.embedding.kind == NumberEmbedding::pbld)
                pbld_columns(tid, member_, sums, weights(), gradient());
            else
                cosine_columns(tid, member_, sums, weights(), gradient());
        });
    }

    HB_BLOCK auto optimiser(Shared<float> numbers, Group group) const {
        const Architecture &a = net_.architecture;
        return Optimiser<Weights, Moments>{weights(),   moments(plan().m, net_.m),  moments(plan().v, net_.v), rule_of(a),
                                           is_plain(a), load_update(numbers, group)};
    }

    template <class A> HB_BLOCK void columns(int tid, Shared<float> numbers, int rows, int first, int l, A a) {
        if (plan().collected) {
            const auto sums = gradient();
            sum_columns(
                tid, rows, l, a,
                [&](int64_t offset, auto s) {
                    constexpr int kCount = static_cast<int>(sizeof(s) / sizeof(float));
                    return first > 0 ? sums.template load<kCount>(offset) : zeros(s);
                },
                [&](Group) {
                    return [&](int64_t offset, auto s, int) {
                        sums.template store<static_cast<int>(sizeof(s) / sizeof(float))>(offset, s);
                    };
                });
            return;
        }
        sum_columns(
            tid, rows, l, a, [](int64_t, auto s) { return zeros(s); },
            [&](Group group) {
                return [by = optimiser(numbers, group)](int64_t offset, auto s, int count) { by.apply(offset, s, count); };
            });
    }
    template <class A, class Start, class Ready>
    HB_BLOCK void sum_columns(int tid, int rows, int l, A a, const Start &start, const Ready &ready) {
        if constexpr (kTensor)
            tensor_columns<kPrecision>(tid, member_, rows, l, a, start, ready);
        else
            layer_columns(tid, member_, rows, l, a, start, ready);
    }
    template <int N> HB_BLOCK static Registers<N> zeros(Registers<N> s) {
        HB_UNROLL
        for (int i = 0; i < N; ++i) s[i] = 0.0f;
        return s;
    }

    // The update where the whole gradient was collected first.
    HB_BLOCK void update(Shared<float> numbers) {
        if (member_.scales()) block_.phase([&](int tid) { through_scale(tid, member_, weights(), gradient()); });
        const auto most = static_cast<float>(net_.architecture.clip_norm);
        if (net_.architecture.clip_norm > 0.0) {
            block_.phase([&](int tid) {
                deal(tid, block_.threads(), kPanel, [&](int lane) {
                    control(plan().control, kSquares).store(lane, lane_of_squares(member_, gradient(), lane));
                });
            });
            block_.phase([&](int tid) {
                if (tid != 0) return;
                const float norm = std::sqrt(sum_of_lanes(control(plan().control, kSquares), kPanel, 1, 0));
                control(plan().control, kClip).store(0, norm > most ? most / norm : 1.0f);
            });
        }
        block_.phase([&](int tid) {
            const float clip = net_.architecture.clip_norm > 0.0 ? control(plan().control, kClip).load(0) : 1.0f;
            const auto sums = gradient();
            for_each_vector(tid, member_, [&](int64_t offset, int count, Group group) {
                auto by = optimiser(numbers, group);
                by.update.clip = clip;
                by.apply(offset, sums.template load<kVector>(offset), count);
            });
        });
    }

    // The moving average after the step.
    HB_BLOCK void average(Shared<float> numbers) {
        block_.phase([&](int tid) {
            const float share = numbers.load(kShareWord);
            const auto from = weights();
            const auto to = block_.arena(net_.average);
            for_each_vector(tid, member_, [&](int64_t offset, int count, Group) {
                const Registers<kVector> w = from.template load<kVector>(static_cast<typename Weights::Index>(offset));
                Registers<kVector> mean = to.template load<kVector>(offset);
                HB_UNROLL
                for (int i = 0; i < kVector; ++i) mean[i] = i < count ? averaged(mean[i], w[i], share) : mean[i];
                to.template store<kVector>(offset, mean);
            });
        });
    }
    // The average takes the place of the weights while it is validated, and gives it back.
    HB_BLOCK void swap_average() {
        const auto here = weights();
        const auto there = block_.arena(net_.average);
        deal_vectors([&](int64_t at) {
            const auto i = static_cast<typename Weights::Index>(at);
            const Registers<kVector> w = here.template load<kVector>(i);
            here.template store<kVector>(i, there.template load<kVector>(at));
            there.template store<kVector>(at, w);
        });
    }

    // Adds the rows of the part, from `first` on, to the sums over the validation split; after the last row it keeps the best
    // weights. Returns the next row, or -1.
    HB_BLOCK int64_t validate_rows(const LossOf &loss, int64_t first) {
        const int64_t end = task_.validation.n;
        const bool done = first + loss.rows >= end;
        block_.phase([&](int tid) {
            if (tid != 0) return;
            Sums all{}, open{};
            if (first > 0) all = load_sums(0), open = load_sums(kOpen);
            add_rows(member_, loss, first, end, open, [&](int64_t, const Sums &s) { all.add(s); });
            store_sums(0, all), store_sums(kOpen, open);
        });
        if (!done) return first + loss.rows;
        change_progress([&](Counters &c, Record &r) {
            word(kBetter).store(0, record_validation(c, r, c.step, load_sums(0).scores(end)) ? 1u : 0u);
        });
        if (block_.uniform(word(kBetter), 0) != 0) copy(weights(), block_.arena(net_.best));
        return -1;
    }
    HB_BLOCK Sums load_sums(int from) const {
        const Shared<double> s = number(kSums);
        return {s.load(from), s.load(from + 1), s.load(from + 2)};
    }
    HB_BLOCK void store_sums(int to, const Sums &s) const {
        const Shared<double> at = number(kSums);
        at.store(to, s.loss), at.store(to + 1, s.weight), at.store(to + 2, s.error);
    }

    B &block_;
    const TrainJob &job_;
    const Task &task_;
    Network &net_;
    MemberView member_;
};

}  // namespace hyperband::cuda
