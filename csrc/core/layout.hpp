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

// The lengths of the last three are those of an Embedding.
enum class Axis : int8_t { none, inputs, outputs, numbers, components, waves };
enum class Initial : int8_t { uniform, zeros, ones, normal };
constexpr uint32_t kPhaseStream = 2;

// Numbers between which a network lies: columns of the data, outputs, and the first columns that are numbers.
struct Ends {
    int n_inputs, n_outputs, numbers;
};

// What each of the first `numbers` columns becomes beside itself: so many components, from so many waves. Components follow
// the data's columns in the rows that the first layer takes: component j of column c is at columns + c * components + j.
struct Embedding {
    NumberEmbedding kind;
    int32_t columns, numbers, components, waves;

    static Embedding of(const Architecture &a, const Ends &ends) {
        if (a.number_embedding == NumberEmbedding::none) return {a.number_embedding, ends.n_inputs, 0, 0, 0};
        const int32_t components = a.embedding_size - 1;
        return {a.number_embedding, ends.n_inputs, ends.numbers, components,
                a.number_embedding == NumberEmbedding::pbld ? a.embedding_frequencies : components};
    }
    HB_FN bool exists() const { return kind != NumberEmbedding::none; }
    HB_FN int all() const { return numbers * components; }
    HB_FN int width() const { return columns + all(); }
};

// A row of the table, as in hyperband/engine/parameters.py: a test compares them.
struct ParameterKind {
    const char *name;    // with the number of the layer it names an array in a state: "weights.0"
    Axis axes[3];        // of the layer
    Initial initial;     // uniform: see initial_bound
    Group group;         // of the learning rate; weights of the first layer have a group of their own, see group_of
    bool decay;          // whether weight decay acts on it
    bool has_m, has_v;   // moments that it has where the optimiser keeps them
    uint32_t stream;     // of its random numbers

    // Those over numbers are kept without padding between rows.
    constexpr bool packed() const { return axes[0] == Axis::numbers || axes[1] == Axis::none; }
};

// In memory a layer's parameters follow one another in this order.
constexpr ParameterKind kTable[] = {
    {"weights", {Axis::inputs, Axis::outputs}, Initial::uniform, Group::weights, true, true, true, 0},
    {"bias", {Axis::outputs}, Initial::zeros, Group::biases, false, true, true, 0},
    {"alpha", {Axis::outputs}, Initial::ones, Group::alpha, false, true, true, 0},
    {"scale", {Axis::inputs}, Initial::ones, Group::scale, false, true, true, 0},
    {"frequency", {Axis::numbers, Axis::waves}, Initial::normal, Group::embedding, false, true, true, 1},
    {"phase", {Axis::numbers, Axis::waves}, Initial::uniform, Group::embedding, false, true, true, kPhaseStream},
    {"mixing", {Axis::numbers, Axis::components, Axis::waves}, Initial::uniform, Group::embedding, false, true, true, 3},
    {"shift", {Axis::numbers, Axis::components}, Initial::uniform, Group::embedding, false, true, true, 4},
    {"amplitude", {Axis::numbers, Axis::components}, Initial::ones, Group::embedding, false, true, true, 0},
};
HB_FN Group group_of(const ParameterKind &kind, int layer) {
    return kind.group == Group::weights && layer == 0 ? Group::first_weights : kind.group;
}
constexpr int kParameterKinds = sizeof(kTable) / sizeof(kTable[0]);

// Of a layer's parameters, in floats and in the order of the table; those that a layer lacks are -1.
template <class Size> struct Offsets {
    Size weights, bias, alpha, scale, frequency, phase, mixing, shift, amplitude;
    HB_FN bool scaled() const { return scale != static_cast<Size>(-1); }
};
template <class L>
constexpr decltype(&L::weights) kOffsets[kParameterKinds] = {&L::weights, &L::bias,   &L::alpha, &L::scale,    &L::frequency,
                                                             &L::phase,   &L::mixing, &L::shift, &L::amplitude};

template <class Size> HB_FN bool exists(Size offset) { return offset != static_cast<Size>(-1); }

HB_FN bool has_parameter(const Architecture &a, int layer, int kind) {
    if (kind < 2) return true;
    if (kind == 2) return a.parametric_activation && layer < a.n_hidden;
    if (layer > 0) return false;
    if (kind == 3) return a.input_scaling;
    if (kind < 6) return a.number_embedding != NumberEmbedding::none;
    return a.number_embedding == (kind < 8 ? NumberEmbedding::pbld : NumberEmbedding::cosine);
}

template <class L> int axis_size(const L &layer, const Embedding &e, Axis axis) {
    switch (axis) {
        case Axis::inputs: return layer.in;
        case Axis::outputs: return layer.out;
        case Axis::numbers: return e.numbers;
        case Axis::components: return e.components;
        case Axis::waves: return e.waves;
        case Axis::none: break;
    }
    return 1;
}
// How many numbers a parameter of a layer has.
template <class L> int64_t count_of(const L &layer, const Embedding &e, const ParameterKind &kind) {
    int64_t n = 1;
    for (const Axis axis : kind.axes) n *= axis_size(layer, e, axis);
    return n;
}

// Lays out the parameters of layer l behind `size` floats; row_length(kind, n): floats from one row to the next.
template <class L, class Size, class RowLength>
void lay_out(const Architecture &a, const Embedding &e, int l, L &layer, Size &size, const RowLength &row_length) {
    for (int k = 0; k < kParameterKinds; ++k) {
        const bool matrix = !kTable[k].packed(), exists = has_parameter(a, l, k);
        layer.*kOffsets<L>[k] = exists ? size : static_cast<Size>(-1);
        if (!exists) continue;
        const auto n = static_cast<int>(matrix ? layer.out : count_of(layer, e, kTable[k]));
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
    size_t end;  // of its parameters
};

struct Layout {
    int32_t n_layers = 0;
    Layer layer[kMaxLayers] = {};
    size_t size = 0;  // floats in one arena, a multiple of 16
    Embedding embedding = {};

    static Layout of(const Architecture &a, const Ends &ends) {
        Layout r;
        r.n_layers = a.n_hidden + 1;
        r.embedding = Embedding::of(a, ends);
        int in = r.embedding.width();
        for (int l = 0; l < r.n_layers; ++l) {
            int out = l < a.n_hidden ? a.widths[l] : ends.n_outputs;
            Layer &y = r.layer[l];
            y = {{}, in, out, panels_of(out), 0};
            lay_out(a, r.embedding, l, y, r.size, [](bool, int n) { return padded(n); });
            y.end = r.size;
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
