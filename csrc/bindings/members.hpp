// The verbs over a population, for Python: templates over the engines, which offer the same ones. Arguments become C++ values
// first; then the GIL is released: nothing behind that point touches a Python object, and the engine's own lock keeps two
// calls apart.
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "bindings/convert.hpp"
#include "core/state.hpp"

namespace hyperband {

template <class Layer> FloatArray unpack_weights(const Layer &y, const float *arena) {
    FloatArray r({y.in, y.out});
    auto to = r.mutable_unchecked<2>();
    for (int k = 0; k < y.in; ++k)
        for (int j = 0; j < y.out; ++j) to(k, j) = arena[weight_at(y, k, j)];
    return r;
}
template <class Layer> FloatArray unpack_bias(const Layer &y, const float *arena) {
    FloatArray r(y.out);
    std::copy_n(arena + y.bias, y.out, r.mutable_data());
    return r;
}

template <class Layout>
void export_arena(py::dict &state, const std::string &prefix, const Layout &layout, const float *arena) {
    for (int l = 0; l < layout.n_layers; ++l) {
        state[py::str(prefix + "weights." + std::to_string(l))] = unpack_weights(layout.layer[l], arena);
        state[py::str(prefix + "bias." + std::to_string(l))] = unpack_bias(layout.layer[l], arena);
    }
}

inline FloatArray floats_of(const py::dict &state, const std::string &name, std::initializer_list<int> shape) {
    if (!state.contains(name.c_str())) refuse("`state` must hold '" + name + "': it belongs to another architecture.");
    const auto a = py::cast<FloatArray>(FloatArray::ensure(state[name.c_str()]));
    bool same = a && a.ndim() == static_cast<py::ssize_t>(shape.size());
    py::ssize_t i = 0;
    for (const int n : shape) same = same && a.shape(i++) == n;
    if (!same) refuse("`state` has '" + name + "' of another shape: it belongs to another architecture.");
    return a;
}

template <class Layout> Floats import_arena(const py::dict &state, const std::string &prefix, const Layout &layout) {
    Floats arena(static_cast<size_t>(layout.size));
    for (int l = 0; l < layout.n_layers; ++l) {
        const auto &y = layout.layer[l];
        const auto w = floats_of(state, prefix + "weights." + std::to_string(l), {y.in, y.out});
        const auto b = floats_of(state, prefix + "bias." + std::to_string(l), {y.out});
        for (int k = 0; k < y.in; ++k)
            for (int j = 0; j < y.out; ++j) arena.get()[weight_at(y, k, j)] = w.at(k, j);
        std::copy_n(b.data(), y.out, arena.get() + y.bias);
    }
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
    export_arena(state, "", s.layout, s.weights.get());
    if (s.m) export_arena(state, "m.", s.layout, s.m.get());
    if (s.v) export_arena(state, "v.", s.layout, s.v.get());
    if (s.best) export_arena(state, "best.", s.layout, s.best.get());
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
    s.weights = import_arena(state, "", s.layout);
    if (s.m) s.m = import_arena(state, "m.", s.layout);
    if (s.v) s.v = import_arena(state, "v.", s.layout);
    s.best.reset();
    if (n[5] >= 0) s.best = import_arena(state, "best.", s.layout);
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
        .def("bytes_per_member", [](Engine &e, const std::vector<int> &widths, const std::array<int, 6> &codes,
                                    const std::array<double, 11> &numbers) {
            return Engine::bytes_per_member(architecture(widths, codes, numbers), e.n_inputs(), e.n_outputs());
        });
}

}  // namespace hyperband
