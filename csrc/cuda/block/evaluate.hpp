// A block evaluates rows of a split, or computes their outputs.
#pragma once

#include "cuda/block/layers.hpp"
#include "cuda/block/losses.hpp"

namespace hyperband::cuda {

// Writes the numbers of rows first, first + 1, ... of a split to index().
template <class MemberView> HB_BLOCK void number_rows(const MemberView &b, int64_t first, int rows) {
    b.block.phase([&](int tid) {
        deal(tid, b.block.threads(), rows, [&](int i) { b.index().store(i, static_cast<uint32_t>(first + i)); });
    });
}

template <class B, SizeClass kClass>
HB_BLOCK void evaluate(B &block, const Network &network, const EvaluateJob &job, const Task &task) {
    using MemberView = cuda::MemberView<B, kClass>;
    static_assert(!MemberView::kWeightsShared);
    const MemberView b{block, network, job.plan, static_cast<int>(job.inputs), task.n_outputs};
    const auto weights = block.arena(job.weights);
    const int64_t end = job.first + job.count;
    for (int64_t first = job.first; first < end; first += job.plan.part) {
        const int rows = static_cast<int>(end - first < job.plan.part ? end - first : job.plan.part);
        number_rows(b, first, rows);
        block.phase([&](int tid) { gather(tid, b, job.rows, rows); });
        prepare_inputs(b, rows, weights);
        forward(b, ForwardPass{false, rows, 0, 0, 0}, weights);
        if (job.sums == nullptr) {
            block.phase([&](int tid) {
                deal(tid, block.threads(), rows * b.n_outputs, [&](int i) {
                    const int row = i / b.n_outputs, j = i % b.n_outputs;
                    block.arena(job.outputs)
                        .store((first - job.first + row) * b.n_outputs + j,
                               b.outputs().load(static_cast<typename MemberView::Outputs::Index>(j) * b.stride() + row));
                });
            });
            continue;
        }
        const LossOf args{task.loss, job.rows, false, rows, rows, 0.0f};
        row_losses(b, args);
        block.phase([&](int tid) {
            if (tid != 0) return;
            // A part begins with a block of kEvaluationRows rows, or continues one whose sums are in global memory.
            Sums open{};
            if (first % kEvaluationRows != 0) open = job.sums[first / kEvaluationRows - job.first / kEvaluationRows];
            add_rows(b, args, first, end, open,
                     [&](int64_t at, const Sums &s) { job.sums[at - job.first / kEvaluationRows] = s; });
            if ((first + rows) % kEvaluationRows != 0 && first + rows != end)
                job.sums[(first + rows) / kEvaluationRows - job.first / kEvaluationRows] = open;
        });
    }
}

}  // namespace hyperband::cuda
