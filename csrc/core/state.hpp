// A member's whole state, for its way in and out of an engine.
#pragma once

#include "core/floats.hpp"
#include "core/record.hpp"

namespace hyperband {

template <class L> struct StateOf {
    L layout;
    Counters counters;
    Record record;
    Floats weights, m, v, best;  // arenas; m and v empty where the optimiser has none, best without a snapshot
};

}  // namespace hyperband
