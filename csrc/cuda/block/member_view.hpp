// The block's member, and where the numbers of its rows are, by size class.
#pragma once

#include <type_traits>

#include "cuda/block/memory.hpp"
#include "cuda/memory_plan.hpp"

namespace hyperband::cuda {

template <class B, SizeClass kClass> struct MemberView {
    using Block = B;
    template <class T> using Shared = typename B::template Shared<T>;
    template <class T> using Global = typename B::template Global<T>;
    template <bool kShared> using Floats = std::conditional_t<kShared, Shared<float>, Global<float>>;
    static constexpr bool kMomentsShared = kClass == SizeClass::S;
    static constexpr bool kWeightsShared = kClass == SizeClass::S || kClass == SizeClass::M;
    static constexpr bool kInputsShared = kWeightsShared;
    static constexpr bool kOutputsShared = kClass != SizeClass::XL;
    using Inputs = Floats<kInputsShared>;
    using Outputs = Floats<kOutputsShared>;

    B &block;
    const Network &net;
    const MemoryPlan &plan;
    int inputs, n_outputs;

    HB_BLOCK int layers() const { return net.layout.n_layers; }
    HB_BLOCK int k_end(int l) const { return l == 0 ? inputs : net.layout.layer[l].in; }
    HB_BLOCK int stride() const { return plan.stride; }
    // The gathered rows; outputs of hidden layers, their derivatives, and those by alpha; gradients of a layer's outputs (of the last layer
    // first the outputs themselves); numbers of each row by lane, for the losses.
    HB_BLOCK Inputs x() const { return at<kInputsShared>(plan.x); }
    HB_BLOCK Inputs component_g() const { return at<kInputsShared>(plan.component_g); }  // gradients by the components
    HB_BLOCK bool scales() const { return net.layout.layer[0].scaled(); }
    HB_BLOCK Inputs scaled() const { return at<kInputsShared>(scales() ? plan.scaled : plan.x); }  // what layer 0 multiplies
    HB_BLOCK Outputs h(int l) const { return at<kOutputsShared>(plan.h[l]); }
    HB_BLOCK Outputs d(int l) const { return at<kOutputsShared>(plan.d[l]); }
    HB_BLOCK Outputs e(int l) const { return at<kOutputsShared>(plan.e[l]); }
    HB_BLOCK Outputs g(int l) const { return at<kOutputsShared>(plan.g[l % 2]); }
    HB_BLOCK Outputs lanes(int which) const {
        const int each = n_outputs < kPanel ? n_outputs : kPanel;
        return at<kOutputsShared>(plan.lanes + static_cast<int64_t>(which) * each * plan.stride);
    }
    HB_BLOCK Outputs outputs() const { return g(layers() - 1); }
    HB_BLOCK Shared<float> row_loss() const { return block.template shared<float>(plan.row_loss); }
    HB_BLOCK Shared<float> row_flag() const { return block.template shared<float>(plan.row_flag); }
    HB_BLOCK Shared<int32_t> row_label() const { return block.template shared<int32_t>(plan.row_label); }
    HB_BLOCK Shared<uint32_t> index() const { return block.template shared<uint32_t>(plan.index); }

    template <bool kShared> HB_BLOCK Floats<kShared> at(int64_t offset) const {
        if constexpr (kShared)
            return block.template shared<float>(static_cast<int>(offset));
        else
            return block.global(offset);
    }
};

// Copies the columns that take part, of rows index[0 .. rows) to x, transposed, and their labels. Four columns of a row are read
// at a time, by eight neighbouring threads for eight rows; rows that are not aligned are read number by number.
template <class MemberView> HB_BLOCK void gather(int tid, const MemberView &b, const DeviceRows &from, int rows) {
    const auto x = b.x();
    const auto index = b.index();
    const auto data = b.block.read_only(from.x);
    const int columns = b.net.layout.embedding.exists() ? b.net.layout.embedding.columns : b.inputs;
    const int pieces = vectors_of(columns), blocks = (rows + 7) / 8, threads = b.block.threads();
    const auto row_of = [&](int i) { return i / (8 * pieces) * 8 + i % 8; };
    const auto piece_of = [&](int i) { return i / 8 % pieces; };
    const int items = blocks * 8 * pieces;
    const auto put = [&](int i, const Registers<kVector> &v) {
        const int row = row_of(i), column = piece_of(i) * kVector;
        if (row >= rows) return;
        HB_UNROLL
        for (int c = 0; c < kVector; ++c)
            x.store(static_cast<typename MemberView::Inputs::Index>(column + c) * b.stride() + row, v[c]);
    };
    const auto offset_of = [&](int i) {  // of row 0 where there is no such row
        const int row = row_of(i) < rows ? row_of(i) : 0;
        return static_cast<int64_t>(index.load(row)) * from.stride + piece_of(i) * kVector;
    };
    if (from.wide) {
        deal_ahead<MemberView::kInputsShared ? 4 : 2, Registers<kVector>>(
            tid, threads, items, [&](int i) { return data.template load<kVector>(offset_of(i)); }, put);
    } else {
        deal(tid, threads, items, [&](int i) {
            const int64_t at = offset_of(i);
            Registers<kVector> v;
            HB_UNROLL
            for (int c = 0; c < kVector; ++c) v[c] = piece_of(i) * kVector + c < columns ? data.load(at + c) : 0.0f;
            put(i, v);
        });
    }
    if (from.label == nullptr) return;
    const auto label = b.block.read_only(from.label);
    deal(threads - 1 - tid, threads, rows, [&](int row) { b.row_label().store(row, label.load(index.load(row))); });
}

}  // namespace hyperband::cuda
