// The engine on the CPU, for Python.
#include "cpu/engine.hpp"

#include "bindings/members.hpp"
#include "cpu/evaluation.hpp"

namespace hyperband {
namespace {

// Outputs of a network given by its parameters, named as in a state; ends: as of Ends.
FloatArray forward(const ArchitectureArray &record, const py::dict &parameters, const std::tuple<int, int, int> &ends,
                   const FloatArray &x, int threads) {
    const Architecture a = architecture(record);
    const auto [n_inputs, n_outputs, numbers] = ends;
    if (numbers < 0 || numbers > n_inputs) refuse("`numbers` must be at most the number of columns.");
    if (n_inputs < 1 || n_outputs < 1 || x.ndim() != 2 || x.shape(1) != n_inputs)
        refuse("`x` must have shape (n_rows, " + std::to_string(n_inputs) + ").");
    const Layout layout = Layout::of(a, {n_inputs, n_outputs, numbers});
    const Floats arena = import_arena(parameters, "", always, layout);
    FloatArray out({x.shape(0), static_cast<py::ssize_t>(n_outputs)});
    const float *from = x.data();
    float *to = out.mutable_data();
    const auto n = static_cast<size_t>(x.shape(0));
    std::vector<cpu::ThreadScratch> scratch(static_cast<size_t>(threads));
    bool finite = true;
    {
        const Release released;
        finite = cpu::predict({layout, a.activation, layout.layer[0].in, arena.get()}, {from, n, to}, scratch);
    }
    if (!finite) refuse(kNotFinite);
    return out;
}

// (engine, members, steps until which they train, first rows, first columns).
using Part = std::tuple<cpu::Engine *, std::vector<int64_t>, std::vector<int64_t>, int64_t, int>;

std::vector<std::vector<bool>> train_together(const std::vector<Part> &given, bool evaluate, double seconds) {
    std::vector<cpu::TrainingPart> parts;
    for (const auto &[engine, members, until, rows, inputs] : given) {
        if (members.size() != until.size()) refuse(kOneStepEach);
        parts.push_back({engine, members, until, {rows, inputs, evaluate, seconds}});
    }
    std::vector<std::vector<char>> arrived;
    {
        const Release released;
        arrived = cpu::Engine::train_together(parts);
    }
    std::vector<std::vector<bool>> r;
    for (const std::vector<char> &part : arrived) r.emplace_back(part.begin(), part.end());
    return r;
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
    r["init"] = names(kInits), r["number_embedding"] = names(kNumberEmbeddings);
    r["dropout_schedule"] = names(kFactorSchedules), r["decay_schedule"] = names(kFactorSchedules);
    r["loss"] = names(kLosses), r["precision"] = names(kPrecisions);
    return r;
}

}  // namespace

void register_engine(py::module_ &m) {
    PYBIND11_NUMPY_DTYPE(Architecture, HB_ARCHITECTURE_FIELDS);
    m.def("architecture_dtype", [] { return py::dtype::of<Architecture>(); }, "The record of an architecture, field by field.");
    m.def("choices", &choices, "Names of the numbered values of records, losses and precisions, in their order.");
    bind_engine<cpu::Engine, int>(m, "Engine", "threads");
    m.def("train_together", &train_together, py::arg("parts"), py::arg("evaluate"), py::arg("seconds"));
    m.def("forward", &forward, py::arg("record").noconvert(), py::arg("parameters"), py::arg("ends"), py::arg("x").noconvert(),
          py::arg("threads"));
}

}  // namespace hyperband
