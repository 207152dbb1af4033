// A few threads for one call: started when it begins, joined before it ends, so that fork and unloading stay safe.
#pragma once

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hyperband {

// Runs work(0) .. work(n - 1) at the same time; the first exception is thrown again here.
template <class Work> void run_on_threads(int n, const Work &work) {
    std::exception_ptr failure;
    std::mutex guard;
    auto safely = [&](int i) {
        try {
            work(i);
        } catch (...) {
            const std::lock_guard<std::mutex> hold(guard);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    others.reserve(static_cast<size_t>(n > 1 ? n - 1 : 0));
    for (int i = 1; i < n; ++i) {
        try {
            others.emplace_back(safely, i);
        } catch (const std::system_error &) {
            break;  // the machine gives no more threads: the ones there are do the work
        }
    }
    safely(0);
    for (std::thread &t : others) t.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace hyperband
