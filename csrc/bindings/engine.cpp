// The engine on the CPU, for Python.
#include "cpu/engine.hpp"

#include "bindings/members.hpp"

namespace hyperband {
namespace {

// Outputs of a network given by its parameters, named as in a state.
FloatArray forward(const ArchitectureRecord &record, const py::dict &parameters, const std::pair<int, int> &ends,
                   const FloatArray &x, int threads) {
    const Architecture a = std::apply(architecture, record);
    const auto [n_inputs, n_outputs] = ends;
    if (n_inputs < 1 || n_outputs < 1 || x.ndim() != 2 || x.shape(1) != n_inputs)
        refuse("`x` must have shape (n_rows, " + std::to_string(n_inputs) + ").");
    const Layout layout = Layout::of(a, n_inputs, n_outputs);
    const Floats arena = import_arena(parameters, "", always, layout);
    FloatArray out({x.shape(0), static_cast<py::ssize_t>(n_outputs)});
    const float *from = x.data();
    float *to = out.mutable_data();
    const auto n = static_cast<size_t>(x.shape(0));
    std::vector<cpu::ThreadScratch> scratch(static_cast<size_t>(threads));
    bool finite = true;
    {
        const Release released;
        finite =
            cpu::predict_rows(layout, a.activation, ends.first, arena.get(), from, n, ends.first, ends.second, to, scratch);
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
    m.def("forward", &forward, py::arg("record"), py::arg("parameters"), py::arg("ends"), py::arg("x").noconvert(),
          py::arg("threads"));
}

}  // namespace hyperband
