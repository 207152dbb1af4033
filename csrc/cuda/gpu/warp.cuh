// A warp's fragments for block/tensor.hpp: mma.sync of 16 by 8 sums, over 8 numbers of tf32 or 16 of bf16.
//
// Lane 4 g + t holds, of the sums, rows g and g + 8 at columns 2 t and 2 t + 1. The hardware counts the k of a step in its own
// way, but as both factors are counted alike, any order will do: with kPairs a lane takes k = 2 t and 2 t + 1, which spreads
// factors with a large stride along k over all banks; without it t and t + 4, for consecutive factors.
#pragma once

#include "core/precision.hpp"
#include "cuda/block/memory.hpp"

namespace hyperband::cuda {

class GpuWarp {
  public:
    __device__ __forceinline__ GpuWarp(int tid, int threads)
        : number_(tid / 32), count_(threads / 32), g_(tid % 32 / 4), t_(tid % 4) {}

    template <class Visit> __device__ __forceinline__ void deal(int n, const Visit &visit) const {
        for (int i = number_; i < n; i += count_) {
            __syncwarp();
            visit(i);
        }
    }

    // Offsets of the lane's own factors at k = 0.
    template <class I> struct LeftOffsets {
        I at[2];
        template <class Offset> __device__ __forceinline__ void set(const GpuWarp &w, const Offset &offset) {
            at[0] = offset(w.g_), at[1] = offset(w.g_ + 8);
        }
    };
    template <class I> struct RightOffsets {
        I at;
        template <class Offset> __device__ __forceinline__ void set(const GpuWarp &w, const Offset &offset) {
            at = offset(w.g_);
        }
    };
    template <Precision P> struct Left;
    template <Precision P> struct Right;

    // The lane's k of a step: of tf32 two; of bf16 two pairs, of which these are the first.
    template <Precision P, bool kPairs> __device__ __forceinline__ int first_k() const {
        return P == Precision::bf16 || kPairs ? 2 * t_ : t_;
    }
    template <Precision P, bool kPairs> __device__ __forceinline__ int second_k() const {
        return P == Precision::bf16 ? 2 * t_ + 8 : kPairs ? 2 * t_ + 1 : t_ + 4;
    }

    struct Sums {
        float c[4];
        template <class Start> __device__ __forceinline__ void begin(const GpuWarp &w, const Start &start) {
            c[0] = c[2] = start(2 * w.t_);
            c[1] = c[3] = start(2 * w.t_ + 1);
        }
        __device__ __forceinline__ void add(const Left<Precision::tf32> &a, const Right<Precision::tf32> &b);
        __device__ __forceinline__ void add(const Left<Precision::bf16> &a, const Right<Precision::bf16> &b);
        template <class Visit> __device__ __forceinline__ void visit(const GpuWarp &w, const Visit &visit) const {
            visit(w.g_, 2 * w.t_, c[0], c[1]);
            visit(w.g_ + 8, 2 * w.t_, c[2], c[3]);
        }
    };

  private:
    int number_, count_, g_, t_;
};

// To the nearest, ties away from zero; NaN stays NaN.
__device__ __forceinline__ uint32_t tf32(float x) {
    uint32_t r = 0;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
#endif
    return r;
}
// The first one in the lower half; ties to even.
__device__ __forceinline__ uint32_t bf16_pair(float first, float second) {
    uint32_t r = 0;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(second), "f"(first));
#endif
    return r;
}

// Number k of a factor; 0 beyond the sum's end.
template <bool kBounded, class F, class I> __device__ __forceinline__ float factor(const F &f, I at, int k, int depth) {
    if (kBounded && k >= depth) return 0.0f;
    return f.memory.load(at + static_cast<I>(k) * f.along);
}

template <> struct GpuWarp::Left<Precision::tf32> {
    uint32_t a[4];
    template <bool kPairs, bool kBounded, class F, class I>
    __device__ __forceinline__ void load(const GpuWarp &w, const F &f, const LeftOffsets<I> &p, int k, int depth) {
        const int one = k + w.first_k<Precision::tf32, kPairs>(), two = k + w.second_k<Precision::tf32, kPairs>();
        HB_UNROLL
        for (int i = 0; i < 2; ++i) {
            a[i] = tf32(factor<kBounded>(f, p.at[i], one, depth));
            a[i + 2] = tf32(factor<kBounded>(f, p.at[i], two, depth));
        }
    }
};
template <> struct GpuWarp::Right<Precision::tf32> {
    uint32_t b[2];
    template <bool kPairs, bool kBounded, class F, class I>
    __device__ __forceinline__ void load(const GpuWarp &w, const F &f, const RightOffsets<I> &p, int k, int depth) {
        b[0] = tf32(factor<kBounded>(f, p.at, k + w.first_k<Precision::tf32, kPairs>(), depth));
        b[1] = tf32(factor<kBounded>(f, p.at, k + w.second_k<Precision::tf32, kPairs>(), depth));
    }
};
template <bool kBounded, class F, class I> __device__ __forceinline__ uint32_t factor_pair(const F &f, I at, int k, int depth) {
    return bf16_pair(factor<kBounded>(f, at, k, depth), factor<kBounded>(f, at, k + 1, depth));
}
template <> struct GpuWarp::Left<Precision::bf16> {
    uint32_t a[4];
    template <bool kPairs, bool kBounded, class F, class I>
    __device__ __forceinline__ void load(const GpuWarp &w, const F &f, const LeftOffsets<I> &p, int k, int depth) {
        const int one = k + w.first_k<Precision::bf16, kPairs>(), two = k + w.second_k<Precision::bf16, kPairs>();
        HB_UNROLL
        for (int i = 0; i < 2; ++i) {
            a[i] = factor_pair<kBounded>(f, p.at[i], one, depth);
            a[i + 2] = factor_pair<kBounded>(f, p.at[i], two, depth);
        }
    }
};
template <> struct GpuWarp::Right<Precision::bf16> {
    uint32_t b[2];
    template <bool kPairs, bool kBounded, class F, class I>
    __device__ __forceinline__ void load(const GpuWarp &w, const F &f, const RightOffsets<I> &p, int k, int depth) {
        b[0] = factor_pair<kBounded>(f, p.at, k + w.first_k<Precision::bf16, kPairs>(), depth);
        b[1] = factor_pair<kBounded>(f, p.at, k + w.second_k<Precision::bf16, kPairs>(), depth);
    }
};

__device__ __forceinline__ void GpuWarp::Sums::add(const Left<Precision::tf32> &a, const Right<Precision::tf32> &b) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a.a[0]), "r"(a.a[1]), "r"(a.a[2]), "r"(a.a[3]), "r"(b.b[0]), "r"(b.b[1]));
#endif
}
__device__ __forceinline__ void GpuWarp::Sums::add(const Left<Precision::bf16> &a, const Right<Precision::bf16> &b) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a.a[0]), "r"(a.a[1]), "r"(a.a[2]), "r"(a.a[3]), "r"(b.b[0]), "r"(b.b[1]));
#endif
}

}  // namespace hyperband::cuda
