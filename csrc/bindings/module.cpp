// hyperband._core: one register function per concept.
#include <pybind11/pybind11.h>

namespace hyperband {
void register_cuda(pybind11::module_ &);
void register_engine(pybind11::module_ &);
void register_kernels(pybind11::module_ &);
void register_async_rungs(pybind11::module_ &);
void register_rungs(pybind11::module_ &);
}  // namespace hyperband

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    m.doc() = "Batched kernels and rung bookkeeping; use the Python package, not this module.";
    hyperband::register_cuda(m);
    hyperband::register_engine(m);
    hyperband::register_kernels(m);
    hyperband::register_async_rungs(m);
    hyperband::register_rungs(m);
}
