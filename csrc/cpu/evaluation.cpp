#include "cpu/evaluation.hpp"

#include <algorithm>
#include <atomic>

#include "core/finite.hpp"
#include "cpu/threads.hpp"

namespace hyperband::cpu {

Sums evaluate_block(const EvaluationTask &task, const Member &m, const float *weights, size_t block, const Workspace &work) {
    const size_t first = block * kEvaluationRows;
    const auto rows = static_cast<int32_t>(std::min<size_t>(kEvaluationRows, task.data.n() - first));
    EvaluateArgs j{task.loss, task.n_outputs, rows, task.data.rows(first), &work, 0.0, 0.0, 0.0};
    kernels().forward({&m.layout, m.architecture.activation, active_inputs(m), weights, j.data.x, j.data.stride, rows, &work});
    kernels().evaluate(j);
    return {j.loss_sum, j.weight_sum, j.error_sum};
}

std::vector<Scores> evaluate(const EvaluationTask &task, const std::vector<const Member *> &members, bool best,
                             std::vector<ThreadScratch> &scratch) {
    const size_t n = members.size(), blocks = blocks_of(task.data.n());
    const size_t parts = n < scratch.size() ? std::min(blocks, scratch.size()) : 1;  // of a member's rows
    std::vector<Sums> totals(n), by_block(parts > 1 ? n * blocks : 0);
    for_each_item(n * parts, scratch, [&](size_t item, ThreadScratch &own) {
        const size_t i = item / parts, part = item % parts;
        const Member &m = *members[i];
        const Workspace &work = own.evaluation.for_evaluation(m.layout, kEvaluationRows);
        for (size_t b = blocks * part / parts; b < blocks * (part + 1) / parts; ++b) {
            const Sums s = evaluate_block(task, m, weights_of(m, best), b, work);
            if (parts > 1)
                by_block[i * blocks + b] = s;
            else
                totals[i].add(s);
        }
    });
    std::vector<Scores> r;
    for (size_t i = 0; i < n; ++i) {
        for (size_t b = 0; parts > 1 && b < blocks; ++b) totals[i].add(by_block[i * blocks + b]);
        r.push_back(totals[i].scores(static_cast<int64_t>(task.data.n())));
    }
    return r;
}

bool predict(const Forward &network, const Prediction &rows, std::vector<ThreadScratch> &scratch) {
    const Layout &layout = network.layout;
    const int n_inputs = layout.embedding.columns, n_outputs = layout.layer[layout.n_layers - 1].out;
    const size_t columns = static_cast<size_t>(n_inputs), out_stride = static_cast<size_t>(row_stride(n_outputs));
    // Rows are read where they lie, unless their stride maps a column of them to a few sets of the cache.
    const bool copied = columns * sizeof(float) % 2048 == 0;
    const auto stride = copied ? static_cast<size_t>(row_stride(n_inputs)) : columns;
    std::atomic<bool> finite{true};
    for_each_item(blocks_of(rows.n), scratch, [&](size_t block, ThreadScratch &own) {
        if (!finite.load(std::memory_order_relaxed)) return;
        const Workspace &work = own.evaluation.for_evaluation(layout, kEvaluationRows);
        const size_t first = block * kEvaluationRows, count = std::min<size_t>(kEvaluationRows, rows.n - first);
        const float *const from = rows.x + first * columns;
        if (!all_finite(from, count * columns)) finite = false;
        if (copied) copy_padded(from, count, columns, stride, work.x);
        kernels().forward({&layout, network.activation, network.inputs, network.weights, copied ? work.x : from, stride,
                           static_cast<int32_t>(count), &work});
        float *const to = rows.out + first * static_cast<size_t>(n_outputs);
        for (size_t i = 0; i < count; ++i)
            std::copy_n(work.outputs + i * out_stride, n_outputs, to + i * static_cast<size_t>(n_outputs));
    });
    return finite;
}

}  // namespace hyperband::cpu
