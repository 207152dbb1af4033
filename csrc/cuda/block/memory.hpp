// What a block of threads offers to the training code in this folder, which is compiled for GPUs and for the host.
//
// A block type B runs phases: phase(f) calls f(tid) for every thread, then all threads meet at a barrier. In one phase two
// threads may touch the same word only if both read it. Between phases every thread computes the same values; what it needs of
// memory there it reads with uniform(), which counts as a read by all threads in the phase that follows.
//
// B::Shared<T> and B::Global<T> are pointers into shared and global memory: load(i), store(i, x), load<N>(i) and
// store<N>(i, Registers<N>) for N consecutive numbers at a multiple of N, and + an offset. They come from
//   shared<T>(word), global(word)   the block's memory, by the offsets of a MemoryPlan
//   arena(pointer)                  an arena of a network
//   read_only(pointer)              a data set
//   own(pointer)                    the record of the block's own network
//   either(memory)                  the same memory by one type for shared and global memory
// B::Warp multiplies on tensor cores, see tensor.hpp.
#pragma once

#include <cstdint>

#include "core/math.hpp"
#include "cuda/network.hpp"

#if defined(__CUDACC__)
#define HB_BLOCK __device__ __forceinline__
#define HB_UNROLL_4 _Pragma("unroll 4")
#define HB_UNROLL_2 _Pragma("unroll 2")
#else
#define HB_BLOCK inline
#define HB_UNROLL_4
#define HB_UNROLL_2
#endif

namespace hyperband::cuda {

constexpr int kPiece = 4;  // rows that are loaded and stored together

// N numbers in registers: index them with constants or in unrolled loops.
template <int N> struct Registers {
    float number[N];
    HB_BLOCK float &operator[](int i) { return number[i]; }
    HB_BLOCK float operator[](int i) const { return number[i]; }
};

// Calls visit(i) for this thread's items of 0 .. n - 1.
template <class Visit> HB_BLOCK void deal(int tid, int threads, int n, const Visit &visit) {
    for (int i = tid; i < n; i += threads) visit(i);
}

// For each of this thread's items: put(i, fetch(i)), with kAhead fetches before the first put, so that their latencies overlap.
template <int kAhead, class T, class Fetch, class Put>
HB_BLOCK void deal_ahead(int tid, int threads, int n, const Fetch &fetch, const Put &put) {
    for (int first = tid; first < n; first += kAhead * threads) {
        T item[kAhead];
        HB_UNROLL
        for (int a = 0; a < kAhead; ++a) item[a] = fetch(first + a * threads < n ? first + a * threads : n - 1);
        HB_UNROLL
        for (int a = 0; a < kAhead; ++a)
            if (first + a * threads < n) put(first + a * threads, item[a]);
    }
}

}  // namespace hyperband::cuda
