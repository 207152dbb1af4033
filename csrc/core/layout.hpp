// Where a network's numbers live: offsets into one arena per kind of state.
//
// A weight matrix (in x out) is kept in panels of 16 outputs, [ceil(out / 16)][in][16], its bias as [ceil(out / 16)][16].
// Outputs beyond `out` are padding: their weights, moments and gradients are 0 and stay 0. Optimisers are elementwise,
// so moments and snapshots share the layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/architecture.hpp"

namespace hyperband {

constexpr int kPanel = 16;  // floats; one cache line

HB_FN int panels_of(int width) { return (width + kPanel - 1) / kPanel; }
HB_FN int padded(int width) { return panels_of(width) * kPanel; }

// Row stride of activations: an odd number of cache lines, so that a column of rows spreads over all sets of a cache.
HB_FN int row_stride(int width) { return (panels_of(width) | 1) * kPanel; }

struct Layer {
    int32_t in, out, panels;
    size_t weights, bias;  // offsets in floats
};

struct Layout {
    int32_t n_layers = 0;
    Layer layer[kMaxLayers] = {};
    size_t size = 0;  // floats in one arena, a multiple of 16

    static Layout of(const Architecture &a, int n_inputs, int n_outputs) {
        Layout r;
        r.n_layers = a.n_hidden + 1;
        int in = n_inputs;
        for (int l = 0; l < r.n_layers; ++l) {
            int out = l < a.n_hidden ? a.widths[l] : n_outputs;
            Layer &y = r.layer[l];
            y = {in, out, panels_of(out), r.size, 0};
            r.size += static_cast<size_t>(y.panels) * kPanel * in;
            y.bias = r.size;
            r.size += static_cast<size_t>(y.panels) * kPanel;
            in = out;
        }
        return r;
    }
};

// Offset of weight (k, j) of a layer.
HB_FN size_t weight_at(const Layer &y, int k, int j) {
    return y.weights + (static_cast<size_t>(j / kPanel) * y.in + k) * kPanel + j % kPanel;
}

}  // namespace hyperband
