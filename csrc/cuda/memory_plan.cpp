#include "cuda/memory_plan.hpp"

#include <algorithm>

namespace hyperband::cuda {
namespace {

constexpr int kRowTile = 8;    // parts are multiples of it, for the tiles and for the counters of dropout
constexpr int64_t kFloat = sizeof(float);
constexpr int kLeastThreads = 64;          // of a block that shares a multiprocessor
constexpr int64_t kSpareBytes = 2 << 10;  // upper bound of what a block takes of shared memory besides its plan
constexpr int kMostRows = 256;  // of a part: beyond, shared memory is better spent on weights

bool inputs_shared(SizeClass c) { return c == SizeClass::S || c == SizeClass::M; }
bool weights_shared(SizeClass c) { return inputs_shared(c); }
bool moments_shared(SizeClass c) { return c == SizeClass::S; }
bool outputs_shared(SizeClass c) { return c != SizeClass::XL; }

int tiles(int n, int each) { return (n + each - 1) / each; }

// The largest tile of which there are enough for all threads: larger tiles load less for each product, but may leave threads
// without work.
Tile tile_of(int rows, int units, int threads) {
    Tile best = Tile::t4x1;
    double least = 0.0;
    for (const Tile t : {Tile::t8x4, Tile::t4x4, Tile::t4x1}) {
        const double all = static_cast<double>(tiles(rows, rows_of(t))) * tiles(units, units_of(t));
        // Cycles for each index that is summed over: of a thread's chain of tiles, or of all tiles on the shared units,
        // whichever takes longer. Loads from shared memory take as long as four multiplications.
        const double work = rows_of(t) * units_of(t) / 4.0, loads = rows_of(t) + units_of(t);
        const double chain = static_cast<double>(tiles(static_cast<int>(all), threads)) * (4.0 * work + loads + 8.0) / 4.0;
        const double shared = all * std::max(work, loads) / 32.0;
        const double cost = std::max(chain, shared);
        if (least == 0.0 || cost < least) least = cost, best = t;
    }
    return best;
}

class Planner {
  public:
    Planner(const Architecture &a, const DeviceLayout &layout, Loss loss, SizeClass size_class, int part, int threads)
        : a_(a), layout_(layout), loss_(loss), threads_(threads) {
        p_.size_class = size_class;
        p_.threads = threads;
        p_.part = part;
        p_.stride = part + kVector;  // an odd number of vectors
        p_.collected = false;
    }

    MemoryPlan training(bool collected) {
        p_.collected = collected;
        rows(true);
        const int64_t n = layout_.size;
        if (weights_shared(p_.size_class)) p_.weights = take(true, n);
        if (moments_shared(p_.size_class)) {
            if (a_.has_first_moment()) p_.m = take(true, n);
            if (a_.has_second_moment()) p_.v = take(true, n);
        }
        if (collected) p_.gradient = take(false, n);
        p_.updates = static_cast<int32_t>(take(true, kUpdatesAhead * kUpdateWords));
        p_.control = static_cast<int32_t>(take(true, kControlWords));
        return done();
    }
    MemoryPlan evaluation() {
        rows(false);
        return done();
    }

  private:
    int64_t take(bool shared, int64_t floats) {
        int64_t &size = shared ? p_.shared_size : p_.global_size;
        const int64_t at = size;
        size += (floats + kVector - 1) / kVector * kVector;
        return at;
    }
    void rows(bool training) {
        const bool shared = outputs_shared(p_.size_class);
        const int64_t stride = p_.stride;
        p_.x = take(inputs_shared(p_.size_class), whole_vectors(layout_.layer[0].in) * stride);
        if (layout_.layer[0].scaled())
            p_.scaled = take(inputs_shared(p_.size_class), whole_vectors(layout_.layer[0].in) * stride);
        if (training && layout_.embedding.exists())
            p_.component_g = take(inputs_shared(p_.size_class), static_cast<int64_t>(layout_.embedding.all()) * stride);
        const bool stored = training && slope_of(a_) == Slope::stored;
        int widest[2] = {0, 0};
        for (int l = 0; l < layout_.n_layers; ++l) {
            const int units = whole_vectors(layout_.layer[l].out);
            const bool last = l + 1 == layout_.n_layers;
            if (last || training) widest[l % 2] = std::max(widest[l % 2], units);
            if (last) continue;
            p_.h[l] = take(shared, units * stride);
            if (stored) p_.d[l] = take(shared, units * stride);
            if (stored && exists(layout_.layer[l].alpha)) p_.e[l] = take(shared, units * stride);
        }
        for (int i = 0; i < 2; ++i) p_.g[i] = take(shared, widest[i] * stride);
        const LossKind loss = loss_.kind;
        const int sums = loss == LossKind::cross_entropy ? 3 : loss == LossKind::huber ? 2 : loss_.regression() ? 1 : 0;
        p_.lanes = take(shared, sums * std::min(layout_.layer[layout_.n_layers - 1].out, kPanel) * stride);
        for (int32_t *each : {&p_.row_loss, &p_.row_flag, &p_.row_label, &p_.index})
            *each = static_cast<int32_t>(take(true, p_.part));
    }
    MemoryPlan done() {
        for (int l = 0; l < layout_.n_layers; ++l) {
            const DeviceLayer &y = layout_.layer[l];
            p_.forward[l] = tile_of(p_.part, y.out, threads_);
            p_.backward[l] = tile_of(p_.part, y.in, threads_);
            p_.columns[l] = tile_of(y.in, y.out, threads_);
        }
        return p_;
    }

    const Architecture &a_;
    const DeviceLayout &layout_;
    Loss loss_;
    int threads_;
    MemoryPlan p_{};
};

int whole_tiles(int64_t rows) {
    return static_cast<int>((std::min<int64_t>(rows, kMostRows) + kRowTile - 1) / kRowTile) * kRowTile;
}

// The largest part whose plan fits, or 0.
template <class Make> int largest_part(int most, int least, int64_t shared, const Make &make) {
    for (int part = most; part >= std::max(least, 1);
         part = part > 2 * kRowTile ? (part / 2 + kRowTile - 1) / kRowTile * kRowTile : part - kRowTile)
        if (const MemoryPlan p = make(part); p.shared_size * kFloat <= shared && p.global_size < kMostFloats) return part;
    return 0;
}

MemoryPlan with_class(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, int threads, int64_t shared,
                      SizeClass size_class) {
    const auto make = [&](int part) {
        return Planner(a, layout, loss, size_class, part, threads)
            .training(part < batch || a.clip_norm > 0.0 || has_more_parameters(layout));
    };
    const int part = largest_part(whole_tiles(batch), kRowTile, shared, make);
    return make(part > 0 ? part : kRowTile);
}

// A batch in parts collects its gradient in global memory, which is read and written once for each part. So a class that takes
// the batch whole, or in large parts, is preferred to one that holds more of the weights.
MemoryPlan best_class(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, int threads, int64_t shared) {
    for (const int least : {whole_tiles(batch), std::min(64, whole_tiles(batch))})
        for (const SizeClass c : {SizeClass::S, SizeClass::M, SizeClass::L}) {
            const MemoryPlan p = with_class(a, layout, loss, batch, threads, shared, c);
            if (p.part >= least && p.shared_size * kFloat <= shared) return p;
        }
    return with_class(a, layout, loss, batch, threads, shared, SizeClass::XL);
}

}  // namespace

MemoryPlan plan_training(const Architecture &a, const DeviceLayout &layout, Loss loss, int batch, const BlockLimits &limits) {
    int threads = limits.threads;
    int64_t shared = limits.shared_bytes;
    if (limits.size_class >= 0)
        return with_class(a, layout, loss, batch, threads, shared, static_cast<SizeClass>(limits.size_class));
    MemoryPlan best = best_class(a, layout, loss, batch, threads, shared);
    // Two blocks of half the threads on a multiprocessor wait less than one: each fills the other's barriers. Members of class
    // XL would crowd one another out of the caches.
    while (limits.crowded && best.size_class != SizeClass::XL && threads / 2 >= kLeastThreads) {
        threads /= 2, shared = shared / 2 - kSpareBytes;
        const MemoryPlan half = best_class(a, layout, loss, batch, threads, shared);
        if (half.size_class != best.size_class || half.part != best.part) break;
        best = half;
    }
    return best;
}

MemoryPlan plan_evaluation(const Architecture &a, const DeviceLayout &layout, Loss loss, int64_t rows,
                           const BlockLimits &limits) {
    const int most = std::min(whole_tiles(rows), kEvaluationRows);
    for (const SizeClass c : {SizeClass::L, SizeClass::XL}) {
        const auto make = [&](int part) { return Planner(a, layout, loss, c, part, limits.threads).evaluation(); };
        const int least = c == SizeClass::XL ? kRowTile : std::min(32, most);
        const int part = largest_part(most, least, limits.shared_bytes, make);
        if (part > 0) return make(part);
    }
    return Planner(a, layout, loss, SizeClass::XL, kRowTile, limits.threads).evaluation();
}

}  // namespace hyperband::cuda
