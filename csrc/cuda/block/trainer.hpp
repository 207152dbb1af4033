// A member trained by one block until a step, or until time is up.
#pragma once

#include "cuda/block/judge.hpp"
#include "cuda/block/updates.hpp"

namespace hyperband::cuda {

// Words of near memory, from places.control: what one thread tells all others. kOpen counts numbers behind kSums.
enum Control : int { kTotal = 0, kSums = 2, kOpen = 3, kLate = 14, kClip = 15, kSquares = 16, kOrder = 32 };

template <class B, SizeClass kClass> class Trainer {
    using Bench = cuda::Bench<B, kClass>;
    using Weights = typename Bench::template Floats<Bench::kWeightsNear>;
    using Moments = typename Bench::template Floats<Bench::kMomentsNear>;
    template <class T> using Near = typename B::template Near<T>;

  public:
    HB_BLOCK Trainer(B &block, const TrainJob &job, const Task &task)
        : block_(block), job_(job), task_(task), net_(*job.network),
          bench_{block, *job.network, job.places, static_cast<int>(job.network->counters.inputs), task.n_outputs} {}

    HB_BLOCK void run() {
        Counters c = net_.counters;
        Record r = net_.record;
        const Architecture &a = net_.architecture;
        const int64_t most = most_rows(a.batch_size, c.rows);
        const bool judged = task_.evaluate && task_.validation.n > 0;
        bring();
        new_order(c);
        int64_t known = c.step;  // steps below this one have their numbers in near memory
        bool late = false;
        while (!late && c.step < job_.until && !c.diverged) {
            if (c.step >= known) {
                known = c.step + kUpdatesAhead;
                look_ahead(c.step);
            }
            const Near<float> numbers =
                control(places().updates, static_cast<int>(c.step + kUpdatesAhead - known) * kUpdateWords);
            const int batch = static_cast<int>(batch_of(c, most));
            double total = 0.0;
            for (int first = 0; first < batch && finite(total); first += places().part) {
                const int rows = batch - first < places().part ? batch - first : places().part;
                const Passage pass{true, rows, first, static_cast<uint32_t>(c.step)};
                take_rows(first_row(c, most) + first, rows);
                late = block_.uniform(word(kLate), 0) != 0;
                block_.phase([&](int tid) { gather(tid, bench_, task_.train, rows); });
                forward(bench_, pass, weights());
                row_losses(bench_, {task_.loss, task_.train, true, rows, batch, static_cast<float>(a.label_smoothing)});
                total = backward(numbers, rows, first);
            }
            if (!finite(total)) {  // nothing was updated
                diverge(c, r);
                break;
            }
            if (places().collected) update(numbers);
            const bool epoch_ended = advance(c, r, most, total);
            if (epoch_ended) new_order(c);
            if (judged && (epoch_ended || c.step == job_.until)) validate(c, r);
        }
        leave(c, r);
    }

  private:
    HB_BLOCK const Places &places() const { return job_.places; }
    HB_BLOCK Near<float> control(int64_t place, int offset) const {
        return block_.template near<float>(static_cast<int>(place) + offset);
    }
    HB_BLOCK Near<uint32_t> word(int which) const { return block_.template near<uint32_t>(places().control + which); }
    HB_BLOCK Near<double> number(int which) const { return block_.template near<double>(places().control + which); }
    HB_BLOCK static bool finite(double x) { return x - x == 0.0; }

    HB_BLOCK Weights weights() const {
        if constexpr (Bench::kWeightsNear)
            return bench_.template at<true>(places().weights);
        else
            return block_.arena(net_.weights);
    }
    HB_BLOCK Moments moments(int64_t place, float *arena) const {
        if constexpr (Bench::kMomentsNear)
            return bench_.template at<true>(place);
        else
            return block_.arena(arena);
    }
    HB_BLOCK auto gradient() const { return block_.far(places().gradient); }

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

    HB_BLOCK void bring() {
        if constexpr (Bench::kWeightsNear) copy(block_.arena(net_.weights), weights());
        if constexpr (Bench::kMomentsNear) {
            if (net_.m) copy(block_.arena(net_.m), moments(places().m, net_.m));
            if (net_.v) copy(block_.arena(net_.v), moments(places().v, net_.v));
        }
    }
    HB_BLOCK void leave(const Counters &c, const Record &r) {
        if constexpr (Bench::kWeightsNear) copy(weights(), block_.arena(net_.weights));
        if constexpr (Bench::kMomentsNear) {
            if (net_.m) copy(moments(places().m, net_.m), block_.arena(net_.m));
            if (net_.v) copy(moments(places().v, net_.v), block_.arena(net_.v));
        }
        block_.phase([&](int tid) {
            if (tid != 0) return;
            net_.counters = c;
            net_.record = r;
        });
    }

    // The order of this epoch's rows.
    HB_BLOCK void new_order(const Counters &c) {
        block_.phase([&](int tid) {
            if (tid != 0) return;
            const RowOrder o = RowOrder::of(net_.key, static_cast<uint32_t>(c.rows), static_cast<uint32_t>(c.epoch));
            const Near<uint32_t> to = word(kOrder);
            to.store(0, o.n), to.store(1, static_cast<uint32_t>(o.lo)), to.store(2, static_cast<uint32_t>(o.hi));
            HB_UNROLL
            for (int i = 0; i < 8; ++i) to.store(3 + i, o.key[i]);
        });
    }
    HB_BLOCK RowOrder order() const {
        const Near<uint32_t> from = word(kOrder);
        RowOrder o;
        o.n = from.load(0), o.lo = static_cast<int>(from.load(1)), o.hi = static_cast<int>(from.load(2));
        HB_UNROLL
        for (int i = 0; i < 8; ++i) o.key[i] = from.load(3 + i);
        return o;
    }

    HB_BLOCK void look_ahead(int64_t step) {
        block_.phase([&](int tid) {
            deal(tid, block_.threads(), kUpdatesAhead, [&](int i) {
                store_update(control(places().updates, i * kUpdateWords),
                             update_at(net_.architecture, step + i, net_.total_steps));
            });
        });
    }

    // Numbers of the rows at hand, and whether time is up.
    HB_BLOCK void take_rows(int64_t first, int rows) {
        block_.phase([&](int tid) {
            if (tid == 0) word(kLate).store(0, block_.late() ? 1u : 0u);
            if (tid >= rows) return;
            const RowOrder o = order();
            deal(tid, block_.threads(), rows, [&](int i) { bench_.index().store(i, o(static_cast<uint32_t>(first + i))); });
        });
    }

    // The sum of the losses so far, by one thread in the order of rows.
    HB_BLOCK void add_losses(int rows, bool go_on) {
        double total = go_on ? number(kTotal).load(0) : 0.0;
        const auto weight = block_.read_only(task_.train.weight);
        for (int b = 0; b < rows; ++b) {
            const float w = task_.train.weight ? weight.load(bench_.index().load(b)) : 1.0f;
            total += static_cast<double>(w) * static_cast<double>(bench_.row_loss().load(b));
        }
        number(kTotal).store(0, total);
    }

    // Gradients of all layers, from the last one down; a layer's weights change once what lies below has its gradient.
    // Answers the sum of the losses: when it is not finite, nothing was changed.
    HB_BLOCK double backward(Near<float> numbers, int rows, int first) {
        const int last = bench_.layers() - 1;
        double total = 0.0;
        for (int l = last; l >= 0; --l) {
            if (l > 0 || l == last)
                block_.phase([&](int tid) {
                    if (l == last && tid == block_.threads() - 1) add_losses(rows, first > 0);
                    if (l > 0) layer_backward(tid, bench_, rows, l, weights());
                });
            if (l == last) total = block_.uniform(number(kTotal), 0);
            if (!finite(total)) return total;
            block_.phase([&](int tid) {
                if (l == 0)
                    columns(tid, numbers, rows, first, l, bench_.x());
                else
                    columns(tid, numbers, rows, first, l, bench_.h(l - 1));
            });
        }
        return total;
    }

    HB_BLOCK auto optimiser(Near<float> numbers) const {
        const Architecture &a = net_.architecture;
        return Optimiser<Weights, Moments>{weights(),   moments(places().m, net_.m), moments(places().v, net_.v), rule_of(a),
                                           is_plain(a), load_update(numbers)};
    }

    template <class A> HB_BLOCK void columns(int tid, Near<float> numbers, int rows, int first, int l, A a) {
        if (places().collected) {
            const auto sums = gradient();
            layer_columns(
                tid, bench_, rows, l, a,
                [&](int64_t place, auto s) {
                    constexpr int kCount = static_cast<int>(sizeof(s) / sizeof(float));
                    if (first > 0) return sums.template load<kCount>(place);
                    HB_UNROLL
                    for (int i = 0; i < kCount; ++i) s[i] = 0.0f;
                    return s;
                },
                [&](int64_t place, auto s, int, bool) {
                    sums.template store<static_cast<int>(sizeof(s) / sizeof(float))>(place, s);
                });
            return;
        }
        const auto by = optimiser(numbers);
        layer_columns(
            tid, bench_, rows, l, a,
            [](int64_t, auto s) {
                HB_UNROLL
                for (int i = 0; i < static_cast<int>(sizeof(s) / sizeof(float)); ++i) s[i] = 0.0f;
                return s;
            },
            [&](int64_t place, auto s, int count, bool bias) {
                by.apply(place, s, count, bias ? 0.0f : by.update.decay, bias ? 1.0f : by.update.shrink);
            });
    }

    // The update where the whole gradient had to be put together first.
    HB_BLOCK void update(Near<float> numbers) {
        const auto most = static_cast<float>(net_.architecture.clip_norm);
        if (net_.architecture.clip_norm > 0.0) {
            block_.phase([&](int tid) {
                deal(tid, block_.threads(), kPanel, [&](int lane) {
                    control(places().control, kSquares).store(lane, lane_of_squares(bench_, gradient(), lane));
                });
            });
            block_.phase([&](int tid) {
                if (tid != 0) return;
                const float norm = std::sqrt(sum_of_lanes(control(places().control, kSquares), kPanel, 1, 0));
                control(places().control, kClip).store(0, norm > most ? most / norm : 1.0f);
            });
        }
        block_.phase([&](int tid) {
            auto by = optimiser(numbers);
            if (net_.architecture.clip_norm > 0.0) by.update.clip = control(places().control, kClip).load(0);
            const auto sums = gradient();
            for_each_vector(tid, bench_, [&](int64_t place, int count, bool bias) {
                by.apply(place, sums.template load<kVector>(place), count, bias ? 0.0f : by.update.decay,
                         bias ? 1.0f : by.update.shrink);
            });
        });
    }

    HB_BLOCK void validate(Counters &c, Record &r) {
        const DeviceRows &data = task_.validation;
        for (int64_t first = 0; first < data.n; first += places().part) {
            const int rows = static_cast<int>(data.n - first < places().part ? data.n - first : places().part);
            const LossOf args{task_.loss, data, false, rows, rows, 0.0f};
            pass_rows(bench_, data, first, rows, weights());
            row_losses(bench_, args);
            block_.phase([&](int tid) {
                if (tid != 0) return;
                Sums all{}, open{};
                if (first > 0) all = load_sums(0), open = load_sums(kOpen);
                add_rows(bench_, args, first, data.n, open, [&](int64_t, const Sums &s) { all.add(s); });
                store_sums(0, all), store_sums(kOpen, open);
            });
        }
        const Sums all{block_.uniform(number(kSums), 0), block_.uniform(number(kSums), 1), block_.uniform(number(kSums), 2)};
        if (take_down(c, r, c.step, all.scores(data.n))) copy(weights(), block_.arena(net_.best));
    }
    HB_BLOCK Sums load_sums(int from) const {
        const Near<double> s = number(kSums);
        return {s.load(from), s.load(from + 1), s.load(from + 2)};
    }
    HB_BLOCK void store_sums(int to, const Sums &s) const {
        const Near<double> at = number(kSums);
        at.store(to, s.loss), at.store(to + 1, s.weight), at.store(to + 2, s.error);
    }

    B &block_;
    const TrainJob &job_;
    const Task &task_;
    Network &net_;
    Bench bench_;
};

}  // namespace hyperband::cuda
