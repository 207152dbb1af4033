// Chooses the table of kernels once.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "cpu/kernels.hpp"

namespace hyperband::cpu {
extern const Kernels k_portable;
#if defined(__x86_64__)
extern const Kernels k_avx2, k_avx512;
#if HYPERBAND_BF16
extern const Kernels k_amx, k_avx512bf16;
#endif
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

#if defined(__x86_64__) && HYPERBAND_BF16
// The operating system must grant AMX tiles; one request holds for all threads of the process.
bool tiles_granted() {
#if defined(__linux__)
    constexpr long kAskForState = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
#else
    return false;
#endif
}

std::vector<Option> bf16_options() {
    const bool dots = options().front().offered && __builtin_cpu_supports("avx512bf16");
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
    const bool tiles = dots && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmxBf16) && (d & kAmxTile) && tiles_granted();
    return {{&k_amx, tiles}, {&k_avx512bf16, dots}};
}
#else
std::vector<Option> bf16_options() { return {}; }
#endif

Kernels choose_bf16() {
    constexpr char kNeed[] = "`precision` 'bf16' needs a processor with AMX or AVX512_BF16 on x86-64";
    constexpr char kRemedy[] = "Use 'float32', which every machine has.";
    const char *wanted = std::getenv("HYPERBAND_BF16");
    const bool any = wanted == nullptr || *wanted == '\0';
    for (const Option &o : bf16_options()) {
        if (!o.offered || !(any || wanted == std::string(o.table->name))) continue;
        Kernels r = kernels();
        r.name = o.table->name;
        r.transpose = o.table->transpose;
        r.rows = o.table->rows;
        r.columns = o.table->columns;
        r.update = o.table->update;
        return r;
    }
    if (any) throw std::invalid_argument(std::string(kNeed) + "; this build or machine has neither. " + kRemedy);
    throw std::invalid_argument("`HYPERBAND_BF16` must be amx or avx512bf16, and this machine must have it; got '" +
                                std::string(wanted) + "'. Unset it to let the package choose.");
}

}  // namespace

const Kernels &bf16_kernels() {
    static const Kernels k = choose_bf16();  // a throw leaves it unchosen
    return k;
}
const Kernels &kernels() { return *choice().table; }
const char *kernels_reason() { return choice().reason.c_str(); }

}  // namespace hyperband::cpu
