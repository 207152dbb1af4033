// The waist of the native code: what a population of networks can do on any device. Both engines satisfy it, and the bindings
// are written against it and against no engine.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/layout.hpp"
#include "core/precision.hpp"
#include "core/problem.hpp"
#include "core/state.hpp"

namespace hyperband {

// An engine E holds the data of one problem and the networks ("members") that train on it, numbered 0, 1, 2, ... in the order
// of `add`. Every function may be called from any thread; two calls of one engine never overlap. A member's bits depend on
// its architecture, its seed, the data and the slices that it trained in, never on other members.
//
//   E::Resources             what it computes on: threads, or a device
//   E::State                 StateOf<the layout of its arenas>
//   E::kReadsDevice          whether tables may hold an address on a device (Table::x_on_device)
//   add                      all members or, by an exception, none; returns their ids
//   train                    each member until its step or the end of the slice; returns whether it is at its step. Later
//                            calls continue exactly where this one ended
//   evaluate                 loss and error of each member on a table, with the current or the best weights
//   predict                  outputs (n, n_outputs) of rows x (n, n_inputs); false when x is not finite
//   state, set_state         a copy of a member's arrays and counters, and back
//   bytes_per_member         memory of a member beside the data
//
// An id that is unknown raises std::out_of_range.
template <class E>
concept PopulationEngine =
    std::constructible_from<E, const Problem &, Precision, const typename E::Resources &> &&
    std::same_as<typename E::State, StateOf<typename E::State::Layout>> &&
    std::same_as<decltype(E::kReadsDevice), const bool> &&
    requires(E e, const std::vector<int64_t> &ids, int64_t id, const std::vector<Architecture> &architectures,
             const std::vector<uint64_t> &seeds, const Table &table, const Slice &slice, typename E::State state,
             const float *x, float *out, size_t n, bool best) {
        { e.add(architectures, seeds, ids) } -> std::same_as<std::vector<int64_t>>;
        { e.train(ids, ids, slice) } -> std::same_as<std::vector<char>>;
        { e.progress(ids) } -> std::same_as<std::vector<Progress>>;
        { e.evaluate(ids, table, best) } -> std::same_as<std::vector<Scores>>;
        { e.predict(id, x, n, best, out) } -> std::same_as<bool>;
        { e.forget_best(id) } -> std::same_as<void>;
        { e.release(id) } -> std::same_as<void>;
        { e.state(id) } -> std::same_as<typename E::State>;
        { e.set_state(id, std::move(state)) } -> std::same_as<void>;
        { E::bytes_per_member(architectures[0], Ends{}) } -> std::same_as<size_t>;
        { std::as_const(e).loss() } -> std::same_as<Loss>;
        { std::as_const(e).ends() } -> std::same_as<Ends>;
        { std::as_const(e).n_inputs() } -> std::same_as<int>;
        { std::as_const(e).n_outputs() } -> std::same_as<int>;
    };

}  // namespace hyperband
