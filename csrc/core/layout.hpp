// The table of what a network learns, and where its parameters are: offsets into one arena per kind of state.
//
// A weight matrix (in x out) is kept in panels of 16 outputs, [ceil(out / 16)][in][16], a vector as [ceil(n / 16)][16].
// What lies beyond is padding: its weights, moments and gradients are 0 and stay 0. Optimisers are elementwise, so
// moments and snapshots share the layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/architecture.hpp"

namespace hyperband {

constexpr int kPanel = 16;  // floats; one cache line

HB_FN int panels_of(int width) { return (width + kPanel - 1) / kPanel; }
HB_FN int padded(int width) { return panels_of(width) * kPanel; }

// Row stride of activations: an odd number of cache lines, so that a column of rows spreads over all sets of a cache.
HB_FN int row_stride(int width) { return (panels_of(width) | 1) * kPanel; }

enum class Axis : int8_t { none, inputs, outputs };
enum class Initial : int8_t { uniform, zeros, ones };

// A row of the table, as in hyperband/engine/parameters.py: a test compares them.
struct ParameterKind {
    const char *name;    // with the number of the layer it names an array in a state: "weights.0"
    Axis axes[2];        // of the layer
    Initial initial;     // uniform: see initial_bound
    double rate_factor;  // multiplies the learning rate
    bool decay;          // whether weight decay acts on it
    bool has_m, has_v;   // moments that it has where the optimiser keeps them
};

// In memory a layer's parameters follow one another in this order.
constexpr ParameterKind kTable[] = {
    {"weights", {Axis::inputs, Axis::outputs}, Initial::uniform, 1.0, true, true, true},
    {"bias", {Axis::outputs, Axis::none}, Initial::zeros, 1.0, false, true, true},
    {"alpha", {Axis::outputs, Axis::none}, Initial::ones, 0.1, false, true, true},
};
// Numbers of rows of the table.
constexpr int kWeights = 0, kBias = 1, kAlpha = 2;
constexpr float kAlphaRate = static_cast<float>(kTable[kAlpha].rate_factor);
constexpr int kParameterKinds = sizeof(kTable) / sizeof(kTable[0]);

// Of a layer's parameters, in floats and in the order of the table; those that a layer lacks are -1.
template <class Size> struct Offsets {
    Size weights, bias, alpha;
};
template <class L> constexpr decltype(&L::weights) kOffsets[kParameterKinds] = {&L::weights, &L::bias, &L::alpha};

template <class Size> HB_FN bool exists(Size offset) { return offset != static_cast<Size>(-1); }

HB_FN bool has_parameter(const Architecture &a, int layer, int kind) {
    return kind != kAlpha || (a.parametric_activation && layer < a.n_hidden);
}

// Lays out the parameters of layer l behind `size` floats; row_length(kind, n): floats from one row to the next.
template <class L, class Size, class RowLength>
void lay_out(const Architecture &a, int l, L &layer, Size &size, const RowLength &row_length) {
    for (int k = 0; k < kParameterKinds; ++k) {
        const bool matrix = kTable[k].axes[1] != Axis::none, exists = has_parameter(a, l, k);
        layer.*kOffsets<L>[k] = exists ? size : static_cast<Size>(-1);
        if (!exists) continue;
        const int n = kTable[k].axes[matrix ? 1 : 0] == Axis::inputs ? layer.in : layer.out;
        size += static_cast<Size>(matrix ? layer.in : 1) * static_cast<Size>(row_length(matrix, n));
    }
}

// Calls visit(number of the layer, layer, row of the table, offset) for every parameter, in the order of memory.
template <class Layout, class Visit> void for_each_parameter(const Layout &layout, const Visit &visit) {
    for (int l = 0; l < layout.n_layers; ++l)
        for (int k = 0; k < kParameterKinds; ++k) {
            const auto &layer = layout.layer[l];
            const auto at = static_cast<int64_t>(layer.*kOffsets<std::remove_cvref_t<decltype(layer)>>[k]);
            if (at >= 0) visit(l, layer, kTable[k], static_cast<size_t>(at));
        }
}

// Whether there are others than a matrix and a bias a layer, which is all that packs of members compute with.
template <class Layout> bool has_more_parameters(const Layout &layout) {
    int n = 0;
    for_each_parameter(layout, [&](auto...) { ++n; });
    return n > 2 * layout.n_layers;
}

struct Layer : Offsets<size_t> {
    int32_t in, out, panels;
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
            y = {{}, in, out, panels_of(out)};
            lay_out(a, l, y, r.size, [](bool, int n) { return padded(n); });
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
