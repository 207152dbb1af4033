// What is copied to the device: plain data, laid out for blocks of threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/layout.hpp"
#include "core/philox.hpp"
#include "core/precision.hpp"
#include "core/record.hpp"

namespace hyperband::cuda {

// Four floats are loaded and stored at once. Rows of a matrix are an odd number of vectors apart, so that the same column of
// eight consecutive rows falls into eight different groups of banks.
constexpr int kVector = 4;
HB_FN int vectors_of(int n) { return (n + kVector - 1) / kVector; }
HB_FN int whole_vectors(int n) { return vectors_of(n) * kVector; }
HB_FN int odd_stride(int n) { return (vectors_of(n) | 1) * kVector; }

// Most numbers of an arena, or of a block's part of global memory: an int counts them.
constexpr int64_t kMostFloats = int64_t{1} << 31;

// Weight (k, j) of a layer is at weights + k * stride + j, bias j at bias + j. Numbers beyond `out` are padding: they
// are 0 and stay 0.
struct DeviceLayer : Offsets<int64_t> {  // multiples of 4
    int32_t in, out, stride;
};

HB_FN int64_t weight_at(const DeviceLayer &y, int k, int j) { return y.weights + static_cast<int64_t>(k) * y.stride + j; }

struct DeviceLayout {
    int32_t n_layers = 0;
    DeviceLayer layer[kMaxLayers] = {};
    int64_t size = 0;  // floats in one arena
    Embedding embedding = {};

    static DeviceLayout of(const Architecture &a, const Ends &ends) {
        DeviceLayout r;
        r.n_layers = a.n_hidden + 1;
        r.embedding = Embedding::of(a, ends);
        int in = r.embedding.width();
        for (int l = 0; l < r.n_layers; ++l) {
            const int out = l < a.n_hidden ? a.widths[l] : ends.n_outputs;
            DeviceLayer &y = r.layer[l];
            y = {{}, in, out, odd_stride(out)};
            lay_out(a, r.embedding, l, y, r.size, [](bool matrix, int n) { return matrix ? odd_stride(n) : whole_vectors(n); });
            in = out;
        }
        return r;
    }
};

// A network and where its numbers are; m, v, average and best are null where there are none.
struct Network {
    Architecture architecture;
    DeviceLayout layout;
    Key key;
    int64_t total_steps;
    float *weights, *m, *v, *average, *best;
    Counters counters;
    Record record;

    // Inputs of the first layer that take part.
    HB_FN int inputs() const {
        return counters.inputs > 0 && !layout.embedding.exists() ? static_cast<int>(counters.inputs) : layout.layer[0].in;
    }
};

// Rows with their targets; strides in floats. Of targets, and of x if it is wide, they are multiples of 4, padding is 0.
struct DeviceRows {
    const float *x = nullptr;        // (n, stride)
    int64_t stride = 0;
    const int32_t *label = nullptr;  // (n,) cross_entropy, logistic
    const float *target = nullptr;   // (n, target_stride) of a regression
    int64_t target_stride = 0;
    const float *weight = nullptr;   // (n,) or null: all 1
    int64_t n = 0;
    bool wide = true;                // rows of x begin at multiples of 16 bytes
};

// Which numbers of a member are in shared memory: all; all but the moments; outputs of rows alone; none.
enum class SizeClass : int32_t { S, M, L, XL };
constexpr int kSizeClasses = 4;

// Tiles of a product that a thread holds in registers: rows (or inputs) by outputs.
enum class Tile : int32_t { t8x4, t4x4, t4x1 };
HB_FN int rows_of(Tile t) { return t == Tile::t8x4 ? 8 : 4; }
HB_FN int units_of(Tile t) { return t == Tile::t4x1 ? 1 : 4; }

// How one block trains or evaluates a member: offsets in floats into shared memory and into the block's part of global memory,
// by the size class. See plan_training() in memory_plan.hpp.
struct MemoryPlan {
    SizeClass size_class;
    int32_t threads;   // of the block; tests take others, to the same bits
    int32_t part;      // rows that are computed together
    int32_t stride;    // floats between units of an activation matrix, which is (units, rows)
    bool collected;    // whether the gradient is collected in global memory before the update
    // Activations; g: of layer l in g[l % 2].
    int64_t x, scaled, component_g, h[kMaxHidden], d[kMaxHidden], e[kMaxHidden], g[2], lanes;
    int64_t weights, m, v;                                 // copies in shared memory
    int64_t gradient;                                      // global
    int32_t row_loss, row_flag, row_label, index, updates, control;   // shared
    int64_t shared_size, global_size;                           // floats
    Tile forward[kMaxLayers], backward[kMaxLayers], columns[kMaxLayers];
};

// A network without numbers yet. Its initial weights are uniform in [-bound, bound) of their layer.
struct InitialiseJob {
    Network network;
    float bound[kMaxLayers];
};

struct TrainJob {
    Network *network;
    MemoryPlan plan;
    int64_t until;
};

// A part of a split to evaluate, or rows of an array whose outputs are wanted.
struct EvaluateJob {
    const Network *network;
    MemoryPlan plan;
    const float *weights;
    DeviceRows rows;
    int64_t first, count;  // evaluation: a multiple of kEvaluationRows from a multiple of it, unless the split ends there
    int64_t inputs;
    Sums *sums;            // one for each kEvaluationRows rows; or null:
    float *outputs;        // (count, n_outputs)
};

// What all jobs of a launch share.
struct Task {
    Loss loss;
    Precision precision;  // of products in training
    int32_t n_outputs;
    DeviceRows train, validation;  // validation.n 0: none
    bool evaluate;
};

}  // namespace hyperband::cuda
