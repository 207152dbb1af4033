// Aligned float buffers and the working memory of a thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "cpu/kernels.hpp"

namespace hyperband {

// Owns n floats (or 4-byte integers), aligned to 64 bytes, zeroed; throws std::bad_alloc.
class Floats {
  public:
    Floats() = default;
    explicit Floats(size_t n) : size_(n) {
        if (n == 0) return;
        data_.reset(static_cast<float *>(::operator new(n * sizeof(float), std::align_val_t{64})));
        std::memset(data_.get(), 0, n * sizeof(float));
    }
    float *get() const { return data_.get(); }
    size_t size() const { return size_; }
    explicit operator bool() const { return data_ != nullptr; }
    void reset() { *this = Floats(); }

  private:
    struct Free {
        void operator()(float *p) const { ::operator delete(p, std::align_val_t{64}); }
    };
    std::unique_ptr<float, Free> data_;
    size_t size_ = 0;
};

// Working memory of one thread, grown to the largest member that it meets and laid out anew for each.
class Scratch {
  public:
    // For training a network with this layout on batches of so many rows.
    const Workspace &for_training(const Layout &layout, int batch, bool clipped) {
        const int rows = rows_at_a_time(batch);
        return fit([&](float *base) { return plan(layout, rows, batch, clipped || rows < batch, base); });
    }
    // For the outputs of so many rows.
    const Workspace &for_judging(const Layout &layout, int rows) {
        return fit([&](float *base) { return plan(layout, rows, 0, false, base); });
    }

  private:
    template <class Plan> const Workspace &fit(const Plan &plan) {
        const size_t need = plan(nullptr);
        if (need > buffer_.size()) buffer_ = Floats(need);
        plan(buffer_.get());
        return work_;
    }

    // Lays out room for `rows` rows, and, where `batch` is not 0, for the way back. Returns the floats it takes.
    size_t plan(const Layout &layout, int rows, int batch, bool collected, float *base) {
        const bool training = batch > 0;
        size_t at = 0;
        auto take = [&](size_t n) {
            float *p = base == nullptr ? nullptr : base + at;
            at += (n + 15) / 16 * 16;
            return p;
        };
        const auto n = static_cast<size_t>(rows);
        work_ = Workspace{};
        int widest = 0;
        work_.x = take(n * static_cast<size_t>(row_stride(layout.layer[0].in)));
        for (int l = 0; l < layout.n_layers; ++l) {
            const Layer &y = layout.layer[l];
            const auto stride = static_cast<size_t>(row_stride(y.out));
            if (static_cast<int>(stride) > widest) widest = static_cast<int>(stride);
            if (l + 1 < layout.n_layers) {
                work_.h[l] = take(n * stride);
                if (training) work_.d[l] = take(n * stride);
            }
            if (training && l > 0) work_.transposed[l] = take(static_cast<size_t>(padded(y.in)) * static_cast<size_t>(y.out));
        }
        for (int i = 0; i < (training ? 2 : 1); ++i) work_.g[i] = take(n * static_cast<size_t>(widest));
        if (collected) work_.gradient = take(layout.size);
        if (training) work_.bias_gradient = take(static_cast<size_t>(widest));
        work_.row_loss = take(n);
        if (training)
            work_.index = reinterpret_cast<uint32_t *>(take(static_cast<size_t>(batch > kOrdered ? batch : kOrdered)));
        return at;
    }

    Floats buffer_;
    Workspace work_{};
};

// A member keeps its training workspace while it is judged in between.
struct ThreadScratch {
    Scratch training, judging;
};

}  // namespace hyperband
