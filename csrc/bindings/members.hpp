// An engine for Python, written once for every engine that satisfies the concept of core/engine_concept.hpp. Arguments become
// C++ values first; then the GIL is released: nothing behind that point touches a Python object, and the engine's own lock
// keeps two calls apart.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "bindings/convert.hpp"
#include "core/engine_concept.hpp"
#include "core/initial_values.hpp"
#include "core/rates.hpp"

namespace hyperband {

// Dimensions of a parameter.
template <class Layer> std::vector<int> shape_of(const Layer &y, const Embedding &e, const ParameterKind &kind) {
    std::vector<int> r;
    for (const Axis axis : kind.axes)
        if (axis != Axis::none) r.push_back(axis_size(y, e, axis));
    return r;
}
inline std::string name_of(const ParameterKind &kind, int layer) {
    std::string r = kind.name;
    r += '.';
    return r += std::to_string(layer);
}

template <class Layer>
FloatArray unpack(const Layer &y, const Embedding &e, const ParameterKind &kind, const float *arena, size_t at) {
    const std::vector<int> shape = shape_of(y, e, kind);
    FloatArray r(shape);
    float *to = r.mutable_data();
    if (kind.packed()) {
        std::copy_n(arena + at, r.size(), to);
        return r;
    }
    for (int k = 0; k < y.in; ++k)
        for (int j = 0; j < y.out; ++j) *to++ = arena[weight_at(y, k, j)];
    return r;
}

// The moments are those of the rows of the table that have them.
using HasState = bool (*)(const ParameterKind &);
inline bool always(const ParameterKind &) { return true; }
inline bool has_m(const ParameterKind &kind) { return kind.has_m; }
inline bool has_v(const ParameterKind &kind) { return kind.has_v; }

template <class Layout>
void export_arena(py::dict &state, const std::string &prefix, HasState has, const Layout &layout, const float *arena) {
    for_each_parameter(layout, [&](int l, const auto &y, const ParameterKind &kind, size_t at) {
        if (has(kind)) state[py::str(prefix + name_of(kind, l))] = unpack(y, layout.embedding, kind, arena, at);
    });
}

inline FloatArray floats_of(const py::dict &state, const std::string &name, const std::vector<int> &shape) {
    if (!state.contains(name.c_str())) refuse("`state` must hold '" + name + "': it belongs to another architecture.");
    const auto a = py::cast<FloatArray>(FloatArray::ensure(state[name.c_str()]));
    bool same = a && a.ndim() == static_cast<py::ssize_t>(shape.size());
    py::ssize_t i = 0;
    for (const int n : shape) same = same && a.shape(i++) == n;
    if (!same) refuse("`state` has '" + name + "' of another shape: it belongs to another architecture.");
    return a;
}

template <class Layout>
Floats import_arena(const py::dict &state, const std::string &prefix, HasState has, const Layout &layout) {
    Floats arena(static_cast<size_t>(layout.size));
    for_each_parameter(layout, [&](int l, const auto &y, const ParameterKind &kind, size_t at) {
        if (!has(kind)) return;
        const std::vector<int> shape = shape_of(y, layout.embedding, kind);
        const FloatArray given = floats_of(state, prefix + name_of(kind, l), shape);
        const float *from = given.data();
        if (kind.packed()) {
            std::copy_n(from, given.size(), arena.get() + at);
            return;
        }
        for (int k = 0; k < y.in; ++k)
            for (int j = 0; j < y.out; ++j) arena.get()[weight_at(y, k, j)] = *from++;
    });
    return arena;
}

template <PopulationEngine E> py::dict export_state(E &e, int64_t id) {
    const auto s = e.state(id);
    const Counters &c = s.counters;
    const Record &r = s.record;
    const int64_t counters[] = {c.step, c.epoch, c.position, c.rows, c.inputs, c.best_step, c.diverged};
    const double scores[] = {r.loss, r.error, r.best_loss, r.best_error, r.train_loss, r.epoch_loss};
    py::dict state;
    state["counters"] = LongArray(7, counters);
    state["scores"] = DoubleArray(6, scores);
    export_arena(state, "", always, s.layout, s.weights.get());
    if (s.m) export_arena(state, "m.", has_m, s.layout, s.m.get());
    if (s.v) export_arena(state, "v.", has_v, s.layout, s.v.get());
    if (s.average) export_arena(state, "average.", always, s.layout, s.average.get());
    if (s.best) export_arena(state, "best.", always, s.layout, s.best.get());
    return state;
}

template <PopulationEngine E> void import_state(E &e, int64_t id, const py::dict &state) {
    auto s = e.state(id);  // of the same layout, with the same moments
    if (!state.contains("counters") || !state.contains("scores")) refuse("`state` must hold 'counters' and 'scores'.");
    const auto c = LongArray::ensure(state["counters"]);
    const auto d = DoubleArray::ensure(state["scores"]);
    if (!c || c.size() != 7 || !d || d.size() != 6) refuse("`state` must hold 7 'counters' and 6 'scores'.");
    const int64_t *n = c.data();
    const double *r = d.data();
    for (int i = 0; i < 5; ++i)
        if (n[i] < 0) refuse("`state` has a negative counter.");
    if (n[4] > e.n_inputs()) refuse("`state` has more active inputs than the data has columns.");
    s.weights = import_arena(state, "", always, s.layout);
    if (s.m) s.m = import_arena(state, "m.", has_m, s.layout);
    if (s.v) s.v = import_arena(state, "v.", has_v, s.layout);
    if (s.average) s.average = import_arena(state, "average.", always, s.layout);
    s.best.reset();
    if (n[5] >= 0) s.best = import_arena(state, "best.", always, s.layout);
    s.counters = {n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
    s.record = {r[0], r[1], r[2], r[3], r[4], r[5]};
    e.set_state(id, std::move(s));
}

template <PopulationEngine E> py::tuple progress(E &e, const std::vector<int64_t> &members) {
    const std::vector<Progress> found = e.progress(members);
    const auto n = static_cast<py::ssize_t>(found.size());
    LongArray counters({n, py::ssize_t{4}});
    DoubleArray scores({n, py::ssize_t{5}});
    int64_t *c = counters.mutable_data();
    double *s = scores.mutable_data();
    for (const Progress &p : found) {
        for (const int64_t x : {p.counters.step, p.counters.epoch, p.counters.best_step, p.counters.diverged}) *c++ = x;
        const Record &r = p.record;
        for (const double x : {r.loss, r.error, r.best_loss, r.best_error, r.train_loss}) *s++ = x;
    }
    return py::make_tuple(counters, scores);
}

constexpr char kOneStepEach[] = "`until_step` must have one entry per member.";

template <PopulationEngine E>
std::vector<bool> train(E &e, const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows, int inputs,
                        bool evaluate, double seconds) {
    if (members.size() != until.size()) refuse(kOneStepEach);
    std::vector<char> arrived;
    {
        const Release released;
        arrived = e.train(members, until, {rows, inputs, evaluate, seconds});
    }
    return std::vector<bool>(arrived.begin(), arrived.end());
}

inline py::tuple scores(const std::vector<Scores> &found) {
    DoubleArray loss(static_cast<py::ssize_t>(found.size())), error(static_cast<py::ssize_t>(found.size()));
    for (size_t i = 0; i < found.size(); ++i) {
        loss.mutable_at(static_cast<py::ssize_t>(i)) = found[i].loss;
        error.mutable_at(static_cast<py::ssize_t>(i)) = found[i].error;
    }
    return py::make_tuple(loss, error);
}

template <PopulationEngine E, class X>
py::tuple evaluate(E &e, const std::vector<int64_t> &members, const X &x, const py::array &y, const py::object &weight,
                   bool best) {
    const Table data = table(x, y, weight, e.loss(), e.n_inputs(), e.n_outputs());
    std::vector<Scores> found;
    {
        const Release released;
        found = e.evaluate(members, data, best);
    }
    return scores(found);
}

template <PopulationEngine E> FloatArray predict(E &e, int64_t id, const FloatArray &x, bool best) {
    if (x.ndim() != 2 || x.shape(1) != e.n_inputs())
        refuse("`x` must have shape (n_rows, " + std::to_string(e.n_inputs()) + ").");
    FloatArray out({x.shape(0), static_cast<py::ssize_t>(e.n_outputs())});
    const float *from = x.data();
    float *to = out.mutable_data();
    const auto n = static_cast<size_t>(x.shape(0));
    bool finite = true;
    {
        const Release released;
        finite = e.predict(id, from, n, best, to);
    }
    if (!finite) refuse(kNotFinite);
    return out;
}

template <PopulationEngine E>
std::vector<int64_t> add(E &e, const ArchitectureArray &records, const std::vector<uint64_t> &seeds,
                         const std::vector<int64_t> &total_steps) {
    const std::vector<Architecture> given = architectures(records);
    if (seeds.size() != given.size() || total_steps.size() != given.size())
        refuse("`seeds` and `total_steps` must have one entry per member.");
    const Release released;
    return e.add(given, seeds, total_steps);
}

template <PopulationEngine E> LongArray bytes_per_member(E &e, const ArchitectureArray &records) {
    LongArray r(records.size());
    int64_t *to = r.mutable_data();
    for (const Architecture &a : architectures(records)) *to++ = static_cast<int64_t>(E::bytes_per_member(a, e.ends()));
    return r;
}

inline const char *name_of(Initial initial) {
    constexpr const char *kNames[] = {"uniform", "zeros", "ones", "normal"};
    return kNames[static_cast<int>(initial)];
}

// The parameters of a network as the engine keeps them: name, shape, offset, initial, bound (0 where the initial numbers are
// not uniform), learning-rate factor, decay, moments.
template <class Layout> py::list parameters(const Architecture &a, const Layout &layout) {
    py::list found;
    for_each_parameter(layout, [&](int l, const auto &y, const ParameterKind &kind, size_t at) {
        float bound = 0.0f;
        if (kind.initial == Initial::uniform)
            bound = kind.stream == 0 ? initial_bound(a, l, layout.n_layers, y.in, y.out) : uniform_bound(a, kind.stream);
        py::list moments;
        if (kind.has_m) moments.append("m");
        if (kind.has_v) moments.append("v");
        found.append(py::make_tuple(name_of(kind, l), py::tuple(py::cast(shape_of(y, layout.embedding, kind))), at,
                                    name_of(kind.initial), bound, rate_factor(a, group_of(kind, l)), kind.decay,
                                    py::tuple(moments)));
    });
    return found;
}

template <PopulationEngine E> py::list parameters_of(E &e, const ArchitectureArray &record) {
    const Architecture a = architecture(record);
    return parameters(a, E::State::Layout::of(a, e.ends()));
}

// X: where the rows of the training data are. The resources are the fields of E::Resources.
template <PopulationEngine E, class X, class... Resource>
std::unique_ptr<E> make_engine(const X &x, const py::array &y, const py::object &weight, const py::object &validation,
                               const std::pair<int, float> &loss, int n_outputs, int numbers, int precision,
                               const Resource &...resources) {
    if (precision < 0 || precision >= static_cast<int>(std::size(kPrecisions))) refuse("`precision` is out of range.");
    const Problem p = problem(x, y, weight, validation, loss, n_outputs, numbers, E::kReadsDevice);
    const typename E::Resources on{resources...};
    const Release released;
    return std::make_unique<E>(p, static_cast<Precision>(precision), on);
}

// What takes rows, from the host or from a device.
template <PopulationEngine E, class X, class... Resource, class... Name>
void bind_rows(py::class_<E> &c, const Name *...names) {
    c.def(py::init(&make_engine<E, X, Resource...>), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"),
          py::arg("validation"), py::arg("loss"), py::arg("n_outputs"), py::arg("numbers") = -1, py::arg("precision"),
          py::arg(names)...);
    c.def("evaluate", &evaluate<E, X>, py::arg("members"), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"),
          py::arg("best"));
}

// Resource and `names`: the types and names of the fields of E::Resources.
template <PopulationEngine E, class... Resource, class... Name>
py::class_<E> bind_engine(py::module_ &m, const char *class_name, const Name *...names) {
    py::class_<E> c(m, class_name);
    bind_rows<E, FloatArray, Resource...>(c, names...);
    if constexpr (E::kReadsDevice) bind_rows<E, py::tuple, Resource...>(c, names...);
    c.def("add", &add<E>, py::arg("records").noconvert(), py::arg("seeds"), py::arg("total_steps"))
        .def("train", &train<E>)
        .def("progress", &progress<E>)
        .def("predict", &predict<E>, py::arg("member"), py::arg("x").noconvert(), py::arg("best"))
        .def("forget_best", &E::forget_best)
        .def("release", &E::release)
        .def("export_state", &export_state<E>)
        .def("import_state", &import_state<E>)
        .def("bytes_per_member", &bytes_per_member<E>, py::arg("records").noconvert())
        .def("parameters", &parameters_of<E>, py::arg("record").noconvert());
    return c;
}

}  // namespace hyperband
