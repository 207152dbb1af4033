// What the parameters of a new network hold, number by number: functions of the key, the parameter and the position alone.
#pragma once

#include <cmath>

#include "core/layout.hpp"
#include "core/philox.hpp"
#include "core/rates.hpp"

namespace hyperband {

// log(x) for normal x > 0.
HB_FN double exact_log(double x) {
    int e = 0;
    const double rest = log_fraction(x, e);
    return rest + e * kLn2;
}

// The quantile of the normal distribution at (word + 1/2) / 2^32: Wichura 1988, algorithm AS 241, PPND7, whose relative error
// is about 1e-7. The same bits on every platform.
HB_FN double normal_quantile(uint32_t word) {
    const double p = (static_cast<double>(word) + 0.5) * 0x1p-32, q = p - 0.5;
    if ((q < 0.0 ? -q : q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
               (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
    }
    double r = std::sqrt(-exact_log(q < 0.0 ? p : 1.0 - p)), x = 0.0;
    if (r <= 5.0) {
        r = r - 1.6;
        x = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
            ((0.12021132975 * r + 0.73700164250) * r + 1.0);
    } else {
        r = r - 5.0;
        x = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
            ((0.012258202635 * r + 0.24197894225) * r + 1.0);
    }
    return q < 0.0 ? -x : x;
}

// Initial numbers of a parameter that is no matrix of a layer; `bound` and `stream` as of the table, see uniform_bound.
struct InitialValues {
    Initial initial;
    uint32_t stream;
    float bound;
    double scale;  // of normal numbers

    HB_FN float operator()(Key key, uint32_t e) const {
        if (initial == Initial::zeros || initial == Initial::ones) return initial == Initial::ones ? 1.0f : 0.0f;
        uint32_t w[4] = {e >> 2, stream, 0, static_cast<uint32_t>(kInitialWeights) << 16};
        philox(key, w[0], w[1], w[2], w[3]);
        const uint32_t low = e & 1 ? w[1] : w[0], high = e & 1 ? w[3] : w[2], word = e & 2 ? high : low;
        return initial == Initial::normal ? static_cast<float>(scale * normal_quantile(word)) : initial_weight(word, bound);
    }
};

// Of a row of the table other than the weights: uniform numbers lie in [-bound, bound).
HB_FN float uniform_bound(const Architecture &a, uint32_t stream) {
    return stream == kPhaseStream ? 3.14159265f : static_cast<float>(std::sqrt(1.0 / a.embedding_frequencies));
}
HB_FN InitialValues initial_values(const Architecture &a, Initial initial, uint32_t stream) {
    return {initial, stream, uniform_bound(a, stream), a.frequency_scale};
}

}  // namespace hyperband
