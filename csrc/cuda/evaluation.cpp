// Rows of a split or of an array through members that are on the device.
#include <algorithm>

#include "core/finite.hpp"
#include "cuda/engine.hpp"

namespace hyperband::cuda {
namespace {

constexpr size_t kJobsPerProcessor = 4;     // of an evaluation, so that none is idle
constexpr size_t kPredictedRows = 1 << 16;  // at a time

size_t blocks_of(int64_t rows) { return static_cast<size_t>((rows + kEvaluationRows - 1) / kEvaluationRows); }

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
    const size_t blocks = blocks_of(data.rows().n);
    std::vector<Member *> listed;
    for (const int64_t id : members) {
        listed.push_back(&members_.at(id));
        listed.back()->row = listed.size() - 1;
    }
    std::vector<Scores> r(members.size());
    in_waves(listed, [&](const std::vector<Member *> &wave) {
        Network *const there = reserve_networks(wave.size());
        const ScopedDeviceBuffer sums(*device_, wave.size() * blocks * sizeof(Sums));
        std::vector<Network> here;
        for (const Member *m : wave) here.push_back(m->network);
        device_->upload(there, here.data(), here.size() * sizeof(Network));
        device_->evaluate(evaluation_jobs(wave, there, data.rows(), best, sums.as<Sums>()), task(false));
        std::vector<Sums> found(wave.size() * blocks);
        device_->download(found.data(), sums.as<Sums>(), found.size() * sizeof(Sums));
        for (size_t i = 0; i < wave.size(); ++i) {
            Sums all;
            for (size_t b = 0; b < blocks; ++b) all.add(found[i * blocks + b]);
            r[wave[i]->row] = all.scores(data.rows().n);
        }
        return true;
    });
    return r;
}

// Each member's rows in as many parts as keep the device busy; `sums`: of all blocks of rows, member by member.
std::vector<EvaluateJob> Engine::evaluation_jobs(const std::vector<Member *> &wave, Network *there, const DeviceRows &rows,
                                                 bool best, Sums *sums) const {
    const size_t blocks = blocks_of(rows.n);
    const size_t wanted = (kJobsPerProcessor * static_cast<size_t>(facts_.processors) + wave.size() - 1) / wave.size();
    const size_t parts = std::max<size_t>(1, std::min(blocks, wanted));
    std::vector<EvaluateJob> jobs;
    for (size_t i = 0; i < wave.size(); ++i) {
        const Member &m = *wave[i];
        const MemoryPlan plan = plan_evaluation(m.architecture(), m.network.layout, loss_, rows.n, limits(false));
        for (size_t p = 0; p < parts; ++p) {
            const auto first = static_cast<int64_t>(blocks * p / parts) * kEvaluationRows;
            const auto end = std::min(rows.n, static_cast<int64_t>(blocks * (p + 1) / parts) * kEvaluationRows);
            Sums *const to = sums + i * blocks + static_cast<size_t>(first / kEvaluationRows);
            jobs.push_back({there + i, plan, m.weights(best), rows, first, end - first, m.active_inputs(), to, nullptr});
        }
    }
    return jobs;
}

bool Engine::predict(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    Member &m = members_.at(id);
    const auto inputs = static_cast<size_t>(n_inputs_), outputs = static_cast<size_t>(n_outputs_);
    const Network *const there = upload_alone(m);
    for (size_t begin = 0; begin < n; begin += kPredictedRows) {
        const size_t rows = std::min(kPredictedRows, n - begin);
        const float *const from = x + begin * inputs;
        if (!all_finite(from, rows * inputs)) return false;
        const Dataset data(*device_, Table{from, rows, nullptr, nullptr, nullptr}, n_inputs_, n_outputs_);
        const ScopedDeviceBuffer to(*device_, rows * outputs * sizeof(float));
        compute_outputs(m, there, data.rows(), best, to.as<float>());
        device_->download(out + begin * outputs, to.as<float>(), rows * outputs * sizeof(float));
    }
    return true;
}

bool Engine::predict_on_device(int64_t id, const float *x, size_t n, bool best, float *out) {
    const auto hold = lock();
    Member &m = members_.at(id);
    if (!device_->all_finite(x, n * static_cast<size_t>(n_inputs_))) return false;
    const Dataset data(*device_, Table{x, n, nullptr, nullptr, nullptr, true}, n_inputs_, n_outputs_);
    compute_outputs(m, upload_alone(m), data.rows(), best, out);
    return true;
}

// Brings one member to the device; returns its network there.
const Network *Engine::upload_alone(Member &m) {
    if (!bring(m, clock_)) refuse(m);
    Network *const there = reserve_networks(1);
    device_->upload(there, &m.network, sizeof(Network));
    return there;
}

void Engine::compute_outputs(const Member &m, const Network *there, const DeviceRows &rows, bool best, float *to) {
    const MemoryPlan plan = plan_evaluation(m.architecture(), m.network.layout, loss_, rows.n, limits(false));
    std::vector<EvaluateJob> jobs;
    for (int64_t first = 0; first < rows.n; first += kEvaluationRows) {
        const int64_t count = std::min<int64_t>(kEvaluationRows, rows.n - first);
        jobs.push_back({there, plan, m.weights(best), rows, first, count, m.active_inputs(), nullptr, to + first * n_outputs_});
    }
    device_->evaluate(jobs, task(false));
}

}  // namespace hyperband::cuda
