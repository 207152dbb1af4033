// Rows of a split or of an array through members that are on the device.
#include <algorithm>

#include "core/finite.hpp"
#include "cuda/engine.hpp"

namespace hyperband::cuda {
namespace {

// Jobs that keep a device busy when an evaluation is dealt to blocks.
constexpr size_t kJobsABlock = 4;
constexpr size_t kPredictedRows = 1 << 16;  // at a time

// Memory on a device for the time of a call.
class ScopedDeviceBuffer {
  public:
    ScopedDeviceBuffer(Device &device, size_t bytes) : device_(device), memory_(device.allocate(std::max<size_t>(bytes, 1))) {
        if (memory_ == nullptr)
            throw DeviceFull("the device has no " + std::to_string(bytes >> 20) + " MiB left for results. Use fewer rows.");
    }
    ~ScopedDeviceBuffer() { device_.release(memory_); }
    ScopedDeviceBuffer(const ScopedDeviceBuffer &) = delete;
    ScopedDeviceBuffer &operator=(const ScopedDeviceBuffer &) = delete;
    template <class T> T *as() const { return static_cast<T *>(memory_); }

  private:
    Device &device_;
    void *memory_;
};

}  // namespace

std::vector<Scores> Engine::evaluate(const std::vector<int64_t> &members, const Table &table, bool best) {
    const auto hold = lock();
    const Dataset data(*device_, table, n_inputs_, n_outputs_);
    const auto rows = static_cast<int64_t>(table.n);
    const auto blocks = static_cast<size_t>((rows + kEvaluationRows - 1) / kEvaluationRows);
    std::vector<Member *> listed;
    for (const int64_t id : members) {
        listed.push_back(&find(id));
        listed.back()->turn = listed.size() - 1;
    }
    std::vector<Scores> r(members.size());
    in_waves(listed, [&](const std::vector<Member *> &wave) {
        Network *const there = networks(wave.size());
        const ScopedDeviceBuffer sums(*device_, wave.size() * blocks * sizeof(Sums));
        const size_t wanted = (kJobsABlock * static_cast<size_t>(facts_.processors) + wave.size() - 1) / wave.size();
        const size_t parts = std::max<size_t>(1, std::min(blocks, wanted));
        std::vector<Network> here;
        std::vector<EvaluateJob> jobs;
        for (size_t i = 0; i < wave.size(); ++i) {
            const Network &n = wave[i]->network;
            here.push_back(n);
            const MemoryPlan plan = plan_evaluation(n.architecture, n.layout, loss_, rows, limits(false));
            const float *const weights = best && n.counters.best_step >= 0 ? n.best : n.weights;
            const int64_t inputs = n.counters.inputs > 0 ? n.counters.inputs : n_inputs_;
            for (size_t p = 0; p < parts; ++p) {
                const auto first = static_cast<int64_t>(blocks * p / parts) * kEvaluationRows;
                const auto end = std::min(rows, static_cast<int64_t>(blocks * (p + 1) / parts) * kEvaluationRows);
                Sums *const to = sums.as<Sums>() + i * blocks + static_cast<size_t>(first / kEvaluationRows);
                jobs.push_back({there + i, plan, weights, data.rows(), first, end - first, inputs, to, nullptr});
            }
        }
        device_->upload(there, here.data(), here.size() * sizeof(Network));
        device_->evaluate(jobs, task(false));
        std::vector<Sums> found(wave.size() * blocks);
        device_->download(found.data(), sums.as<Sums>(), found.size() * sizeof(Sums));
        for (size_t i = 0; i < wave.size(); ++i) {
            Sums all;
            for (size_t b = 0; b < blocks; ++b) all.add(found[i * blocks + b]);
            r[wave[i]->turn] = all.scores(rows);
        }
        return true;
    });
    return r;
}

bool Engine::predict(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    Member &m = find(id);
    const auto inputs = static_cast<size_t>(n_inputs_), outputs = static_cast<size_t>(n_outputs_);
    const Network *const there = alone(m);
    for (size_t begin = 0; begin < n; begin += kPredictedRows) {
        const size_t rows = std::min(kPredictedRows, n - begin);
        const float *const from = x + begin * inputs;
        if (!all_finite(from, rows * inputs)) return false;
        const Dataset data(*device_, Table{from, rows, nullptr, nullptr, nullptr}, n_inputs_, n_outputs_);
        const ScopedDeviceBuffer to(*device_, rows * outputs * sizeof(float));
        send_through(m, there, data.rows(), best, to.as<float>());
        device_->download(out + begin * outputs, to.as<float>(), rows * outputs * sizeof(float));
    }
    return true;
}

bool Engine::predict_on_device(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    Member &m = find(id);
    if (!device_->all_finite(x, n * static_cast<size_t>(n_inputs_))) return false;
    const Dataset data(*device_, Table{x, n, nullptr, nullptr, nullptr, true}, n_inputs_, n_outputs_);
    send_through(m, alone(m), data.rows(), best, out);
    return true;
}

// A member that works alone: brought to the device, its record there.
const Network *Engine::alone(Member &m) {
    if (!come(m, now_)) refuse(m);
    Network *const there = networks(1);
    device_->upload(there, &m.network, sizeof(Network));
    return there;
}

// Its outputs for these rows.
void Engine::send_through(const Member &m, const Network *there, const DeviceRows &rows, bool best, float *to) {
    const Network &net = m.network;
    const MemoryPlan plan = plan_evaluation(net.architecture, net.layout, loss_, rows.n, limits(false));
    const float *const weights = best && net.counters.best_step >= 0 ? net.best : net.weights;
    const int64_t inputs = net.counters.inputs > 0 ? net.counters.inputs : n_inputs_;
    std::vector<EvaluateJob> jobs;
    for (int64_t first = 0; first < rows.n; first += kEvaluationRows) {
        const int64_t count = std::min<int64_t>(kEvaluationRows, rows.n - first);
        jobs.push_back({there, plan, weights, rows, first, count, inputs, nullptr, to + first * n_outputs_});
    }
    device_->evaluate(jobs, task(false));
}

}  // namespace hyperband::cuda
