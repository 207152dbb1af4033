// A block of threads on the host, for tests: phases are loops over the threads in some order, and shared memory begins as NaN.
// A watched block reports races: two threads that touch a word in one phase, one of them writing.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuda/block/memory.hpp"
#include "cuda/host_warp.hpp"

namespace hyperband::cuda {

enum class Order { forward, reverse, shuffled };

// Which threads touched each word of memory in the current phase.
class Watch {
  public:
    static constexpr int kEveryone = -1;
    void next_phase() { ++phase_; }
    void set_thread(int tid) { tid_ = tid; }
    void note(const void *at, size_t bytes, bool write) { note(at, bytes, write, tid_); }
    void note_by_all(const void *at, size_t bytes) { note(at, bytes, false, kEveryone); }
    int64_t phase() const { return phase_; }

  private:
    struct Touched {
        int64_t read = -1, written = -1;  // phases
        int reader = 0, writer = 0;
    };
    void note(const void *at, size_t bytes, bool write, int tid) {
        const auto first = reinterpret_cast<uintptr_t>(at) / 4, last = (reinterpret_cast<uintptr_t>(at) + bytes - 1) / 4;
        for (uintptr_t word = first; word <= last; ++word) {
            Touched &t = words_[word];
            const bool other_wrote = t.written == phase_ && t.writer != tid;
            const bool other_read = t.read == phase_ && t.reader != tid;
            if (other_wrote || (write && other_read))
                throw std::logic_error("race in phase " + std::to_string(phase_) + ": thread " + std::to_string(tid) +
                                       (write ? " writes" : " reads") + " what thread " +
                                       std::to_string(other_wrote ? t.writer : t.reader) + (other_wrote ? " wrote" : " read"));
            if (write) {
                t.written = phase_, t.writer = tid;
            } else {
                if (t.read == phase_ && t.reader != tid) tid = kEveryone;
                t.read = phase_, t.reader = tid;
            }
        }
    }
    int64_t phase_ = 0;
    int tid_ = 0;
    std::unordered_map<uintptr_t, Touched> words_;
};

// Memory of a block; kWatched: every access is noted.
template <class T, bool kWatched> struct HostMemory {
    using Index = int64_t;
    using Number = std::remove_const_t<T>;
    T *at;
    Watch *watch;

    Number load(Index i) const {
        if constexpr (kWatched) watch->note(at + i, sizeof(T), false);
        return at[i];
    }
    void store(Index i, Number x) const {
        if constexpr (kWatched) watch->note(at + i, sizeof(T), true);
        at[i] = x;
    }
    template <int N> Registers<N> load(Index i) const {
        check<N>(i);
        Registers<N> r;
        for (int n = 0; n < N; ++n) r[n] = load(i + n);
        return r;
    }
    template <int N> void store(Index i, Registers<N> x) const {
        check<N>(i);
        for (int n = 0; n < N; ++n) store(i + n, x[n]);
    }
    HostMemory operator+(int64_t n) const { return {at + n, watch}; }

  private:
    template <int N> void check(Index i) const {
        if (reinterpret_cast<uintptr_t>(at + i) % (N * sizeof(T)) != 0) throw std::logic_error("a vector is not aligned");
    }
};

struct HostOptions {
    int threads = 32;
    Order order = Order::forward;
    bool watched = false;
    int64_t missing_barrier = -1;  // the phase whose barrier is left out, to test the watch
};

template <bool kWatched> class HostBlock {
  public:
    template <class T> using Shared = HostMemory<T, kWatched>;
    template <class T> using Global = HostMemory<T, kWatched>;
    using Warp = HostWarp;
    using Clock = std::chrono::steady_clock;

    // shared: floats of shared memory, aligned to 16 bytes; global: the block's part of global memory.
    HostBlock(const HostOptions &options, std::vector<Registers<4>> &shared, float *global, const Clock::time_point *deadline)
        : options_(options), shared_(shared.data()->number), global_(global), deadline_(deadline),
          turn_(static_cast<size_t>(options.threads)), random_(7) {
        const float poison = std::bit_cast<float>(0x7fc00bad);
        for (Registers<4> &v : shared) v = {{poison, poison, poison, poison}};
        std::iota(turn_.begin(), turn_.end(), 0);
        if (options.order == Order::reverse) std::reverse(turn_.begin(), turn_.end());
    }

    int threads() const { return options_.threads; }
    template <class F> void phase(const F &f) {
        if (options_.order == Order::shuffled) std::shuffle(turn_.begin(), turn_.end(), random_);
        for (const int tid : turn_) {
            if constexpr (kWatched) watch_.set_thread(tid);
            f(tid);
        }
        if (phases_++ != options_.missing_barrier) watch_.next_phase();
    }
    template <class M> auto uniform(const M &memory, int64_t i) {
        if constexpr (kWatched) watch_.note_by_all(memory.at + i, sizeof(*memory.at));
        return memory.at[i];
    }
    template <class T> Shared<T> shared(int64_t word) { return {reinterpret_cast<T *>(shared_ + word), &watch_}; }
    Global<float> global(int64_t word) { return {global_ + word, &watch_}; }
    template <class T> Global<T> arena(T *at) { return {at, &watch_}; }
    template <class T> Global<T> own(T *at) { return {at, &watch_}; }
    Global<float> either(Global<float> memory) { return memory; }
    template <class T> Global<const T> read_only(const T *at) { return {at, &watch_}; }
    bool late() const { return deadline_ != nullptr && Clock::now() >= *deadline_; }
    int64_t phases() const { return phases_; }

  private:
    HostOptions options_;
    float *shared_, *global_;
    const Clock::time_point *deadline_;
    std::vector<int> turn_;
    std::mt19937 random_;
    Watch watch_;
    int64_t phases_ = 0;
};

}  // namespace hyperband::cuda
