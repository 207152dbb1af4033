// The working memory of a thread.
#pragma once

#include <cstdint>

#include "core/floats.hpp"
#include "cpu/kernels.hpp"

namespace hyperband::cpu {

// Working memory of one thread: as large as the largest member needed, laid out again for each member.
class Scratch {
  public:
    // For training a network with this layout on batches of so many rows.
    const Workspace &for_training(const Layout &layout, int batch, bool clipped, bool bf16) {
        const int rows = rows_at_a_time(batch), whole = bf16 ? (rows + 31) / 32 * 32 : rows;
        return fit([&](float *base) {
            const size_t at = plan(layout, whole, true, clipped || rows < batch, base);
            return bf16 ? plan_bf16(layout, whole, base, at) : at;
        });
    }
    // For the outputs of so many rows.
    const Workspace &for_evaluation(const Layout &layout, int rows) {
        return fit([&](float *base) { return plan(layout, rows, false, false, base); });
    }

  private:
    template <class Plan> const Workspace &fit(const Plan &plan) {
        const size_t need = plan(nullptr);
        if (need > buffer_.size()) buffer_ = Floats(need);
        plan(buffer_.get());
        return work_;
    }

    // Lays out memory for `rows` rows, for training with gradients. Returns the number of floats; base null: only counts.
    size_t plan(const Layout &layout, int rows, bool training, bool collected, float *base) {
        Taker take{base};
        const auto n = static_cast<size_t>(rows);
        work_ = Workspace{};
        const Embedding &e = layout.embedding;
        work_.x = take(n * static_cast<size_t>(row_stride(layout.layer[0].in)));
        if (e.exists() && !training) work_.embedded = take(n * static_cast<size_t>(row_stride(layout.layer[0].in)));
        if (e.exists() && training) {  // a vector may be loaded where the last row ends
            work_.component_g = take(n * static_cast<size_t>(row_stride(e.width() - e.columns / kPanel * kPanel)) + kPanel);
            work_.transposed[0] =
                take(static_cast<size_t>(padded(layout.layer[0].in)) * static_cast<size_t>(layout.layer[0].out));
        }
        for (int l = 0; l < layout.n_layers; ++l) {
            const Layer &y = layout.layer[l];
            const auto stride = static_cast<size_t>(row_stride(y.out));
            const bool last = l + 1 == layout.n_layers;
            if (!last) work_.h[l] = take(n * stride);
            if (!last && training) work_.d[l] = take(n * stride);
            if (!last && training && exists(y.alpha)) work_.e[l] = take(n * stride);
            if (last || training) work_.g[l] = take(n * stride);
            if (last) work_.outputs = work_.g[l];
            if (l == 0 && y.scaled()) work_.scaled = take(n * static_cast<size_t>(row_stride(y.in)));
            if (training && l == 0 && y.scaled())
                work_.scale_parts = take(static_cast<size_t>(y.panels) * static_cast<size_t>(row_stride(y.in)));
            if (training && l > 0) work_.transposed[l] = take(static_cast<size_t>(padded(y.in)) * static_cast<size_t>(y.out));
        }
        if (collected) work_.gradient = take(layout.size);
        if (e.exists() && training)
            work_.embedding_gradient = collected && base ? work_.gradient + layout.layer[0].frequency
                                                         : take(layout.layer[0].end - layout.layer[0].frequency);
        work_.row_loss = take(n);
        return take.at;
    }

    // Continues at `at` with operands in tiles of 512, for a multiple of 32 rows.
    size_t plan_bf16(const Layout &layout, int rows, float *base, size_t at) {
        auto take = [&](int blocks_of_16, int numbers) {
            auto *p = base == nullptr ? nullptr : reinterpret_cast<uint16_t *>(base + at);
            at += static_cast<size_t>(blocks_of_16) * static_cast<size_t>((numbers + 31) / 32) * 256;
            return p;
        };
        Bf16Operands &half = work_.bf16;
        int widest = 0;
        for (int l = 0; l < layout.n_layers; ++l) {
            const Layer &y = layout.layer[l];
            (l == 0 ? half.x : half.h[l - 1]) = take(rows / 16, y.in);
            (l == 0 ? half.xt : half.ht[l - 1]) = take(panels_of(y.in), rows);
            half.gt[l] = take(y.panels, rows);
            widest = y.out > widest ? y.out : widest;
        }
        half.g = take(rows / 16, widest);
        const size_t first = at;
        for (int l = 0; l < layout.n_layers; ++l) {
            const Layer &y = layout.layer[l];
            half.w[l] = take(y.panels, y.in);
            half.wt[l] = l == 0 ? nullptr : take(panels_of(y.in), y.out);
        }
        half.weights = half.w[0];
        half.weights_bytes = (at - first) * sizeof(float);
        return at;
    }

    Floats buffer_;
    Workspace work_{};
};

// A member keeps its training workspace while it is validated between two steps.
struct ThreadScratch {
    Scratch training, evaluation;
    Floats pack;
    // A buffer for the order of so many rows.
    uint32_t *order(int64_t rows) {
        const size_t need = (static_cast<size_t>(rows) + 15) / 16 * 16;
        if (need > order_.size()) order_ = Floats(need);
        return reinterpret_cast<uint32_t *>(order_.get());
    }

  private:
    Floats order_;
};

}  // namespace hyperband::cpu
