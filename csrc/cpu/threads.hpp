// Threads for one call: started when it begins, joined before it ends, so that fork and unloading are safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace hyperband::cpu {

// Runs work(i, n) for i = 0 .. n - 1 at the same time, where n is `wanted` or as many threads as the machine gives; the
// first exception is rethrown here.
template <class Work> void run_on_threads(int wanted, const Work &work) {
    std::exception_ptr failure;
    std::mutex guard;
    std::atomic<int> started{0};  // how many there are, once that is known
    auto safely = [&](int i) {
        started.wait(0);
        try {
            work(i, started.load());
        } catch (...) {
            const std::lock_guard<std::mutex> hold(guard);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    others.reserve(static_cast<size_t>(wanted > 1 ? wanted - 1 : 0));
    for (int i = 1; i < wanted; ++i) {
        try {
            others.emplace_back(safely, i);
        } catch (const std::system_error &) {
            break;
        }
    }
    started = static_cast<int>(others.size()) + 1;
    started.notify_all();
    safely(0);
    for (std::thread &t : others) t.join();
    if (failure) std::rethrow_exception(failure);
}

// Calls work(i, scratch of the thread) for i = 0 .. n - 1, one thread for each element of `scratch`; a thread takes the next
// item when it is free.
template <class Scratch, class Work> void for_each_item(size_t n, std::vector<Scratch> &scratch, const Work &work) {
    std::atomic<size_t> next{0};
    run_on_threads(static_cast<int>(std::min(scratch.size(), n)), [&](int thread, int) {
        for (size_t i = next++; i < n; i = next++) work(i, scratch[static_cast<size_t>(thread)]);
    });
}

// A barrier of n threads: wait(i) returns in thread i when all of them have called it. Each thread counts on a cache line of
// its own, which costs one trip between processors; a shared counter took six times as long. Threads spin, then yield, so
// that more threads than processors still make progress.
class Barrier {
  public:
    explicit Barrier(int n) : rounds_(static_cast<size_t>(n)) {}
    void wait(int i) {
        if (rounds_.size() == 1) return;
        const uint32_t mine = rounds_[static_cast<size_t>(i)].n.load(std::memory_order_relaxed) + 1;
        rounds_[static_cast<size_t>(i)].n.store(mine, std::memory_order_release);
        for (const Round &other : rounds_)
            for (int spins = 0; static_cast<int32_t>(other.n.load(std::memory_order_acquire) - mine) < 0; ++spins)
                if (spins > kSpins) std::this_thread::yield();
    }

  private:
    static constexpr int kSpins = 5000;
    struct alignas(64) Round {
        std::atomic<uint32_t> n{0};
    };
    std::vector<Round> rounds_;
};

}  // namespace hyperband::cpu
