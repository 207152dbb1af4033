// Which instruction set is in use, and what tests and benchmarks ask of it.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <chrono>
#include <stdexcept>

#include "cpu/kernels.hpp"
#include "cpu/memory.hpp"

namespace py = pybind11;

namespace hyperband {
namespace {

using FloatArray = py::array_t<float, py::array::c_style>;

FloatArray elementwise(int function, const FloatArray &in) {
    const auto n = static_cast<size_t>(in.size());
    Floats from((n + kPanel - 1) / kPanel * kPanel), to(from.size());
    std::copy_n(in.data(), n, from.get());
    cpu::kernels().elementwise(function, from.get(), to.get(), static_cast<int>(from.size() / kPanel));
    FloatArray out(static_cast<py::ssize_t>(n));
    std::copy_n(to.get(), n, out.mutable_data());
    return out;
}

double fma_peak(double seconds) {
    using Clock = std::chrono::steady_clock;
    double best = 0.0;
    const auto start = Clock::now();
    while (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
        const auto t = Clock::now();
        const double flops = cpu::kernels().fma_flops(200000);
        best = std::max(best, flops / std::chrono::duration<double>(Clock::now() - t).count());
    }
    return best;
}

}  // namespace

void register_kernels(py::module_ &m) {
    m.def(
        "isa", [] { return py::make_tuple(cpu::kernels().name, cpu::kernels_reason()); },
        "(name, reason) of the instruction set in use; ValueError when HYPERBAND_ISA asks for what is not there.");
    m.def(
        "bf16", [] { return cpu::bf16_kernels().name; },
        "Name of the bfloat16 products in use; ValueError with the reason when this machine has none.");
    m.def("fma_peak", &fma_peak, py::arg("seconds") = 0.2, py::call_guard<py::gil_scoped_release>(),
          "Floating-point operations a second of independent multiply-adds on one thread, the best short run.");
    m.def("elementwise", &elementwise, py::arg("function"), py::arg("x").noconvert(),
          "0 exp, 1 log, 2 tanh, 3 sigmoid, 4 normal distribution, 5 square root, 6 cos(2 pi x), 7 sin(2 pi x); float32 (n,) "
          "-> (n,).");
}

}  // namespace hyperband
