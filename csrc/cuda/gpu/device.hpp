// GPUs as devices, free of CUDA's types.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda/device.hpp"

namespace hyperband::cuda {

struct Gpus {
    int count = 0;
    std::string reason;  // why there is none: no driver, an old one, no GPU
};
// Asks the driver in every call; never throws.
Gpus find_gpus();

// The GPU of that number, with blocks of at most so many threads: 64, 128 or 256; no bit depends on it. Throws DeviceError when
// it cannot be used.
std::shared_ptr<Device> open_gpu(int number, int threads);

// Of the build: CUDA's version and the architectures that it has code for.
std::string cuda_build();

}  // namespace hyperband::cuda
