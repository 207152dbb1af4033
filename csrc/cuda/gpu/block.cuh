// A block of threads of a GPU, for the code in cuda/block: a phase is a function of the thread and a barrier.
#pragma once

#include <type_traits>

#include "cuda/block/memory.hpp"
#include "cuda/gpu/warp.cuh"

namespace hyperband::cuda {

// All of a block's shared memory that a launch asks for. A SharedMemory is an offset into it, never a pointer, so that
// the compiler knows which memory it is.
extern __shared__ __align__(16) unsigned char shared_memory[];

// N consecutive numbers by one instruction: the compiler does not put single loads together.
template <int N> struct Wide;
template <> struct Wide<1> {
    using Type = float;
    static __device__ __forceinline__ Registers<1> some(float v) { return {{v}}; }
    static __device__ __forceinline__ float wide(const Registers<1> &x) { return x[0]; }
};
template <> struct Wide<2> {
    using Type = float2;
    static __device__ __forceinline__ Registers<2> some(float2 v) { return {{v.x, v.y}}; }
    static __device__ __forceinline__ float2 wide(const Registers<2> &x) { return {x[0], x[1]}; }
};
template <> struct Wide<4> {
    using Type = float4;
    static __device__ __forceinline__ Registers<4> some(float4 v) { return {{v.x, v.y, v.z, v.w}}; }
    static __device__ __forceinline__ float4 wide(const Registers<4> &x) { return {x[0], x[1], x[2], x[3]}; }
};

template <class T> struct SharedMemory {
    using Index = int;
    int word;  // of four bytes

    __device__ __forceinline__ T *at(int i) const {
        return reinterpret_cast<T *>(shared_memory + word * 4 + i * static_cast<int>(sizeof(T)));
    }
    __device__ __forceinline__ T load(int i) const { return *at(i); }
    __device__ __forceinline__ void store(int i, T x) const { *at(i) = x; }
    template <int N> __device__ __forceinline__ Registers<N> load(int i) const {
        return Wide<N>::some(*reinterpret_cast<const typename Wide<N>::Type *>(at(i)));
    }
    template <int N> __device__ __forceinline__ void store(int i, const Registers<N> &x) const {
        *reinterpret_cast<typename Wide<N>::Type *>(at(i)) = Wide<N>::wide(x);
    }
    __device__ __forceinline__ SharedMemory operator+(int64_t n) const {
        return {word + static_cast<int>(n) * static_cast<int>(sizeof(T) / 4)};
    }
};

// T const: not written during the launch, so that loads may use the read-only cache. I: an arena has fewer than 2^31
// numbers, a data set may have more.
template <class T, class I = int> struct GlobalMemory {
    using Index = I;
    using Number = std::remove_const_t<T>;
    T *base;

    __device__ __forceinline__ T *at(Index i) const {
        __builtin_assume(__isGlobal(base));
        return base + i;
    }
    __device__ __forceinline__ Number load(Index i) const {
        if constexpr (std::is_const_v<T>)
            return __ldg(at(i));
        else
            return *at(i);
    }
    __device__ __forceinline__ void store(Index i, Number x) const { *at(i) = x; }
    template <int N> __device__ __forceinline__ Registers<N> load(Index i) const {
        const auto *const from = reinterpret_cast<const typename Wide<N>::Type *>(at(i));
        if constexpr (std::is_const_v<T>)
            return Wide<N>::some(__ldg(from));
        else
            return Wide<N>::some(*from);
    }
    template <int N> __device__ __forceinline__ void store(Index i, const Registers<N> &x) const {
        *reinterpret_cast<typename Wide<N>::Type *>(at(i)) = Wide<N>::wide(x);
    }
    __device__ __forceinline__ GlobalMemory operator+(int64_t n) const { return {base + n}; }
};

// Shared or global memory, by generic loads.
struct EitherMemory {
    using Index = int;
    const float *base;

    __device__ __forceinline__ float load(int i) const { return base[i]; }
    template <int N> __device__ __forceinline__ Registers<N> load(int i) const {
        return Wide<N>::some(*reinterpret_cast<const typename Wide<N>::Type *>(base + i));
    }
};

// Memory of the block's JobSlot, see kernels.cuh.
template <class T> struct OwnMemory {
    T *base;
    __device__ __forceinline__ T load(int i) const { return base[i]; }
    __device__ __forceinline__ void store(int i, const T &x) const { base[i] = x; }
};

__device__ __forceinline__ uint64_t nanoseconds() {
    uint64_t t;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
    return t;
}

class GpuBlock {
  public:
    template <class T> using Shared = SharedMemory<T>;
    template <class T> using Global = GlobalMemory<T>;
    using Warp = GpuWarp;

    // global: this block's part of global memory; deadline: nanoseconds of the device's timer.
    __device__ __forceinline__ GpuBlock(float *global, uint64_t deadline) : global_(global), deadline_(deadline) {}

    __device__ __forceinline__ int threads() const { return static_cast<int>(blockDim.x); }
    template <class F> __device__ __forceinline__ void phase(const F &f) const {
        f(static_cast<int>(threadIdx.x));
        __syncthreads();
    }
    template <class M> __device__ __forceinline__ auto uniform(const M &memory, int i) const { return memory.load(i); }
    template <class T> __device__ __forceinline__ Shared<T> shared(int word) const { return {word}; }
    __device__ __forceinline__ Global<float> global(int64_t word) const { return {global_ + word}; }
    template <class T> __device__ __forceinline__ Global<T> arena(T *at) const { return {at}; }
    __device__ __forceinline__ EitherMemory either(Shared<float> memory) const { return {memory.at(0)}; }
    __device__ __forceinline__ EitherMemory either(Global<float> memory) const { return {memory.base}; }
    template <class T> __device__ __forceinline__ OwnMemory<T> own(T *at) const { return {at}; }
    template <class T> __device__ __forceinline__ GlobalMemory<const T, int64_t> read_only(const T *at) const { return {at}; }
    __device__ __forceinline__ bool late() const { return nanoseconds() >= deadline_; }

  private:
    float *global_;
    uint64_t deadline_;
};

}  // namespace hyperband::cuda
