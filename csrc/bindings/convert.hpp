// Python's arrays as the engines' plain values: every shape, type and label is checked here.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <iterator>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "core/problem.hpp"

namespace py = pybind11;

namespace hyperband {

using FloatArray = py::array_t<float, py::array::c_style>;
using DoubleArray = py::array_t<double, py::array::c_style>;
using LongArray = py::array_t<int64_t, py::array::c_style>;
using Release = py::gil_scoped_release;

[[noreturn]] inline void refuse(const std::string &message) { throw std::invalid_argument(message); }

constexpr char kNotFinite[] = "x must be finite; got NaN or infinity. Impute or drop those rows.";

struct Targets {
    const int32_t *label = nullptr;
    const float *target = nullptr;
};

// y as the loss needs it; every label is checked, because the kernels index by it.
inline Targets targets(const py::array &y, py::ssize_t n, Loss loss, int n_outputs) {
    Targets t;
    if (loss.regression()) {
        if (!py::isinstance<FloatArray>(y) || y.ndim() != 2 || y.shape(0) != n || y.shape(1) != n_outputs)
            refuse("`y` must be a float32 array of shape (n_rows, n_outputs) for a regression.");
        t.target = static_cast<const float *>(y.data());
        return t;
    }
    using IntArray = py::array_t<int32_t, py::array::c_style>;
    if (!py::isinstance<IntArray>(y) || y.ndim() != 1 || y.shape(0) != n)
        refuse("`y` must be an int32 array of shape (n_rows,) for a classification loss.");
    t.label = static_cast<const int32_t *>(y.data());
    const int classes = loss.kind == LossKind::logistic ? 2 : n_outputs;
    for (py::ssize_t i = 0; i < n; ++i)
        if (t.label[i] < 0 || t.label[i] >= classes)
            refuse("`y` must hold class numbers from 0 to " + std::to_string(classes - 1) + "; got " +
                   std::to_string(t.label[i]) + ".");
    return t;
}

// Rows of numbers on the host or, for engines that take it, C-contiguous on a device: (address, n_rows, n_columns). The caller
// keeps them alive.
struct Matrix {
    const float *x;
    py::ssize_t n, columns;  // 0 if it is no matrix
    bool on_device;

    Matrix(const FloatArray &a)
        : x(a.data()), n(a.ndim() == 2 ? a.shape(0) : 0), columns(a.ndim() == 2 ? a.shape(1) : 0), on_device(false) {}
    Matrix(const py::tuple &a) : on_device(true) {
        const auto [address, rows, width] = a.cast<std::tuple<uintptr_t, py::ssize_t, py::ssize_t>>();
        x = reinterpret_cast<const float *>(address), n = rows, columns = width;
    }
};

// The arrays' numbers, which the caller keeps alive, checked.
inline Table table(const Matrix &x, const py::array &y, const py::object &weight, Loss loss, int n_inputs, int n_outputs) {
    if (x.columns != n_inputs) refuse("`x` must have shape (n_rows, " + std::to_string(n_inputs) + ").");
    if (x.n > std::numeric_limits<int32_t>::max()) refuse("`x` must have fewer than 2**31 rows.");
    const Targets t = targets(y, x.n, loss, n_outputs);
    const float *w = nullptr;
    if (!weight.is_none()) {
        if (!py::isinstance<FloatArray>(weight)) refuse("`weight` must be a float32 array.");
        const auto given = weight.cast<FloatArray>();  // the same array: it is of that type
        if (given.ndim() != 1 || given.shape(0) != x.n) refuse("`weight` must have shape (n_rows,).");
        w = given.data();
    }
    return {x.x, static_cast<size_t>(x.n), t.label, t.target, w, x.on_device};
}

// Architectures as an array of records whose fields are those of the struct, by name: see architecture_dtype().
using ArchitectureArray = py::array_t<Architecture, py::array::c_style>;

inline void check_code(int code, size_t count, const char *field) {
    if (code < 0 || code >= static_cast<int>(count))
        refuse(std::string("`") + field + "` is out of range. Use hyperband.engine.backends.compiled.packed.");
}

// Copies, checked: the kernels index by these numbers.
inline std::vector<Architecture> architectures(const ArchitectureArray &records) {
    const std::vector<Architecture> r(records.data(), records.data() + records.size());
    for (const Architecture &a : r) {
        if (a.n_hidden < 0 || a.n_hidden > kMaxHidden) refuse("`widths` must list at most 8 hidden layers.");
        for (int l = 0; l < a.n_hidden; ++l)
            if (a.widths[l] < 1 || a.widths[l] > kMaxWidth)
                refuse("`widths` must be from 1 to 1024; got " + std::to_string(a.widths[l]) + ".");
        if (a.batch_size < 1 || a.batch_size > kMaxBatch)
            refuse("`batch_size` must be from 1 to 4096; got " + std::to_string(a.batch_size) + ".");
        check_code(static_cast<int>(a.activation), std::size(kActivations), "activation");
        check_code(static_cast<int>(a.optimizer), std::size(kOptimizers), "optimizer");
        check_code(static_cast<int>(a.schedule), std::size(kSchedules), "schedule");
        check_code(static_cast<int>(a.init), std::size(kInits), "init");
        check_code(static_cast<int>(a.number_embedding), std::size(kNumberEmbeddings), "number_embedding");
        if (a.embedding_size < 2 || a.embedding_size > kMaxEmbeddingSize)
            refuse("`embedding_size` must be from 2 to 32; got " + std::to_string(a.embedding_size) + ".");
        if (a.embedding_frequencies < 1 || a.embedding_frequencies > kMaxFrequencies)
            refuse("`embedding_frequencies` must be from 1 to 64; got " + std::to_string(a.embedding_frequencies) + ".");
        check_code(static_cast<int>(a.dropout_schedule), std::size(kFactorSchedules), "dropout_schedule");
        check_code(static_cast<int>(a.decay_schedule), std::size(kFactorSchedules), "decay_schedule");
    }
    return r;
}

inline Architecture architecture(const ArchitectureArray &record) {
    if (record.size() != 1) refuse("`record` must hold one architecture.");
    return architectures(record).front();
}

// What an engine is made from, checked. The arrays must outlive its constructor; numbers -1: all columns; `devices`: whether x
// may be on one.
inline Problem problem(const Matrix &x, const py::array &y, const py::object &weight, const py::object &validation,
                       const std::pair<int, float> &loss, int n_outputs, int numbers, bool devices) {
    const auto [kind, of_loss] = loss;
    if (kind < 0 || kind >= static_cast<int>(std::size(kLosses)) || n_outputs < 1)
        refuse("`loss` or `n_outputs` is out of range.");
    if (x.n < 1 || x.columns < 1 || x.columns > (1 << 24)) refuse("`x` must have shape (n_rows, n_inputs), both >= 1.");
    Problem p{{static_cast<LossKind>(kind), of_loss}, static_cast<int>(x.columns), n_outputs, numbers, {}, {}};
    if (numbers < 0) p.numbers = p.n_inputs;
    if (p.numbers > p.n_inputs) refuse("`numbers` must be at most the number of columns.");
    if (p.loss.kind == LossKind::logistic && n_outputs != 1) refuse("`n_outputs` must be 1 for the loss logistic.");
    p.train = table(x, y, weight, p.loss, p.n_inputs, n_outputs);
    if (!validation.is_none()) {
        const auto v = validation.cast<py::tuple>();
        const bool there = devices && py::isinstance<py::tuple>(v[0]);
        if (!there && !py::isinstance<FloatArray>(v[0])) refuse("`x` of the validation split must be a float32 array.");
        const Matrix vx = there ? Matrix(v[0].cast<py::tuple>()) : Matrix(v[0].cast<FloatArray>());  // the same array
        if (vx.n < 1) refuse("The validation split must have at least one row.");
        p.validation = table(vx, v[1].cast<py::array>(), v[2], p.loss, p.n_inputs, n_outputs);
    }
    return p;
}

}  // namespace hyperband
