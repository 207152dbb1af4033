// The array in a DLPack capsule: https://dmlc.github.io/dlpack/latest/. The structures are its ABI.
#pragma once

#include <cstdint>
#include <string>

#include "bindings/convert.hpp"

namespace hyperband::dlpack {

struct Device {
    int32_t type, number;
};
struct Type {
    uint8_t code, bits;
    uint16_t lanes;
};
struct Tensor {
    void *data;
    Device device;
    int32_t n_dims;
    Type type;
    int64_t *shape, *strides;  // strides: in elements, or null when they are those of C
    uint64_t byte_offset;
};
struct Managed {
    Tensor tensor;
    void *context;
    void (*deleter)(Managed *);
};
struct Versioned {
    uint32_t major, minor;
    void *context;
    void (*deleter)(Versioned *);
    uint64_t flags;
    Tensor tensor;
};

// Takes the array out of the capsule, which is then used up; the owner releases the array when it is deleted.
template <class T> py::capsule taken(const py::object &capsule, const char *used) {
    auto *const managed = static_cast<T *>(PyCapsule_GetPointer(capsule.ptr(), PyCapsule_GetName(capsule.ptr())));
    if (managed == nullptr) throw py::error_already_set();
    py::capsule owner(managed, [](void *at) {
        auto *const whole = static_cast<T *>(at);
        if (whole->deleter != nullptr) whole->deleter(whole);
    });
    PyCapsule_SetName(capsule.ptr(), used);
    return owner;
}

// (owner, pointer, shape, strides in elements or None, (code, bits, lanes), (device type, device number)).
inline py::tuple open(const py::object &capsule) {
    const bool plain = PyCapsule_IsValid(capsule.ptr(), "dltensor") != 0;
    if (!plain && PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned") == 0)
        refuse("it must be a DLPack capsule that nobody has used yet.");
    if (!plain) {
        const auto *const v = static_cast<Versioned *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
        if (v->major != 1) refuse("it must be of DLPack version 1; got " + std::to_string(v->major) + ".");
    }
    const py::capsule owner =
        plain ? taken<Managed>(capsule, "used_dltensor") : taken<Versioned>(capsule, "used_dltensor_versioned");
    const Tensor &t = plain ? owner.get_pointer<Managed>()->tensor : owner.get_pointer<Versioned>()->tensor;
    py::tuple shape(t.n_dims);
    for (int32_t i = 0; i < t.n_dims; ++i) shape[static_cast<size_t>(i)] = t.shape[i];
    py::object strides = py::none();
    if (t.strides != nullptr) {
        py::tuple given(t.n_dims);
        for (int32_t i = 0; i < t.n_dims; ++i) given[static_cast<size_t>(i)] = t.strides[i];
        strides = given;
    }
    return py::make_tuple(owner, reinterpret_cast<uintptr_t>(t.data) + static_cast<uintptr_t>(t.byte_offset), shape, strides,
                          py::make_tuple(t.type.code, t.type.bits, t.type.lanes),
                          py::make_tuple(t.device.type, t.device.number));
}

}  // namespace hyperband::dlpack
