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
    HB_BLOCK Near<uint32_t> row_flag() const { return block.template near<uint32_t>(places.row_flag); }
    HB_BLOCK Near<uint32_t> index() const { return block.template near<uint32_t>(places.index); }

    template <bool kNear> HB_BLOCK Floats<kNear> at(int64_t place) const {
        if constexpr (kNear)
            return block.template near<float>(static_cast<int>(place));
        else
            return block.far(place);
    }
};

// Copies the first `inputs` columns of rows index[0 .. rows) to x, transposed; four columns of a row at a time. Eight
// neighbouring threads take eight rows. Rows that are not wide, as other libraries have them, are read number by number.
template <class Bench> HB_BLOCK void gather(int tid, const Bench &b, const DeviceRows &from, int rows) {
    const auto x = b.x();
    const auto index = b.index();
    const auto data = b.block.read_only(from.x);
    const int pieces = vectors_of(b.inputs), blocks = (rows + 7) / 8;
    deal(tid, b.block.threads(), blocks * 8 * pieces, [&](int i) {
        const int row = i / (8 * pieces) * 8 + i % 8, piece = i / 8 % pieces;
        if (row >= rows) return;
        const int64_t at = static_cast<int64_t>(index.load(row)) * from.stride + piece * kVector;
        Some<kVector> v;
        if (from.wide) {
            v = data.template load<kVector>(at);
        } else {
            HB_UNROLL
            for (int c = 0; c < kVector; ++c) v[c] = piece * kVector + c < b.inputs ? data.load(at + c) : 0.0f;
        }
        HB_UNROLL
        for (int c = 0; c < kVector; ++c)
            x.store(static_cast<typename Bench::Inputs::Index>(piece * kVector + c) * b.stride() + row, v[c]);
    });
}

}  // namespace hyperband::cuda
