// What an engine tells of a member, and the whole state that it exports and imports.
#pragma once

#include "core/floats.hpp"
#include "core/record.hpp"

namespace hyperband {

struct Progress {
    Counters counters;
    Record record;
};

template <class L> struct StateOf {
    using Layout = L;
    L layout;
    Counters counters;
    Record record;
    Floats weights, m, v, average, best;  // arenas; m, v and average empty where there are none, best without a snapshot
};

}  // namespace hyperband
