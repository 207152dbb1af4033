// Memory for members, out of a few large pieces: an allocation by the device takes longer than a training step.
#pragma once

#include <map>
#include <vector>

#include "cuda/device.hpp"

namespace hyperband::cuda {

class Pool {
  public:
    // limit: bytes of all pieces together.
    Pool(Device &device, size_t limit) : device_(device), limit_(limit) {}
    ~Pool();
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    // Null when the limit or the device does not allow it. Aligned to 256 bytes.
    char *allocate(size_t bytes);
    void release(char *memory) noexcept;
    size_t limit() const { return limit_; }
    void set_limit(size_t limit) { limit_ = limit; }

  private:
    struct Piece {
        char *base = nullptr;
        size_t size = 0;
        std::map<size_t, size_t> gaps;  // offset -> bytes, none next to another
        size_t used = 0;
    };
    char *take(Piece &piece, size_t bytes);

    Device &device_;
    size_t limit_, held_ = 0;
    std::vector<Piece> pieces_;
    std::map<char *, size_t> sizes_;  // of what was handed out
};

}  // namespace hyperband::cuda
