// The engine on the CPU, for Python.
#include "cpu/engine.hpp"

#include "bindings/members.hpp"
#include "cpu/evaluation.hpp"

namespace hyperband {
namespace {

// Outputs of a network given as weights (n_in, n_out) and biases, one pair per layer.
FloatArray forward(int activation, const std::vector<std::pair<FloatArray, FloatArray>> &layers, const FloatArray &x,
                   int threads) {
    if (layers.empty() || layers.size() > kMaxLayers || activation < 0 ||
        activation >= static_cast<int>(std::size(kActivations)))
        refuse("`weights` must list 1 to 9 layers.");
    Architecture a;
    py::dict state;
    for (size_t l = 0; l < layers.size(); ++l) {
        if (layers[l].first.ndim() != 2 || layers[l].first.shape(1) < 1) refuse("Weights must have shape (n_in, n_out).");
        const auto name = std::to_string(l);
        state[py::str("weights." + name)] = layers[l].first;
        state[py::str("bias." + name)] = layers[l].second;
        if (l + 1 < layers.size()) a.widths[a.n_hidden++] = static_cast<int32_t>(layers[l].first.shape(1));
    }
    const auto n_inputs = static_cast<int>(layers[0].first.shape(0)),
               n_outputs = static_cast<int>(layers.back().first.shape(1));
    if (n_inputs < 1 || x.ndim() != 2 || x.shape(1) != n_inputs)
        refuse("`x` must have shape (n_rows, " + std::to_string(n_inputs) + ").");
    const Layout layout = Layout::of(a, n_inputs, n_outputs);
    const Floats arena = import_arena(state, "", layout);
    FloatArray out({x.shape(0), static_cast<py::ssize_t>(n_outputs)});
    const float *from = x.data();
    float *to = out.mutable_data();
    const auto n = static_cast<size_t>(x.shape(0));
    std::vector<cpu::ThreadScratch> scratch(static_cast<size_t>(threads));
    bool finite = true;
    {
        const Release released;
        finite = cpu::predict({layout, static_cast<Activation>(activation), n_inputs, arena.get()}, {from, n, to}, scratch);
    }
    if (!finite) refuse(kNotFinite);
    return out;
}

template <size_t N> py::tuple names(const char *const (&values)[N]) {
    py::tuple r(N);
    for (size_t i = 0; i < N; ++i) r[i] = values[i];
    return r;
}

// Names of the numbered values, in their order.
py::dict choices() {
    py::dict r;
    r["activation"] = names(kActivations), r["optimizer"] = names(kOptimizers), r["schedule"] = names(kSchedules);
    r["init"] = names(kInits), r["loss"] = names(kLosses), r["precision"] = names(kPrecisions);
    return r;
}

}  // namespace

void register_engine(py::module_ &m) {
    PYBIND11_NUMPY_DTYPE(Architecture, n_hidden, widths, activation, optimizer, schedule, init, batch_size, nesterov,
                         learning_rate, momentum, beta1, beta2, epsilon, weight_decay, warmup, final_rate, clip_norm, dropout,
                         label_smoothing);
    m.def("architecture_dtype", [] { return py::dtype::of<Architecture>(); }, "The record of an architecture, field by field.");
    m.def("choices", &choices, "Names of the numbered values of records, losses and precisions, in their order.");
    bind_engine<cpu::Engine, int>(m, "Engine", "threads");
    m.def("forward", &forward, py::arg("activation"), py::arg("layers"), py::arg("x").noconvert(), py::arg("threads"));
}

}  // namespace hyperband
