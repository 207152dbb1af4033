// The engine on a GPU, and on a host that stands in for one, for Python.
#include "cuda/engine.hpp"

#include "bindings/members.hpp"
#include "cuda/host_device.hpp"

namespace hyperband {
namespace {

using cuda::Device;
using CudaEngine = cuda::Engine;

std::shared_ptr<Device> host_device(int threads, const std::string &order, bool watched, int64_t missing_barrier,
                                    int64_t near_bytes, int64_t total_bytes, int size_class) {
    if (threads < 1 || threads > 1024) refuse("`threads` must be from 1 to 1024; got " + std::to_string(threads) + ".");
    if (size_class >= cuda::kSizeClasses) refuse("`size_class` must be below 4; got " + std::to_string(size_class) + ".");
    cuda::HostDeviceOptions o;
    o.threads = threads;
    o.watched = watched;
    o.missing_barrier = missing_barrier;
    o.near_bytes = near_bytes;
    o.total_bytes = total_bytes;
    o.size_class = size_class;
    if (order == "reverse")
        o.order = cuda::Order::reverse;
    else if (order == "shuffled")
        o.order = cuda::Order::shuffled;
    else if (order != "forward")
        refuse("`order` must be forward, reverse or shuffled; got " + order + ".");
    return std::make_shared<cuda::HostDevice>(o);
}

std::unique_ptr<CudaEngine> make_engine(const std::shared_ptr<Device> &device, const FloatArray &x, const py::array &y,
                                        const py::object &weight, const py::object &validation, int loss, int n_outputs,
                                        size_t limit) {
    const Problem p = problem(x, y, weight, validation, loss, n_outputs);
    const Release released;
    return std::make_unique<CudaEngine>(device, p.train, p.judged(), p.loss, p.n_inputs, n_outputs, limit);
}

}  // namespace

void register_cuda(py::module_ &m) {
    py::register_exception<cuda::DeviceError>(m, "DeviceError", PyExc_RuntimeError);
    py::class_<Device, std::shared_ptr<Device>>(m, "Device")
        .def("free_bytes", &Device::free_bytes)
        .def("facts", [](const Device &d) {
            const cuda::DeviceFacts f = d.facts();
            py::dict r;
            r["name"] = f.name, r["threads"] = f.threads, r["near_bytes"] = f.near_bytes;
            r["total_bytes"] = f.total_bytes, r["blocks"] = f.blocks;
            return r;
        });
    m.def("host_device", &host_device, py::arg("threads") = 32, py::arg("order") = "forward", py::arg("watched") = false,
          py::arg("missing_barrier") = -1, py::arg("near_bytes") = 227 << 10, py::arg("total_bytes") = 1 << 30,
          py::arg("size_class") = -1);
    auto c = py::class_<CudaEngine>(m, "CudaEngine");
    c.def(py::init(&make_engine), py::arg("device"), py::arg("x").noconvert(), py::arg("y"), py::arg("weight"),
          py::arg("validation"), py::arg("loss"), py::arg("n_outputs"), py::arg("limit"))
        .def("add", [](CudaEngine &e,
                       const std::vector<std::tuple<std::vector<int>, std::array<int, 6>, std::array<double, 11>>> &records,
                       const std::vector<uint64_t> &seeds, const std::vector<int64_t> &total_steps) {
            if (seeds.size() != records.size() || total_steps.size() != records.size())
                refuse("`seeds` and `total_steps` must have one entry per member.");
            std::vector<Architecture> architectures;
            for (const auto &[widths, codes, numbers] : records) architectures.push_back(architecture(widths, codes, numbers));
            const Release released;
            return e.add(architectures, seeds, total_steps);
        });
    bind_members<CudaEngine>(c);
}

}  // namespace hyperband
