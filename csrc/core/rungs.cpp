#include "core/rungs.hpp"

#include <algorithm>
#include <cmath>

namespace hyperband {

std::vector<std::int64_t> top_k(const double *losses, const std::int64_t *trials, std::size_t n, std::size_t k) {
    std::vector<Row> rows;
    rows.reserve(n);
    for (std::size_t i = 0; i < n; ++i) {
        if (std::isfinite(losses[i])) rows.push_back({losses[i], trials[i]});
    }
    k = std::min(k, rows.size());
    const auto cut = rows.begin() + static_cast<std::ptrdiff_t>(k);
    // Select first: a rung keeps a small part of its rows, so only that part needs sorting.
    if (k < rows.size()) std::nth_element(rows.begin(), cut, rows.end());
    std::sort(rows.begin(), cut);

    std::vector<std::int64_t> survivors(k);
    std::transform(rows.begin(), cut, survivors.begin(), [](const Row &row) { return row.trial; });
    return survivors;
}

}  // namespace hyperband
