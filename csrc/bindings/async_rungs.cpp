#include "core/async_rungs.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace py = pybind11;

namespace hyperband {

namespace {

template <typename T> using Column = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <typename T, typename Values, typename Get> py::array_t<T> column(const Values &values, Get get) {
    py::array_t<T> out(static_cast<py::ssize_t>(values.size()));
    T *next = out.mutable_data();
    for (const auto &value : values) *next++ = static_cast<T>(get(value));
    return out;
}

py::list promote(AsyncRungs &table, std::size_t n) {
    std::vector<std::int64_t> trials;
    table.promote(n, trials);
    py::list out(trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
        const TrialState &trial = table.trials()[static_cast<std::size_t>(trials[i])];
        out[i] = py::make_tuple(trials[i], trial.bracket, trial.rung);
    }
    return out;
}

// All results, or none: the row of the first that is refused and why, or -1.
std::pair<py::ssize_t, int> record(AsyncRungs &table, const Column<std::int64_t> &trials, const Column<std::int64_t> &rungs,
                                   const Column<double> &losses) {
    if (trials.ndim() != 1 || trials.size() != rungs.size() || trials.size() != losses.size()) {
        throw std::invalid_argument("`trials`, `rungs` and `losses` must be one-dimensional and of equal length.");
    }
    const std::int64_t *trial = trials.data(), *rung = rungs.data();
    std::vector<std::int64_t> marked;
    for (py::ssize_t i = 0; i < trials.size(); ++i) {
        const auto fault = table.check(trial[i], rung[i]);
        if (fault != AsyncRungs::Fault::none) {
            for (const std::int64_t t : marked) table.trials()[static_cast<std::size_t>(t)].status = TrialStatus::open;
            return {i, static_cast<int>(fault)};
        }
        // So that a trial that occurs twice is noticed.
        table.trials()[static_cast<std::size_t>(trial[i])].status = TrialStatus::over;
        marked.push_back(trial[i]);
    }
    for (py::ssize_t i = 0; i < trials.size(); ++i) table.record(trial[i], losses.data()[i]);
    return {-1, 0};
}

int record_one(AsyncRungs &table, std::int64_t trial, std::int64_t rung, double loss) {
    const auto fault = table.check(trial, rung);
    if (fault == AsyncRungs::Fault::none) table.record(trial, loss);
    return static_cast<int>(fault);
}

py::tuple trials(const AsyncRungs &table) {
    const auto &all = table.trials();
    return py::make_tuple(column<std::int64_t>(all, [](const TrialState &p) { return p.bracket; }),
                          column<std::int64_t>(all, [](const TrialState &p) { return p.rung; }),
                          column<std::int64_t>(all, [](const TrialState &p) { return static_cast<int>(p.status); }));
}

py::tuple rows(const AsyncRungs &table, std::size_t bracket, std::size_t rung) {
    const AsyncRung &rung_results = table.rungs(bracket).at(rung);
    const std::vector<Row> all = rung_results.rows();
    return py::make_tuple(rung_results.finished(), column<std::int64_t>(all, [](const Row &r) { return r.trial; }),
                          column<double>(all, [](const Row &r) { return r.loss; }));
}

void restore_trials(AsyncRungs &table, const Column<std::int64_t> &brackets, const Column<std::int64_t> &rungs,
                    const Column<std::int64_t> &status) {
    std::deque<TrialState> all;
    for (py::ssize_t i = 0; i < brackets.size(); ++i) {
        all.push_back({static_cast<std::uint16_t>(brackets.at(i)), static_cast<std::uint8_t>(rungs.at(i)),
                       static_cast<TrialStatus>(status.at(i))});
    }
    table.restore(std::move(all));
}

void restore_rows(AsyncRungs &table, std::size_t bracket, std::size_t rung, std::int64_t finished,
                  const Column<std::int64_t> &trials, const Column<double> &losses) {
    std::deque<Row> all, waiting;
    for (py::ssize_t i = 0; i < trials.size(); ++i) {
        const Row row{losses.at(i), trials.at(i)};
        all.push_back(row);
        if (table.trials().at(static_cast<std::size_t>(row.trial)).rung == rung) waiting.push_back(row);
    }
    table.rungs(bracket).at(rung).restore(finished, std::move(all), std::move(waiting));
}

}  // namespace

void register_async_rungs(py::module_ &module) {
    py::class_<AsyncRungs>(module, "AsyncRungs", "Asynchronous brackets; see hyperband.tuning.schedulers.async_rungs.")
        .def(py::init<const std::vector<std::size_t> &, std::int64_t, std::int64_t>(), py::arg("n_rungs"), py::arg("numerator"),
             py::arg("denominator"))
        .def("begin", &AsyncRungs::begin, py::arg("brackets"))
        .def("promote", &promote, py::arg("n"))
        .def("record", &record, py::arg("trials"), py::arg("rungs"), py::arg("losses"))
        .def("record_one", &record_one, py::arg("trial"), py::arg("rung"), py::arg("loss"))
        .def("check", [](const AsyncRungs &l, std::int64_t t, std::int64_t r) { return static_cast<int>(l.check(t, r)); })
        .def("withdraw", &AsyncRungs::withdraw, py::arg("trial"))
        .def("limit", &AsyncRungs::limit, py::arg("bracket"), py::arg("rung"))
        .def_property_readonly("ready", &AsyncRungs::ready)
        .def_property_readonly("n_open", &AsyncRungs::n_open)
        .def_property_readonly("n_trials", [](const AsyncRungs &l) { return l.trials().size(); })
        .def("trials", &trials)
        .def("rows", &rows, py::arg("bracket"), py::arg("rung"))
        .def("restore_trials", &restore_trials, py::arg("brackets"), py::arg("rungs"), py::arg("status"))
        .def("restore_rows", &restore_rows, py::arg("bracket"), py::arg("rung"), py::arg("finished"), py::arg("trials"),
             py::arg("losses"));
}

}  // namespace hyperband
