// The engine on the CPU, for Python.
#include "cpu/engine.hpp"

#include "bindings/members.hpp"

namespace hyperband {
namespace {

// Outputs of a network given as weights (n_in, n_out) and biases, one pair per layer.
FloatArray forward(int activation, const std::vector<std::pair<FloatArray, FloatArray>> &layers, const FloatArray &x,
                   int threads) {
    if (layers.empty() || layers.size() > kMaxLayers || activation < 0 || activation > 7)
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
        finite = cpu::predict_rows(layout, static_cast<Activation>(activation), n_inputs, arena.get(), from, n, n_inputs,
                                   n_outputs, to, scratch);
    }
    if (!finite) refuse(kNotFinite);
    return out;
}

std::unique_ptr<cpu::Engine> make_engine(const FloatArray &x, const py::array &y, const py::object &weight,
                                         const py::object &validation, int loss, int n_outputs, int threads, bool bf16) {
    if (threads < 1) refuse("`threads` must be at least 1.");
    const Problem p = problem(x, y, weight, validation, loss, n_outputs);
    const Release released;
    return std::make_unique<cpu::Engine>(p.train, p.validation_or_null(), p.loss, p.n_inputs, n_outputs, threads,
                                         bf16 ? Precision::bf16 : Precision::float32);
}

}  // namespace

void register_engine(py::module_ &m) {
    auto c = py::class_<cpu::Engine>(m, "Engine");
    c.def(py::init(&make_engine), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"), py::arg("validation"),
          py::arg("loss"), py::arg("n_outputs"), py::arg("threads"), py::arg("bf16"));
    bind_members<cpu::Engine>(c);
    m.def("forward", &forward, py::arg("activation"), py::arg("layers"), py::arg("x").noconvert(), py::arg("threads"));
}

}  // namespace hyperband
