// Aligned float buffers.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace hyperband {

// Owns n floats (or 4-byte integers), aligned to 64 bytes, zeroed; throws std::bad_alloc.
class Floats {
  public:
    Floats() = default;
    explicit Floats(size_t n) : size_(n) {
        if (n == 0) return;
        data_.reset(static_cast<float *>(::operator new(n * sizeof(float), std::align_val_t{64})));
        std::memset(data_.get(), 0, n * sizeof(float));
    }
    float *get() const { return data_.get(); }
    size_t size() const { return size_; }
    explicit operator bool() const { return data_ != nullptr; }
    void reset() { *this = Floats(); }

  private:
    struct Free {
        void operator()(float *p) const { ::operator delete(p, std::align_val_t{64}); }
    };
    std::unique_ptr<float, Free> data_;
    size_t size_ = 0;
};

// Hands out pieces of a buffer from its start on, each aligned to 64 bytes. Base null: pieces are null and only counted.
struct Taker {
    float *base;
    size_t at = 0;  // floats handed out
    float *operator()(size_t n) {
        float *p = base == nullptr ? nullptr : base + at;
        at += (n + 15) / 16 * 16;
        return p;
    }
};

}  // namespace hyperband
