// A block's workbench: the member at hand and where its rows' numbers are, by size class.
#pragma once

#include <type_traits>

#include "cuda/block/memory.hpp"
#include "cuda/places.hpp"

namespace hyperband::cuda {

template <class B, SizeClass kClass> struct Bench {
    using Block = B;
    template <class T> using Near = typename B::template Near<T>;
    template <class T> using Far = typename B::template Far<T>;
    template <bool kNear> using Floats = std::conditional_t<kNear, Near<float>, Far<float>>;
    static constexpr bool kMomentsNear = kClass == SizeClass::S;
    static constexpr bool kWeightsNear = kClass == SizeClass::S || kClass == SizeClass::M;
    static constexpr bool kInputsNear = kWeightsNear;
    static constexpr bool kOutputsNear = kClass != SizeClass::XL;
    using Inputs = Floats<kInputsNear>;
    using Outputs = Floats<kOutputsNear>;

    B &block;
    const Network &net;
    const Places &places;
    int inputs, n_outputs;

    HB_BLOCK int layers() const { return net.layout.n_layers; }
    HB_BLOCK int k_end(int l) const { return l == 0 ? inputs : net.layout.layer[l].in; }
    HB_BLOCK int stride() const { return places.stride; }
    // Rows as they were gathered; outputs of hidden layers, their derivatives; gradients of a layer's outputs (of the last
    // one first its outputs); of each row some numbers a lane.
    HB_BLOCK Inputs x() const { return at<kInputsNear>(places.x); }
    HB_BLOCK Outputs h(int l) const { return at<kOutputsNear>(places.h[l]); }
    HB_BLOCK Outputs d(int l) const { return at<kOutputsNear>(places.d[l]); }
    HB_BLOCK Outputs g(int l) const { return at<kOutputsNear>(places.g[l % 2]); }
    HB_BLOCK Outputs lanes(int which) const {
        const int each = n_outputs < kPanel ? n_outputs : kPanel;
        return at<kOutputsNear>(places.lanes + static_cast<int64_t>(which) * each * places.stride);
    }
    HB_BLOCK Outputs outputs() const { return g(layers() - 1); }
    HB_BLOCK Near<float> row_loss() const { return block.template near<float>(places.row_loss); }
    HB_BLOCK Near<float> row_flag() const { return block.template near<float>(places.row_flag); }
    HB_BLOCK Near<int32_t> row_label() const { return block.template near<int32_t>(places.row_label); }
    HB_BLOCK Near<uint32_t> index() const { return block.template near<uint32_t>(places.index); }

    template <bool kNear> HB_BLOCK Floats<kNear> at(int64_t place) const {
        if constexpr (kNear)
            return block.template near<float>(static_cast<int>(place));
        else
            return block.far(place);
    }
};

// Copies the first `inputs` columns of rows index[0 .. rows) to x, transposed, and their labels; four columns of a row at a
// time. Eight neighbouring threads take eight rows. Rows that are not wide, as other libraries have them, are read number by
// number.
template <class Bench> HB_BLOCK void gather(int tid, const Bench &b, const DeviceRows &from, int rows) {
    const auto x = b.x();
    const auto index = b.index();
    const auto data = b.block.read_only(from.x);
    const int pieces = vectors_of(b.inputs), blocks = (rows + 7) / 8, threads = b.block.threads();
    const auto row_of = [&](int i) { return i / (8 * pieces) * 8 + i % 8; };
    const auto piece_of = [&](int i) { return i / 8 % pieces; };
    const int items = blocks * 8 * pieces;
    const auto put = [&](int i, const Some<kVector> &v) {
        const int row = row_of(i), column = piece_of(i) * kVector;
        if (row >= rows) return;
        HB_UNROLL
        for (int c = 0; c < kVector; ++c)
            x.store(static_cast<typename Bench::Inputs::Index>(column + c) * b.stride() + row, v[c]);
    };
    const auto place_of = [&](int i) {  // of some row where there is none
        const int row = row_of(i) < rows ? row_of(i) : 0;
        return static_cast<int64_t>(index.load(row)) * from.stride + piece_of(i) * kVector;
    };
    if (from.wide) {
        deal_ahead<Bench::kInputsNear ? 4 : 2, Some<kVector>>(
            tid, threads, items, [&](int i) { return data.template load<kVector>(place_of(i)); }, put);
    } else {
        deal(tid, threads, items, [&](int i) {
            const int64_t at = place_of(i);
            Some<kVector> v;
            HB_UNROLL
            for (int c = 0; c < kVector; ++c) v[c] = piece_of(i) * kVector + c < b.inputs ? data.load(at + c) : 0.0f;
            put(i, v);
        });
    }
    if (from.label == nullptr) return;
    const auto label = b.block.read_only(from.label);
    deal(threads - 1 - tid, threads, rows, [&](int row) { b.row_label().store(row, label.load(index.load(row))); });
}

}  // namespace hyperband::cuda
