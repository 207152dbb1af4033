// Initial weights, four at a time.
#pragma once

#include "core/initial_values.hpp"
#include "cuda/block/memory.hpp"

namespace hyperband::cuda {

template <class B> HB_BLOCK void initialise(B &block, const InitialiseJob &job) {
    const Network &net = job.network;
    block.phase([&](int tid) {
        const auto weights = block.arena(net.weights);
        for (int64_t i = tid; i < net.layout.size; i += block.threads()) {
            weights.store(i, 0.0f);
            if (net.m) block.arena(net.m).store(i, 0.0f);
            if (net.v) block.arena(net.v).store(i, 0.0f);
        }
    });
    const DeviceLayer &first = net.layout.layer[0];
    const Embedding &e = net.layout.embedding;
    const auto fill = [&](int64_t at, int count, Initial initial, uint32_t stream) {
        const InitialValues values = initial_values(net.architecture, initial, stream);
        block.phase([&](int tid) {
            deal(tid, block.threads(), count,
                 [&](int i) { block.arena(net.weights).store(at + i, values(net.key, static_cast<uint32_t>(i))); });
        });
    };
    if (first.scaled()) fill(first.scale, first.in, Initial::ones, 0);
    if (e.exists()) {  // as in kTable
        fill(first.frequency, e.numbers * e.waves, Initial::normal, 1);
        fill(first.phase, e.numbers * e.waves, Initial::uniform, kPhaseStream);
        if (e.kind == NumberEmbedding::pbld) {
            fill(first.mixing, e.all() * e.waves, Initial::uniform, 3);
            fill(first.shift, e.all(), Initial::uniform, 4);
        } else {
            fill(first.amplitude, e.all(), Initial::ones, 0);
        }
    }
    for (int l = 0; l < net.layout.n_layers; ++l) {
        const DeviceLayer &y = net.layout.layer[l];
        const int64_t count = static_cast<int64_t>(y.in) * y.out;
        block.phase([&](int tid) {
            const auto weights = block.arena(net.weights);
            for (int64_t i = tid; i < (count + 3) / 4; i += block.threads()) {
                uint32_t w[4];
                four_initial_words(net.key, l, static_cast<uint32_t>(i), w);
                HB_UNROLL
                for (int n = 0; n < 4; ++n) {
                    const int64_t e = 4 * i + n;
                    if (e < count)
                        weights.store(weight_at(y, static_cast<int>(e / y.out), static_cast<int>(e % y.out)),
                                      initial_weight(w[n], job.bound[l]));
                }
            }
        });
        if (!exists(y.alpha)) continue;
        block.phase([&](int tid) {
            deal(tid, block.threads(), y.out, [&](int j) { block.arena(net.weights).store(y.alpha + j, 1.0f); });
        });
    }
    if (net.average == nullptr) return;
    block.phase([&](int tid) {
        for (int64_t i = tid; i < net.layout.size; i += block.threads())
            block.arena(net.average).store(i, block.arena(net.weights).load(i));
    });
}

}  // namespace hyperband::cuda
