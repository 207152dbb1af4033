// The functions of one instruction set: a table of pointers. They are written once, in simd/*.hpp, and compiled once for each
// instruction set; the first call of `kernels()` chooses a table.
//
// All float pointers are 64-byte aligned. Nothing here allocates, throws or knows threads; two threads may call the same
// function on different members.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/architecture.hpp"
#include "core/layout.hpp"
#include "core/math.hpp"
#include "core/philox.hpp"

namespace hyperband::cpu {

// Rows with their targets. Padding columns of x and target are 0.
struct Rows {
    const float *x = nullptr;         // (n, stride)
    size_t stride = 0;                // floats, a multiple of 16
    const int32_t *label = nullptr;   // (n,) cross_entropy, logistic
    const float *target = nullptr;    // (n, padded(n_outputs)) of a regression
    const float *weight = nullptr;    // (n,) or null: all 1
};

// Rows whose order is computed at a time: single batches are too short to keep the pipeline busy.
constexpr int kOrdered = 512;

// Rows of a large batch that are computed together: their activations fit into the second-level cache. A multiple of 8, for
// the counters of dropout.
constexpr int kPart = 256;
inline int rows_at_a_time(int batch) { return batch < kPart ? batch : kPart; }

// Operands in bfloat16, in tiles (see simd/bf16.hpp); null unless products take them.
struct Bf16Operands {
    uint16_t *x, *xt;                        // the gathered rows, and transposed
    uint16_t *h[kMaxHidden], *ht[kMaxHidden];  // outputs of hidden layers, and transposed
    uint16_t *g, *gt[kMaxLayers];            // gradients of one layer; of each, for the product over rows
    uint16_t *w[kMaxLayers], *wt[kMaxLayers];  // weights, for the products over inputs and over outputs
    void *weights;                             // all of these, one after the other
    size_t weights_bytes;
};

// Working memory of one thread for one member (see Scratch in memory.hpp).
struct Workspace {
    float *x;                     // (batch, row_stride(inputs)) the gathered rows, with the components of embedded numbers
    float *embedded;              // the same in an evaluation, whose rows lie elsewhere; null without an embedding
    float *component_g;           // (batch, component_stride) gradients by the components, from whole panels on
    float *embedding_gradient;    // of the embedding's parameters, as they lie in an arena
    float *scaled;                // the same times the scale; null where there is none
    float *scale_parts;           // (panels of layer 0, row_stride(inputs)) the scale's gradient, what each panel adds
    float *h[kMaxHidden];         // (batch, row_stride(width)) outputs of hidden layers
    float *d[kMaxHidden];         // same: derivative times dropout mask, unless implied by h
    float *e[kMaxHidden];         // same: derivative by alpha times dropout mask, later its gradient; null without alpha
    float *g[kMaxLayers];           // (batch, row_stride(out)) gradients of the pre-activations, by layer
    float *outputs;                 // of the last layer, which become its g
    float *transposed[kMaxLayers];  // layers >= 1, and 0 with an embedding: panels [ceil(in / 16)][out][16]; else null
    float *gradient;                // one arena, for clipping and batches in parts; else null
    float *row_loss;                // (batch,)
    Bf16Operands bf16;
};

// The share of thread `rank` of `size` in a member's step. No bit depends on the number of threads.
struct Share {
    int rank = 0, size = 1;
};

struct StepArgs {
    const Layout *layout;
    const Architecture *architecture;
    Loss loss;
    int32_t n_outputs, inputs, batch;  // inputs: of layer 0, those that take part; batch: rows of this step
    int32_t first, rows;               // the part of the batch to compute
    Rows data;
    Key key;
    const uint32_t *index;  // (rows,) numbers of these rows
    uint32_t step, dropped;  // dropped: the limit of dropout, see core/dropout.hpp
    Update update;
    float *weights, *m, *v, *average;  // arenas; m, v null where the rule has none, average without one
    float average_share;               // of the weights after this step
    const Workspace *work;
};

struct ForwardArgs {
    const Layout *layout;
    Activation activation;
    int32_t inputs;
    const float *weights;
    const float *x;  // (rows, stride)
    size_t stride;
    int32_t rows;
    const Workspace *work;  // outputs arrive in work->outputs, row stride row_stride(n_outputs)
};

struct EvaluateArgs {
    Loss loss;
    int32_t n_outputs, rows;
    Rows data;  // pointers at the first of these rows
    const Workspace *work;
    double loss_sum, weight_sum, error_sum;  // added to
};

// A pack: members of one shape (see shape_of() in packs.hpp) that train side by side, one in each lane of a vector of 16. A
// float of one member is a vector here, so that nothing is padded, broadcast or reduced across a vector, however small the
// networks are. Each member gets the bits that it gets alone.
constexpr int kLanes = 16;
// Rows that are computed together; a multiple of 8, for the counters of dropout.
constexpr int kPackRows = 32;
// Floats between rows of so many units, of weights and of activations: an odd number of cache lines.
inline size_t lane_stride(int width) { return static_cast<size_t>(width | 1) * kLanes; }

// Working memory of a pack, for kPackRows rows; see Workspace.
struct PackWorkspace {
    float *x, *h[kMaxHidden], *d[kMaxHidden], *g[kMaxLayers];
    float *target;    // of rows of a regression
    float *gradient;  // one arena
};

struct PackArgs {
    // Weight (k, j) of a lane is at weights + k * lane_stride(out) + j * kLanes + lane. layer[0].in: active inputs.
    const Layout *layout;
    const Architecture *architecture[kLanes];
    Loss loss;
    int32_t n_outputs, inputs, batch;
    Rows data;
    const uint32_t *index;  // row b of lane i: index[i * index_stride + b]
    size_t index_stride;
    Key key[kLanes];
    uint32_t step[kLanes], dropped[kLanes];
    Update update[kLanes];
    float *weights, *m, *v, *average;
    float average_share[kLanes];
    const PackWorkspace *work;
    double loss_sum[kLanes], weight_sum[kLanes], error_sum[kLanes];  // added to
};

struct Kernels {
    const char *name = nullptr;
    // weights of all layers from the key; bound[l] scales layer l
    void (*initialise)(const Layout &, Key, const float *bound, float *weights) = nullptr;
    void (*order_rows)(const RowOrder &, uint32_t first, int count, uint32_t *index) = nullptr;
    // Copies of the weights in the order in which a step reads them: made once, then renewed by each step.
    void (*transpose)(const Layout &, const float *weights, const Workspace &) = nullptr;
    // A step of the optimiser is `rows`, then `columns`, for each part of the batch, then, where gradients were collected,
    // `update`; a network with parameters before its first layer takes `update` in any case. Several threads share each of the three, with a barrier
    // after it.
    // Gathers this thread's share of the rows of a part; computes outputs, losses, and the gradient g of every layer.
    void (*rows)(const StepArgs &, Share) = nullptr;
    // This thread's share of the weights: applies the optimiser to the gradient, or adds it to work->gradient if that exists.
    void (*columns)(const StepArgs &, Share) = nullptr;
    void (*update)(const StepArgs &, Share) = nullptr;
    // This thread's share of the moving average, after the step.
    void (*average)(const StepArgs &, Share) = nullptr;
    void (*forward)(const ForwardArgs &) = nullptr;
    void (*evaluate)(EvaluateArgs &) = nullptr;
    // A step of a pack is `pack_gradient`, which also adds up the losses, then `pack_update` and, with averages, `pack_average`.
    void (*pack_gradient)(PackArgs &) = nullptr;
    void (*pack_update)(const PackArgs &) = nullptr;
    void (*pack_average)(const PackArgs &) = nullptr;
    // Losses and errors of so many rows, those of index[0], index[1], ... in every lane.
    void (*pack_evaluate)(PackArgs &, int rows) = nullptr;
    double (*fma_flops)(long repetitions) = nullptr;  // runs independent multiply-adds; returns how many flops
    // elementwise functions for tests: 0 exp, 1 log, 2 tanh, 3 sigmoid, 4 Phi, 5 sqrt, 6 cos(2 pi x), 7 sin(2 pi x)
    void (*elementwise)(int function, const float *in, float *out, int n16) = nullptr;
};

// The table in use. HYPERBAND_ISA = portable | avx2 | avx512 | neon overrides; throws std::invalid_argument when that one
// is unknown, not built, or not offered by this machine.
const Kernels &kernels();
// The same with products of bfloat16 numbers and sums in float32, for training; HYPERBAND_BF16 = amx | avx512bf16 chooses.
// Throws std::invalid_argument with the reason when this machine has neither.
const Kernels &bf16_kernels();
// Why that table was chosen, as a phrase.
const char *kernels_reason();

}  // namespace hyperband::cpu
