// Chooses the kernel table once.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "cpu/kernels.hpp"

namespace hyperband {
extern const Kernels k_portable;
#if defined(__x86_64__)
extern const Kernels k_avx2, k_avx512;
#elif defined(__aarch64__)
extern const Kernels k_neon;
#endif

namespace {

struct Option {
    const Kernels *table;
    bool offered;  // by this machine
};

std::vector<Option> options() {  // best first
    std::vector<Option> r;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512cd");
    r.push_back({&k_avx512, avx512});
    r.push_back({&k_avx2, avx2});
#elif defined(__aarch64__)
    r.push_back({&k_neon, true});
#endif
    r.push_back({&k_portable, true});
    return r;
}

struct Choice {
    const Kernels *table;
    std::string reason;
};

Choice choose() {
    const std::vector<Option> all = options();
    const char *wanted = std::getenv("HYPERBAND_ISA");
    if (wanted == nullptr || *wanted == '\0') {
        for (const Option &o : all)
            if (o.offered) return {o.table, "the widest that this machine offers"};
    }
    std::string names;
    for (const Option &o : all) {
        if (wanted == std::string(o.table->name)) {
            if (o.offered) return {o.table, "chosen by HYPERBAND_ISA"};
            throw std::invalid_argument("`HYPERBAND_ISA` must name an instruction set that this machine offers; got '" +
                                        std::string(wanted) + "'. Unset it to let the package choose.");
        }
        names += (names.empty() ? "" : ", ") + std::string(o.table->name);
    }
    throw std::invalid_argument("`HYPERBAND_ISA` must be one of " + names + "; got '" + std::string(wanted) +
                                "'. Unset it to let the package choose.");
}

const Choice &choice() {
    static const Choice c = choose();  // a throw leaves it unchosen
    return c;
}

}  // namespace

const Kernels &kernels() { return *choice().table; }
const char *kernels_reason() { return choice().reason.c_str(); }

}  // namespace hyperband
