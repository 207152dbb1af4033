#include "core/rungs.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <stdexcept>

namespace py = pybind11;

namespace hyperband {

namespace {

template <typename T> using Column = py::array_t<T, py::array::c_style | py::array::forcecast>;

py::array_t<std::int64_t> top_k_arrays(const Column<double> &losses, const Column<std::int64_t> &trials, std::int64_t k) {
    if (losses.ndim() != 1 || trials.ndim() != 1 || losses.size() != trials.size()) {
        throw std::invalid_argument("`losses` and `trials` must be one-dimensional and of equal length.");
    }
    if (k < 0) throw std::invalid_argument("`k` must be at least 0.");
    std::vector<std::int64_t> survivors;
    {
        // Safe without the GIL: both arrays are held by this frame, and nothing below touches Python.
        const double *loss = losses.data();
        const std::int64_t *trial = trials.data();
        const auto n = static_cast<std::size_t>(losses.size());
        py::gil_scoped_release release;
        survivors = top_k(loss, trial, n, static_cast<std::size_t>(k));
    }
    py::array_t<std::int64_t> out(static_cast<py::ssize_t>(survivors.size()));
    std::copy(survivors.begin(), survivors.end(), out.mutable_data());
    return out;
}

}  // namespace

void register_rungs(py::module_ &module) {
    module.def("top_k", &top_k_arrays, py::arg("losses"), py::arg("trials"), py::arg("k"),
               "The trials with the k smallest finite losses, best first; ties by trial number.");
}

}  // namespace hyperband
