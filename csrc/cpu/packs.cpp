#include "cpu/packs.hpp"

#include <algorithm>
#include <limits>

#include "cpu/training_cursor.hpp"

namespace hyperband::cpu {
namespace {

// Most weights of a member of a pack: those of sixteen members, with moments and gradients, take 1.3 MB.
constexpr double kMostNumbers = 5000.0;

// Offsets of a lane's numbers. Inputs that take no part in training are left out.
Layout lane_layout(const Layout &layout, int inputs) {
    Layout r = layout;
    r.size = 0;
    r.layer[0].in = inputs;
    for (int l = 0; l < r.n_layers; ++l) {
        Layer &y = r.layer[l];
        y.weights = r.size;
        y.bias = y.weights + static_cast<size_t>(y.in) * lane_stride(y.out);
        r.size = y.bias + lane_stride(y.out);
    }
    return r;
}

// Calls visit(offset in the member's arena, offset in the pack's) for each number.
template <class Visit> void for_each_number(const Layout &own, const Layout &lanes, const Visit &visit) {
    for (int l = 0; l < own.n_layers; ++l) {
        const Layer &y = own.layer[l], &z = lanes.layer[l];
        for (int j = 0; j < y.out; ++j) {
            const size_t at = z.weights + static_cast<size_t>(j) * kLanes;
            for (int k = 0; k < z.in; ++k) visit(weight_at(y, k, j), at + static_cast<size_t>(k) * lane_stride(y.out));
            visit(y.bias + static_cast<size_t>(j), z.bias + static_cast<size_t>(j) * kLanes);
        }
    }
}

// Lays out a pack's memory from `base`; null: only counts. Returns the floats it takes.
size_t plan(const Layout &layout, const Member &m, bool regression, float *base, PackArgs &args, PackWorkspace &work,
            uint32_t *&index) {
    Taker take{base};
    const auto rows = static_cast<size_t>(kPackRows);
    args.weights = take(layout.size);
    if (m.m) args.m = take(layout.size);
    if (m.v) args.v = take(layout.size);
    if (m.average) args.average = take(layout.size);
    work.gradient = take(layout.size);
    work.x = take(rows * lane_stride(layout.layer[0].in));
    for (int l = 0; l < layout.n_layers; ++l) {
        const size_t n = rows * lane_stride(layout.layer[l].out);
        work.g[l] = take(n);
        if (l + 1 == layout.n_layers) break;
        work.h[l] = take(n);
        work.d[l] = take(n);
    }
    if (regression) work.target = take(rows * lane_stride(layout.layer[layout.n_layers - 1].out));
    args.index_stride = (static_cast<size_t>(TrainingCursor::order_capacity(m)) + 15) / 16 * 16;
    index = reinterpret_cast<uint32_t *>(take(kLanes * args.index_stride));
    return take.at;
}

}  // namespace

std::vector<int64_t> shape_of(const Member &m, int64_t steps) {
    const Architecture &a = m.architecture;
    std::vector<int64_t> r{static_cast<int64_t>(a.activation),
                           static_cast<int64_t>(rule_of(a)),
                           is_plain(a),
                           a.dropout > 0.0,
                           a.has_average(),
                           has_more_parameters(m.layout),
                           TrainingCursor::most_rows(m),
                           m.counters.position,
                           steps};
    r.insert(r.end(), a.widths, a.widths + a.n_hidden);
    return r;
}

Cost cost_of(const Member &m) {
    double flops = 0.0, padded_flops = 0.0, numbers = 0.0, padded_numbers = 0.0;
    for (int l = 0; l < m.layout.n_layers; ++l) {
        const Layer &y = m.layout.layer[l];
        const double in = l == 0 ? active_inputs(m) : y.in, passes = l == 0 ? 4.0 : 6.0;
        flops += passes * in * y.out;
        padded_flops += passes * in * padded(y.out);
        numbers += in * y.out;
        padded_numbers += in * padded(y.out);
    }
    const auto rows = static_cast<double>(TrainingCursor::most_rows(m));
    const double packed = numbers > kMostNumbers || has_more_parameters(m.layout)
                              ? std::numeric_limits<double>::infinity()
                              : rows * (1.3 * flops + 750.0) + 45.0 * numbers + 10000.0;
    return {flops, rows * (padded_flops + 1500.0) + 45.0 * padded_numbers + 45000.0, packed, 700.0 * numbers};
}

Pack::Pack(const std::vector<Member *> &members, Loss loss, int n_outputs, Rows data, Floats &memory) : args{} {
    const Member &first = *members.front();
    args.inputs = static_cast<int32_t>(first.counters.inputs);
    args.loss = loss;
    args.n_outputs = n_outputs;
    args.data = data;
    layout_ = lane_layout(first.layout, args.inputs);
    const size_t need = plan(layout_, first, loss.regression(), nullptr, args, work_, index_);
    if (need > memory.size()) memory = Floats(need);
    plan(layout_, first, loss.regression(), memory.get(), args, work_, index_);
    args.layout = &layout_;
    args.work = &work_;
    for (int lane = 0; lane < kLanes; ++lane) {
        const Member &m = static_cast<size_t>(lane) < members.size() ? *members[static_cast<size_t>(lane)] : first;
        args.architecture[lane] = &m.architecture;
        args.key[lane] = m.key;
        for_each_number(m.layout, layout_, [&](size_t own, size_t at) {
            args.weights[at + static_cast<size_t>(lane)] = m.weights.get()[own];
            if (args.m) args.m[at + static_cast<size_t>(lane)] = m.m.get()[own];
            if (args.v) args.v[at + static_cast<size_t>(lane)] = m.v.get()[own];
            if (args.average) args.average[at + static_cast<size_t>(lane)] = m.average.get()[own];
        });
    }
}

void Pack::write_current(int lane, const Member &m, float *arena) const {
    const float *const from = args.average ? args.average : args.weights;
    for_each_number(m.layout, layout_, [&](size_t own, size_t at) { arena[own] = from[at + static_cast<size_t>(lane)]; });
}

void Pack::write_back(int lane, Member &m) const {
    for_each_number(m.layout, layout_, [&](size_t own, size_t at) {
        m.weights.get()[own] = args.weights[at + static_cast<size_t>(lane)];
        if (args.m) m.m.get()[own] = args.m[at + static_cast<size_t>(lane)];
        if (args.v) m.v.get()[own] = args.v[at + static_cast<size_t>(lane)];
        if (args.average) m.average.get()[own] = args.average[at + static_cast<size_t>(lane)];
    });
}

}  // namespace hyperband::cpu
