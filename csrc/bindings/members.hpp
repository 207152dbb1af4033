// The verbs over a population, for Python: templates over the engines, which offer the same ones. Arguments become C++ values
// first; then the GIL is released: nothing behind that point touches a Python object, and the engine's own lock keeps two
// calls apart.
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "bindings/convert.hpp"
#include "core/rates.hpp"
#include "core/state.hpp"

namespace hyperband {

// Dimensions of a parameter.
template <class Layer> std::vector<int> shape_of(const Layer &y, const ParameterKind &kind) {
    std::vector<int> r;
    for (const Axis axis : kind.axes)
        if (axis != Axis::none) r.push_back(axis == Axis::inputs ? y.in : y.out);
    return r;
}
inline std::string name_of(const ParameterKind &kind, int layer) {
    std::string r = kind.name;
    r += '.';
    return r += std::to_string(layer);
}

template <class Layer> FloatArray unpack(const Layer &y, const ParameterKind &kind, const float *arena, size_t at) {
    const std::vector<int> shape = shape_of(y, kind);
    FloatArray r(shape);
    float *to = r.mutable_data();
    if (shape.size() == 1) {
        std::copy_n(arena + at, shape[0], to);
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
        if (has(kind)) state[py::str(prefix + name_of(kind, l))] = unpack(y, kind, arena, at);
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
        const std::vector<int> shape = shape_of(y, kind);
        const FloatArray given = floats_of(state, prefix + name_of(kind, l), shape);
        const float *from = given.data();
        if (shape.size() == 1) {
            std::copy_n(from, shape[0], arena.get() + at);
            return;
        }
        for (int k = 0; k < y.in; ++k)
            for (int j = 0; j < y.out; ++j) arena.get()[weight_at(y, k, j)] = *from++;
    });
    return arena;
}

template <class Engine> py::dict export_state(Engine &e, int64_t id) {
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
    if (s.best) export_arena(state, "best.", always, s.layout, s.best.get());
    return state;
}

template <class Engine> void import_state(Engine &e, int64_t id, const py::dict &state) {
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
    s.best.reset();
    if (n[5] >= 0) s.best = import_arena(state, "best.", always, s.layout);
    s.counters = {n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
    s.record = {r[0], r[1], r[2], r[3], r[4], r[5]};
    e.set_state(id, std::move(s));
}

template <class Engine> py::tuple progress(Engine &e, const std::vector<int64_t> &members) {
    const auto hold = e.lock();
    const auto n = static_cast<py::ssize_t>(members.size());
    LongArray counters({n, py::ssize_t{4}});
    DoubleArray scores({n, py::ssize_t{5}});
    auto c = counters.mutable_unchecked<2>();
    auto s = scores.mutable_unchecked<2>();
    for (py::ssize_t i = 0; i < n; ++i) {
        const auto &m = e.member(members[static_cast<size_t>(i)]);
        c(i, 0) = m.counters.step, c(i, 1) = m.counters.epoch, c(i, 2) = m.counters.best_step, c(i, 3) = m.counters.diverged;
        const Record &r = m.record;
        s(i, 0) = r.loss, s(i, 1) = r.error, s(i, 2) = r.best_loss, s(i, 3) = r.best_error, s(i, 4) = r.train_loss;
    }
    return py::make_tuple(counters, scores);
}

template <class Engine>
std::vector<bool> train(Engine &e, const std::vector<int64_t> &members, const std::vector<int64_t> &until, int64_t rows,
                        int inputs, bool evaluate, double seconds) {
    if (members.size() != until.size()) refuse("`until_step` must have one entry per member.");
    std::vector<char> arrived;
    {
        const Release released;
        arrived = e.train(members, until, rows, inputs, evaluate, seconds);
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

template <class Engine, class X = FloatArray>
py::tuple evaluate(Engine &e, const std::vector<int64_t> &members, const X &x, const py::array &y, const py::object &weight,
                   bool best) {
    const Table data = table(x, y, weight, e.loss(), e.n_inputs(), e.n_outputs());
    std::vector<Scores> found;
    {
        const Release released;
        found = e.evaluate(members, data, best);
    }
    return scores(found);
}

template <class Engine> FloatArray predict(Engine &e, int64_t id, const FloatArray &x, bool best) {
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

// An architecture as it comes from Python: widths, codes, numbers.
using ArchitectureRecord = std::tuple<std::vector<int>, std::array<int, 6>, std::array<double, 11>>;

template <class Engine>
std::vector<int64_t> add(Engine &e, const std::vector<ArchitectureRecord> &records, const std::vector<uint64_t> &seeds,
                         const std::vector<int64_t> &total_steps) {
    if (seeds.size() != records.size() || total_steps.size() != records.size())
        refuse("`seeds` and `total_steps` must have one entry per member.");
    std::vector<Architecture> architectures;
    for (const auto &[widths, codes, numbers] : records) architectures.push_back(architecture(widths, codes, numbers));
    const Release released;
    return e.add(architectures, seeds, total_steps);
}

inline const char *name_of(Initial initial) {
    return initial == Initial::uniform ? "uniform" : initial == Initial::zeros ? "zeros" : "ones";
}

// The parameters of a network as the engine keeps them: name, shape, offset, initial, bound (0 where the initial numbers are
// not uniform), learning-rate factor, decay, moments.
template <class Layout> py::list parameters(const Architecture &a, const Layout &layout) {
    py::list found;
    for_each_parameter(layout, [&](int l, const auto &y, const ParameterKind &kind, size_t at) {
        const float bound = kind.initial == Initial::uniform ? initial_bound(a, l, layout.n_layers, y.in, y.out) : 0.0f;
        py::list moments;
        if (kind.has_m) moments.append("m");
        if (kind.has_v) moments.append("v");
        found.append(py::make_tuple(name_of(kind, l), py::tuple(py::cast(shape_of(y, kind))), at, name_of(kind.initial), bound,
                                    kind.rate_factor, kind.decay, py::tuple(moments)));
    });
    return found;
}

// What all engines offer in the same way.
template <class Engine, class Class> void bind_members(Class &c) {
    c.def("add", &add<Engine>)
        .def("train", &train<Engine>)
        .def("progress", &progress<Engine>)
        .def("evaluate", &evaluate<Engine>, py::arg("members"), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"),
             py::arg("best"))
        .def("predict", &predict<Engine>, py::arg("member"), py::arg("x").noconvert(), py::arg("best"))
        .def("forget_best", &Engine::forget_best)
        .def("release", &Engine::release)
        .def("export_state", &export_state<Engine>)
        .def("import_state", &import_state<Engine>)
        .def("parameters",
             [](Engine &e, const ArchitectureRecord &record) {
                 const Architecture a = std::apply(architecture, record);
                 return parameters(a, decltype(e.state(0).layout)::of(a, e.n_inputs(), e.n_outputs()));
             })
        .def("bytes_per_member", [](Engine &e, const std::vector<int> &widths, const std::array<int, 6> &codes,
                                    const std::array<double, 11> &numbers) {
            return Engine::bytes_per_member(architecture(widths, codes, numbers), e.n_inputs(), e.n_outputs());
        });
}

}  // namespace hyperband
