// A warp's fragments on the host, for block/tensor.hpp: its first thread does the work of all.
#pragma once

#include <bit>
#include <cstdint>

#include "core/precision.hpp"
#include "core/scalar.hpp"

namespace hyperband::cuda {

// As a GPU rounds: tf32 to the nearest, ties away from zero; bf16 to the nearest, ties to even.
template <Precision P> float rounded(float x) {
    const auto u = std::bit_cast<uint32_t>(x);
    if (!(x - x == 0.0f)) return x;  // NaN and infinity are kept
    if constexpr (P == Precision::tf32) return std::bit_cast<float>((u + 0x1000u) & ~0x1fffu);
    return std::bit_cast<float>((u + 0x7fffu + (u >> 16 & 1u)) & 0xffff0000u);
}

class HostWarp {
  public:
    HostWarp(int tid, int threads) : number_(tid / 32), count_((threads + 31) / 32), first_(tid % 32 == 0) {}

    template <class Visit> void deal(int n, const Visit &visit) const {
        for (int i = number_; first_ && i < n; i += count_) visit(i);
    }

    template <class I, int kCount> struct Offsets {
        I at[kCount];
        template <class Offset> void set(const HostWarp &, const Offset &offset) {
            for (int i = 0; i < kCount; ++i) at[i] = offset(i);
        }
    };
    template <class I> using LeftOffsets = Offsets<I, 16>;
    template <class I> using RightOffsets = Offsets<I, 8>;

    template <Precision P> static constexpr int kSteps = P == Precision::tf32 ? 8 : 16;
    template <Precision P, int kCount> struct Fragment {
        float number[kCount][kSteps<P>];
        template <bool, bool, class F, class I>
        void load(const HostWarp &, const F &f, const Offsets<I, kCount> &p, int k, int depth) {
            for (int i = 0; i < kCount; ++i)
                for (int d = 0; d < kSteps<P>; ++d)
                    number[i][d] = k + d < depth ? rounded<P>(f.memory.load(p.at[i] + (k + d) * f.along)) : 0.0f;
        }
    };
    template <Precision P> using Left = Fragment<P, 16>;
    template <Precision P> using Right = Fragment<P, 8>;
    struct Sums {
        float c[16][8];
        template <class Start> void begin(const HostWarp &, const Start &start) {
            for (auto &row : c)
                for (int j = 0; j < 8; ++j) row[j] = start(j);
        }
        template <Precision P> void add(const Fragment<P, 16> &a, const Fragment<P, 8> &b) {
            for (int i = 0; i < 16; ++i)
                for (int k = 0; k < kSteps<P>; ++k)
                    for (int j = 0; j < 8; ++j) c[i][j] = fma(a.number[i][k], b.number[j][k], c[i][j]);
        }
        template <class Visit> void visit(const HostWarp &, const Visit &visit) const {
            for (int i = 0; i < 16; ++i)
                for (int j = 0; j < 8; j += 2) visit(i, j, c[i][j], c[i][j + 1]);
        }
    };

  private:
    int number_, count_;
    bool first_;
};

}  // namespace hyperband::cuda
