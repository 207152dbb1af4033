// Losses of the rows of a part: fills row_loss(), and either turns outputs() into gradients or fills row_flag().
//
// Sums over outputs go by sixteen lanes, output j in lane j % 16, and then by the tree (i, i + 8), (i, i + 4), (i, i + 2),
// (i, i + 1): a thread has one lane of one row.
#pragma once

#include "cuda/block/member_view.hpp"

namespace hyperband::cuda {

struct LossOf {
    Loss loss;
    DeviceRows data;  // row b of the part is row index()[b]
    bool gradient;    // with smoothing; else the flags of misclassified rows, or of a regression the rows' errors
    int rows, batch;
    float smoothing;
};

// Reduces v to v[0] by the tree. Halves are constants, so that the array stays in registers.
template <int kHalf, class Op> HB_BLOCK void fold(float (&v)[kPanel], const Op &op) {
    HB_UNROLL
    for (int i = 0; i < kHalf; ++i) v[i] = op(v[i], v[i + kHalf]);
    if constexpr (kHalf > 1) fold<kHalf / 2>(v, op);
}
// The tree over the lanes of a row, absent ones being `nothing`.
template <class Lanes, class Op>
HB_BLOCK float over_lanes(Lanes lanes, int count, int stride, int row, float nothing, const Op &op) {
    float v[kPanel];
    HB_UNROLL
    for (int i = 0; i < kPanel; ++i)
        v[i] = i < count ? lanes.load(static_cast<typename Lanes::Index>(i) * stride + row) : nothing;
    fold<kPanel / 2>(v, op);
    return v[0];
}
template <class Lanes> HB_BLOCK float sum_of_lanes(Lanes lanes, int count, int stride, int row) {
    return over_lanes(lanes, count, stride, row, 0.0f, [](float a, float b) { return a + b; });
}
template <class Lanes> HB_BLOCK float largest_of_lanes(Lanes lanes, int count, int stride, int row) {
    return over_lanes(lanes, count, stride, row, -3e38f, [](float a, float b) { return max_(a, b); });
}

// Calls visit(row, lane) for this thread's items; neighbours take neighbouring rows.
template <class MemberView, class Visit>
HB_BLOCK void for_each_lane(int tid, const MemberView &b, int rows, const Visit &visit) {
    const int lanes = b.n_outputs < kPanel ? b.n_outputs : kPanel;
    deal(tid, b.block.threads(), rows * lanes, [&](int i) { visit(i % rows, i / rows); });
}

template <class MemberView> struct LossPhases {
    using Index = typename MemberView::Outputs::Index;
    const MemberView &b;
    const LossOf &a;
    const int n, count, stride;  // count: lanes in use
    const float inverse_rows;

    HB_BLOCK LossPhases(const MemberView &member, const LossOf &args)
        : b(member), a(args), n(member.n_outputs), count(n < kPanel ? n : kPanel), stride(member.stride()),
          inverse_rows(1.0f / static_cast<float>(args.batch)) {}

    HB_BLOCK Index at(int j, int row) const { return static_cast<Index>(j) * stride + row; }
    HB_BLOCK int64_t row_of(int row) const { return b.index().load(row); }
    HB_BLOCK float weight(int row) const { return a.data.weight ? b.block.read_only(a.data.weight).load(row_of(row)) : 1.0f; }
    HB_BLOCK int label(int row) const { return b.row_label().load(row); }

    // Whether the first largest output is not the label's.
    HB_BLOCK bool wrong(int row) const {
        const auto z = b.outputs();
        const int right = label(row);
        const float own = z.load(at(right, row));
        for (int i = 0; i < n; ++i) {
            const float other = z.load(at(i, row));
            if (i < right ? !(other < own) : !(other <= own)) return true;
        }
        return false;
    }

    HB_BLOCK void cross_entropy() const {
        const float smooth = a.smoothing / static_cast<float>(n), target = 1.0f - a.smoothing;
        const auto z = b.outputs(), tops = b.lanes(0), sums = b.lanes(1), totals = b.lanes(2);
        b.block.phase([&](int tid) {
            for_each_lane(tid, b, a.rows, [&](int row, int lane) {
                float top = -3e38f, total = 0.0f;
                for (int j = lane; j < n; j += kPanel) {
                    const float v = z.load(at(j, row));
                    top = max_(v, top);
                    total = total + v;
                }
                tops.store(at(lane, row), top);
                if (smooth > 0.0f) totals.store(at(lane, row), total);
            });
        });
        b.block.phase([&](int tid) {
            for_each_lane(tid, b, a.rows, [&](int row, int lane) {
                const float top = largest_of_lanes(tops, count, stride, row);
                const int right = label(row);
                float s = 0.0f;
                for (int j = lane; j < n; j += kPanel) {
                    const float v = z.load(at(j, row)), e = exp_(v - top);
                    if (j == right) b.row_loss().store(row, top - target * v);
                    s = s + e;
                    if (a.gradient) z.store(at(j, row), e);
                }
                sums.store(at(lane, row), s);
                if (!a.gradient && lane == 0) b.row_flag().store(row, wrong(row) ? 1.0f : 0.0f);
            });
        });
        b.block.phase([&](int tid) {
            for_each_lane(tid, b, a.rows, [&](int row, int lane) {
                const float s = sum_of_lanes(sums, count, stride, row);
                if (lane == 0) {
                    float part = b.row_loss().load(row);
                    if (smooth > 0.0f) part = part - smooth * sum_of_lanes(totals, count, stride, row);
                    b.row_loss().store(row, log_(s) + part);
                }
                if (!a.gradient) return;
                const float inverse = 1.0f / s, c = weight(row) * inverse_rows;
                const int right = label(row);
                for (int j = lane; j < n; j += kPanel) {
                    float g = (z.load(at(j, row)) * inverse - smooth) * c;
                    if (j == right) g = g - target * c;
                    z.store(at(j, row), g);
                }
            });
        });
    }

    HB_BLOCK void logistic() const {
        b.block.phase([&](int tid) {
            const auto z = b.outputs();
            deal(tid, b.block.threads(), a.rows, [&](int row) {
                const float x = z.load(row);
                const int right = label(row);
                const float t = (1.0f - a.smoothing) * static_cast<float>(right) + 0.5f * a.smoothing;
                const float positive = x < 0.0f ? 0.0f : x, rest = log_(1.0f + exp_(-abs_(x)));
                b.row_loss().store(row, fma(-t, x, positive) + rest);
                if (a.gradient)
                    z.store(row, (sigmoid_(x) - t) * (weight(row) * inverse_rows));
                else
                    b.row_flag().store(row, (x > 0.0f ? right == 1 : right == 0) ? 0.0f : 1.0f);
            });
        });
    }

    template <LossKind K> HB_BLOCK void regression() const {
        constexpr bool kErrors = K == LossKind::huber;  // which are not the losses
        const auto z = b.outputs(), lanes = b.lanes(0), squares = b.lanes(kErrors ? 1 : 0);
        const float outputs = static_cast<float>(n);
        const Residual<K> residual{a.loss.number};
        b.block.phase([&](int tid) {
            for_each_lane(tid, b, a.rows, [&](int row, int lane) {
                const auto y = b.block.read_only(a.data.target) + row_of(row) * a.data.target_stride;
                const float c = Residual<K>::kFactor / outputs * (weight(row) * inverse_rows);
                float s = 0.0f, square = 0.0f;
                for (int j = lane; j < n; j += kPanel) {
                    const float e = z.load(at(j, row)) - y.load(j);
                    float slope, other;
                    residual(e, slope, other);
                    s = fma(slope, other, s);
                    if constexpr (kErrors) square = fma(e, e, square);
                    if (a.gradient) z.store(at(j, row), slope * c);
                }
                lanes.store(at(lane, row), s);
                if constexpr (kErrors) squares.store(at(lane, row), square);
            });
        });
        b.block.phase([&](int tid) {
            deal(tid, b.block.threads(), a.rows, [&](int row) {
                const float loss = sum_of_lanes(lanes, count, stride, row) / outputs;
                b.row_loss().store(row, loss);
                if (a.gradient) return;
                b.row_flag().store(row, kErrors ? sum_of_lanes(squares, count, stride, row) / outputs : loss);
            });
        });
    }
};

template <class MemberView> HB_BLOCK void row_losses(const MemberView &b, const LossOf &a) {
    const LossPhases<MemberView> phases(b, a);
    switch (a.loss.kind) {
        case LossKind::cross_entropy: return phases.cross_entropy();
        case LossKind::logistic: return phases.logistic();
        case LossKind::mse: return phases.template regression<LossKind::mse>();
        case LossKind::huber: return phases.template regression<LossKind::huber>();
        case LossKind::quantile: return phases.template regression<LossKind::quantile>();
    }
}

// Four at a time, so that a thread that reads all rows waits for memory once in four rows.
template <class MemberView> HB_BLOCK Registers<kPiece> four_losses(const MemberView &b, int row) {
    return b.row_loss().template load<kPiece>(row);
}

// Adds a part's rows to sums by blocks of kEvaluationRows rows: by one thread, in order. `first`: of the split, a multiple of
// eight; `open`: sums of the unfinished block; done(block, sums) for each finished one.
template <class MemberView, class Done>
HB_BLOCK void add_rows(const MemberView &b, const LossOf &a, int64_t first, int64_t end, Sums &open, const Done &done) {
    for (int row = 0; row < a.rows; row += kPiece) {
        const Registers<kPiece> losses = four_losses(b, row);
        const Registers<kPiece> flags = b.row_flag().template load<kPiece>(row);
        HB_UNROLL
        for (int i = 0; i < kPiece; ++i) {
            if (row + i >= a.rows) continue;
            const double loss = static_cast<double>(losses[i]);
            const double w = a.data.weight ? static_cast<double>(b.block.read_only(a.data.weight).load(first + row + i)) : 1.0;
            open.loss += w * loss;
            open.weight += w;
            open.error += static_cast<double>(flags[i]);
        }
        const int64_t next = first + (row + kPiece < a.rows ? row + kPiece : a.rows);
        if (next % kEvaluationRows != 0 && next != end) continue;
        done((next - 1) / kEvaluationRows, open);
        open = Sums{};
    }
}

}  // namespace hyperband::cuda
