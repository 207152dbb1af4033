// The engine for Python. Arguments become C++ values first; then the GIL is released: nothing behind that point touches a
// Python object, and the engine's own lock keeps two calls apart.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <string>

#include "cpu/engine.hpp"

namespace py = pybind11;

namespace hyperband {
namespace {

using FloatArray = py::array_t<float, py::array::c_style>;
using DoubleArray = py::array_t<double, py::array::c_style>;
using LongArray = py::array_t<int64_t, py::array::c_style>;
using Release = py::gil_scoped_release;

[[noreturn]] void refuse(const std::string &message) { throw std::invalid_argument(message); }

constexpr char kNotFinite[] = "x must be finite; got NaN or infinity. Impute or drop those rows.";

struct Targets {
    const int32_t *label = nullptr;
    const float *target = nullptr;
};

// y as the loss wants it; every label is checked, because the kernels index by it.
Targets targets(const py::array &y, py::ssize_t n, Loss loss, int n_outputs) {
    Targets t;
    if (loss == Loss::mse) {
        if (!py::isinstance<FloatArray>(y) || y.ndim() != 2 || y.shape(0) != n || y.shape(1) != n_outputs)
            refuse("`y` must be a float32 array of shape (n_rows, n_outputs) for the loss mse.");
        t.target = static_cast<const float *>(y.data());
        return t;
    }
    using IntArray = py::array_t<int32_t, py::array::c_style>;
    if (!py::isinstance<IntArray>(y) || y.ndim() != 1 || y.shape(0) != n)
        refuse("`y` must be an int32 array of shape (n_rows,) for a classification loss.");
    t.label = static_cast<const int32_t *>(y.data());
    const int classes = loss == Loss::logistic ? 2 : n_outputs;
    for (py::ssize_t i = 0; i < n; ++i)
        if (t.label[i] < 0 || t.label[i] >= classes)
            refuse("`y` must hold class numbers from 0 to " + std::to_string(classes - 1) + "; got " +
                   std::to_string(t.label[i]) + ".");
    return t;
}

Dataset dataset(const FloatArray &x, const py::array &y, const py::object &weight, Loss loss, int n_inputs, int n_outputs) {
    if (x.ndim() != 2 || x.shape(1) != n_inputs) refuse("`x` must have shape (n_rows, " + std::to_string(n_inputs) + ").");
    if (x.shape(0) > std::numeric_limits<int32_t>::max()) refuse("`x` must have fewer than 2**31 rows.");
    const Targets t = targets(y, x.shape(0), loss, n_outputs);
    const float *w = nullptr;
    FloatArray kept;
    if (!weight.is_none()) {
        if (!py::isinstance<FloatArray>(weight)) refuse("`weight` must be a float32 array.");
        kept = weight.cast<FloatArray>();
        if (kept.ndim() != 1 || kept.shape(0) != x.shape(0)) refuse("`weight` must have shape (n_rows,).");
        w = kept.data();
    }
    const float *rows = x.data();
    const auto n = static_cast<size_t>(x.shape(0));
    const Release released;
    return Dataset(rows, n, n_inputs, t.label, t.target, n_outputs, w);
}

// The record of hyperband.architecture, as plain numbers (see native.py): codes = activation, optimizer, schedule, init,
// batch_size, nesterov; numbers = learning_rate, momentum, beta1, beta2, epsilon, weight_decay, warmup, final_rate,
// clip_norm, dropout, label_smoothing.
Architecture architecture(const std::vector<int> &widths, const std::array<int, 6> &codes,
                          const std::array<double, 11> &numbers) {
    Architecture a;
    if (widths.size() > kMaxHidden) refuse("`widths` must list at most 8 hidden layers.");
    for (const int w : widths) {
        if (w < 1 || w > kMaxWidth) refuse("`widths` must be from 1 to 1024; got " + std::to_string(w) + ".");
        a.widths[a.n_hidden++] = w;
    }
    const int most[6] = {7, 3, 2, 3, kMaxBatch, 1}, least[6] = {0, 0, 0, 0, 1, 0};
    for (size_t i = 0; i < codes.size(); ++i)
        if (codes[i] < least[i] || codes[i] > most[i]) refuse("`codes` out of range; use hyperband.Architecture.");
    a.activation = static_cast<Activation>(codes[0]);
    a.optimizer = static_cast<Optimizer>(codes[1]);
    a.schedule = static_cast<Schedule>(codes[2]);
    a.init = static_cast<Init>(codes[3]);
    a.batch_size = codes[4];
    a.nesterov = codes[5] != 0;
    double *fields[11] = {&a.learning_rate, &a.momentum,   &a.beta1,     &a.beta2,   &a.epsilon,        &a.weight_decay,
                          &a.warmup,        &a.final_rate, &a.clip_norm, &a.dropout, &a.label_smoothing};
    for (size_t i = 0; i < numbers.size(); ++i) *fields[i] = numbers[i];
    return a;
}

FloatArray unpack_weights(const Layer &y, const float *arena) {
    FloatArray r({y.in, y.out});
    auto to = r.mutable_unchecked<2>();
    for (int k = 0; k < y.in; ++k)
        for (int j = 0; j < y.out; ++j) to(k, j) = arena[weight_at(y, k, j)];
    return r;
}
FloatArray unpack_bias(const Layer &y, const float *arena) {
    FloatArray r(y.out);
    std::copy_n(arena + y.bias, y.out, r.mutable_data());
    return r;
}

void export_arena(py::dict &state, const std::string &prefix, const Layout &layout, const float *arena) {
    for (int l = 0; l < layout.n_layers; ++l) {
        state[py::str(prefix + "weights." + std::to_string(l))] = unpack_weights(layout.layer[l], arena);
        state[py::str(prefix + "bias." + std::to_string(l))] = unpack_bias(layout.layer[l], arena);
    }
}

FloatArray floats_of(const py::dict &state, const std::string &name, std::initializer_list<int> shape) {
    if (!state.contains(name.c_str())) refuse("`state` must hold '" + name + "': it belongs to another architecture.");
    const auto a = py::cast<FloatArray>(FloatArray::ensure(state[name.c_str()]));
    bool same = a && a.ndim() == static_cast<py::ssize_t>(shape.size());
    py::ssize_t i = 0;
    for (const int n : shape) same = same && a.shape(i++) == n;
    if (!same) refuse("`state` has '" + name + "' of another shape: it belongs to another architecture.");
    return a;
}

Floats import_arena(const py::dict &state, const std::string &prefix, const Layout &layout) {
    Floats arena(layout.size);
    for (int l = 0; l < layout.n_layers; ++l) {
        const Layer &y = layout.layer[l];
        const auto w = floats_of(state, prefix + "weights." + std::to_string(l), {y.in, y.out});
        const auto b = floats_of(state, prefix + "bias." + std::to_string(l), {y.out});
        for (int k = 0; k < y.in; ++k)
            for (int j = 0; j < y.out; ++j) arena.get()[weight_at(y, k, j)] = w.at(k, j);
        std::copy_n(b.data(), y.out, arena.get() + y.bias);
    }
    return arena;
}

py::dict export_state(Engine &e, int64_t id) {
    const auto hold = e.lock();
    const Member &m = e.member(id);
    const Counters &c = m.counters;
    const Record &r = m.record;
    const int64_t counters[] = {c.step, c.epoch, c.position, c.rows, c.inputs, c.best_step, c.diverged};
    const double scores[] = {r.loss, r.error, r.best_loss, r.best_error, r.train_loss, r.epoch_loss};
    py::dict state;
    state["counters"] = LongArray(7, counters);
    state["scores"] = DoubleArray(6, scores);
    export_arena(state, "", m.layout, m.weights.get());
    if (m.m) export_arena(state, "m.", m.layout, m.m.get());
    if (m.v) export_arena(state, "v.", m.layout, m.v.get());
    if (c.best_step >= 0) export_arena(state, "best.", m.layout, m.best.get());
    return state;
}

void import_state(Engine &e, int64_t id, const py::dict &state) {
    const auto hold = e.lock();
    Member &m = e.member(id);
    if (!state.contains("counters") || !state.contains("scores")) refuse("`state` must hold 'counters' and 'scores'.");
    const auto c = LongArray::ensure(state["counters"]);
    const auto s = DoubleArray::ensure(state["scores"]);
    if (!c || c.size() != 7 || !s || s.size() != 6) refuse("`state` must hold 7 'counters' and 6 'scores'.");
    const int64_t *n = c.data();
    const double *d = s.data();
    for (int i = 0; i < 5; ++i)
        if (n[i] < 0) refuse("`state` has a negative counter.");
    if (n[4] > e.n_inputs()) refuse("`state` has more active inputs than the data has columns.");
    Floats w = import_arena(state, "", m.layout), first, second, best;  // all read before anything is overwritten
    if (m.m) first = import_arena(state, "m.", m.layout);
    if (m.v) second = import_arena(state, "v.", m.layout);
    if (n[5] >= 0) best = import_arena(state, "best.", m.layout);
    m.weights = std::move(w);
    m.m = std::move(first);
    m.v = std::move(second);
    m.best = std::move(best);
    m.counters = {n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
    m.record = {d[0], d[1], d[2], d[3], d[4], d[5]};
}

py::tuple progress(Engine &e, const std::vector<int64_t> &members) {
    const auto hold = e.lock();
    const auto n = static_cast<py::ssize_t>(members.size());
    LongArray counters({n, py::ssize_t{4}});
    DoubleArray scores({n, py::ssize_t{5}});
    auto c = counters.mutable_unchecked<2>();
    auto s = scores.mutable_unchecked<2>();
    for (py::ssize_t i = 0; i < n; ++i) {
        const Member &m = e.member(members[static_cast<size_t>(i)]);
        c(i, 0) = m.counters.step, c(i, 1) = m.counters.epoch, c(i, 2) = m.counters.best_step, c(i, 3) = m.counters.diverged;
        const Record &r = m.record;
        s(i, 0) = r.loss, s(i, 1) = r.error, s(i, 2) = r.best_loss, s(i, 3) = r.best_error, s(i, 4) = r.train_loss;
    }
    return py::make_tuple(counters, scores);
}

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

py::tuple scores(const std::vector<Scores> &found) {
    DoubleArray loss(static_cast<py::ssize_t>(found.size())), error(static_cast<py::ssize_t>(found.size()));
    for (size_t i = 0; i < found.size(); ++i) {
        loss.mutable_at(static_cast<py::ssize_t>(i)) = found[i].loss;
        error.mutable_at(static_cast<py::ssize_t>(i)) = found[i].error;
    }
    return py::make_tuple(loss, error);
}

py::tuple evaluate(Engine &e, const std::vector<int64_t> &members, const FloatArray &x, const py::array &y,
                   const py::object &weight, bool best) {
    const Dataset data = dataset(x, y, weight, e.loss(), e.n_inputs(), e.n_outputs());
    std::vector<Scores> found;
    {
        const Release released;
        found = e.evaluate(members, data, best);
    }
    return scores(found);
}

FloatArray predict(Engine &e, int64_t id, const FloatArray &x, bool best) {
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
    std::vector<ThreadScratch> scratch(static_cast<size_t>(threads));
    bool finite = true;
    {
        const Release released;
        finite = predict_rows(layout, static_cast<Activation>(activation), n_inputs, arena.get(), from, n, n_inputs, n_outputs,
                              to, scratch);
    }
    if (!finite) refuse(kNotFinite);
    return out;
}

std::unique_ptr<Engine> make_engine(const FloatArray &x, const py::array &y, const py::object &weight,
                                    const py::object &validation, int loss, int n_outputs, int threads, bool bf16) {
    if (loss < 0 || loss > 2 || n_outputs < 1 || threads < 1) refuse("`loss`, `n_outputs` or `threads` is out of range.");
    if (x.ndim() != 2 || x.shape(0) < 1 || x.shape(1) < 1 || x.shape(1) > (1 << 24))
        refuse("`x` must have shape (n_rows, n_inputs), both >= 1.");
    const auto kind = static_cast<Loss>(loss);
    if (kind == Loss::logistic && n_outputs != 1) refuse("`n_outputs` must be 1 for the loss logistic.");
    const auto n_inputs = static_cast<int>(x.shape(1));
    Dataset train = dataset(x, y, weight, kind, n_inputs, n_outputs);
    std::optional<Dataset> judged;
    if (!validation.is_none()) {
        const auto v = validation.cast<py::tuple>();
        const auto vx = v[0].cast<FloatArray>();
        if (vx.ndim() != 2 || vx.shape(0) < 1) refuse("The validation split must have at least one row.");
        judged = dataset(vx, v[1].cast<py::array>(), v[2], kind, n_inputs, n_outputs);
    }
    return std::make_unique<Engine>(std::move(train), std::move(judged), kind, n_inputs, n_outputs, threads,
                                    bf16 ? Precision::bf16 : Precision::float32);
}

}  // namespace

void register_engine(py::module_ &m) {
    py::class_<Engine>(m, "Engine")
        .def(py::init(&make_engine), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"), py::arg("validation"),
             py::arg("loss"), py::arg("n_outputs"), py::arg("threads"), py::arg("bf16"))
        .def("add", [](Engine &e, const std::vector<int> &widths, const std::array<int, 6> &codes,
                       const std::array<double, 11> &numbers, uint64_t seed,
                       int64_t total_steps) { return e.add(architecture(widths, codes, numbers), seed, total_steps); })
        .def("train", &train)
        .def("progress", &progress)
        .def("evaluate", &evaluate, py::arg("members"), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"),
             py::arg("best"))
        .def("predict", &predict, py::arg("member"), py::arg("x").noconvert(), py::arg("best"))
        .def("forget_best", &Engine::forget_best)
        .def("release", &Engine::release)
        .def("export_state", &export_state)
        .def("import_state", &import_state)
        .def("bytes_per_member", [](Engine &e, const std::vector<int> &widths, const std::array<int, 6> &codes,
                                    const std::array<double, 11> &numbers) {
            return Engine::bytes_per_member(architecture(widths, codes, numbers), e.n_inputs(), e.n_outputs());
        });
    m.def("forward", &forward, py::arg("activation"), py::arg("layers"), py::arg("x").noconvert(), py::arg("threads"));
}

}  // namespace hyperband
