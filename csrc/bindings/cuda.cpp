// The engine on a GPU, and on a host that stands in for one, for Python.
#include "cuda/engine.hpp"

#include "bindings/dlpack.hpp"
#include "bindings/members.hpp"
#include "cuda/host_device.hpp"
#if HYPERBAND_CUDA
#include "cuda/gpu/device.hpp"
#endif

namespace hyperband {
namespace {

using cuda::Device;
using CudaEngine = cuda::Engine;

std::shared_ptr<Device> host_device(int threads, const std::string &order, bool watched, int64_t missing_barrier,
                                    int64_t shared_bytes, int64_t total_bytes, int size_class) {
    if (threads < 1 || threads > 1024) refuse("`threads` must be from 1 to 1024; got " + std::to_string(threads) + ".");
    if (size_class >= cuda::kSizeClasses) refuse("`size_class` must be below 4; got " + std::to_string(size_class) + ".");
    cuda::HostDeviceOptions o;
    o.threads = threads;
    o.watched = watched;
    o.missing_barrier = missing_barrier;
    o.shared_bytes = shared_bytes;
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

// How many GPUs there are, why there is none, and how the code for them was built ("": it was not).
py::tuple gpus() {
#if HYPERBAND_CUDA
    const cuda::Gpus found = cuda::find_gpus();
    return py::make_tuple(found.count, found.reason, cuda::cuda_build());
#else
    return py::make_tuple(0, "this build has no CUDA code", "");
#endif
}

std::shared_ptr<Device> gpu([[maybe_unused]] int number, [[maybe_unused]] int threads) {
    if (threads != 64 && threads != 128 && threads != 256)
        refuse("`threads` must be 64, 128 or 256; got " + std::to_string(threads) + ".");
#if HYPERBAND_CUDA
    const Release released;
    return cuda::open_gpu(number, threads);
#else
    throw cuda::DeviceError("this build has no CUDA code.");
#endif
}

py::dict memory_plan(CudaEngine &e, int64_t member) {
    const cuda::MemoryPlan p = e.memory_plan(member);
    constexpr const char *kNames[cuda::kSizeClasses] = {"S", "M", "L", "XL"};
    py::dict r;
    r["size_class"] = kNames[static_cast<int>(p.size_class)], r["threads"] = p.threads, r["rows"] = p.part;
    r["shared_bytes"] = p.shared_size * 4, r["global_bytes"] = p.global_size * 4;
    return r;
}

void predict_on_device(CudaEngine &e, int64_t id, const py::tuple &x, bool best, uintptr_t out) {
    const Matrix rows(x);
    if (rows.columns != e.n_inputs()) refuse("`x` must have shape (n_rows, " + std::to_string(e.n_inputs()) + ").");
    if (rows.n > std::numeric_limits<int32_t>::max()) refuse("`x` must have fewer than 2**31 rows.");
    bool finite = true;
    {
        const Release released;
        finite = e.predict_on_device(id, rows.x, static_cast<size_t>(rows.n), best, reinterpret_cast<float *>(out));
    }
    if (!finite) refuse(kNotFinite);
}

// Bytes of a device's memory.
py::array_t<uint8_t> download(Device &d, uintptr_t from, size_t bytes) {
    py::array_t<uint8_t> to(static_cast<py::ssize_t>(bytes));
    void *const at = to.mutable_data();
    const Release released;
    d.download(at, reinterpret_cast<const void *>(from), bytes);
    return to;
}

bool all_finite(Device &d, uintptr_t x, size_t n) {
    const Release released;
    return d.all_finite(reinterpret_cast<const float *>(x), n);
}

int whose(const Device &d, uintptr_t memory) { return d.whose(reinterpret_cast<const void *>(memory)); }

// Functions about arrays of other libraries.
template <class Class> void bind_memory(Class &c) {
    c.def("whose", &whose, "The number of the device whose memory an address is in; -1 for other memory.")
        .def("wait_for", &Device::wait_for, py::call_guard<Release>(), "Waits for the work on another library's stream.")
        .def("all_finite", &all_finite, "Whether the float32 numbers at an address are finite.")
        .def("download", &download, "Bytes at an address.");
}

}  // namespace

void register_cuda(py::module_ &m) {
    const auto error = py::register_exception<cuda::DeviceError>(m, "DeviceError", PyExc_RuntimeError);
    py::register_exception<cuda::DeviceFull>(m, "DeviceFull", error.ptr());
    auto device = py::class_<Device, std::shared_ptr<Device>>(m, "Device");
    device.def("free_bytes", &Device::free_bytes).def("facts", [](const Device &d) {
        const cuda::DeviceFacts f = d.facts();
        py::dict r;
        r["name"] = f.name, r["threads"] = f.threads, r["shared_bytes"] = f.shared_bytes;
        r["total_bytes"] = f.total_bytes, r["processors"] = f.processors, r["capability"] = f.capability;
        r["number"] = f.number;
        return r;
    });
    bind_memory(device);
    m.def("dlpack", &dlpack::open, py::arg("capsule"),
          "(owner, address, shape, strides or None, (code, bits, lanes), (device type, number)) of a DLPack capsule.");
    m.def("gpus", &gpus, "(number of GPUs, why there is none, CUDA version and architectures of the build or \"\").");
    m.def("gpu", &gpu, py::arg("number"), py::arg("threads") = 256,
          "The GPU of that number; DeviceError with the reason when it cannot be used.");
    m.def("host_device", &host_device, py::arg("threads") = 32, py::arg("order") = "forward", py::arg("watched") = false,
          py::arg("missing_barrier") = -1, py::arg("shared_bytes") = 227 << 10, py::arg("total_bytes") = 1 << 30,
          py::arg("size_class") = -1);
    bind_engine<CudaEngine, std::shared_ptr<Device>, size_t>(m, "CudaEngine", "device", "limit")
        .def("memory_plan", &memory_plan,
             "How a block trains a member: size class, threads, rows at a time, bytes of shared and of global memory.")
        .def("capacity", &CudaEngine::capacity, "Bytes that members may take on the device.")
        .def("predict_on_device", &predict_on_device, "`predict` from an address to another.");
}

}  // namespace hyperband
