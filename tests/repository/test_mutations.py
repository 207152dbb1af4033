"""The tests catch mistakes: each of these faults is planted in a copy of the sources, and the tests named must fail.

The same tests pass on an unchanged copy. For faults in C++ the extension module is built from the copy, for one
instruction set; only what the fault touches is compiled again.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tree_copies import ROOT, NativeBuild, copy_tree, link_module, run_tests

from hyperband.engine.backends import registry

#: Selections of tests: small, and without the backends that compile at run time.
GRADIENTS_NUMPY = ("tests/contract/test_backends_gradients.py", "-k", "numpy and slope and (relu or tanh)")
GRADIENTS_NATIVE = ("tests/contract/test_backends_gradients.py", "-k", "native and slope and (relu or tanh)")
SHAPES = ("tests/contract/test_backends_bits.py", "-k", "native and of_one_shape and cross_entropy")
BLOCKS = ("tests/contract/test_backends_cuda.py", "-k", "touch_a_word and mse and (S or XL)")
TENSOR = ("tests/contract/test_backends_tensor.py", "-k", "factors_of_products")
SCHEDULES = ("tests/contract/test_schedulers.py",)
RUNGS = ("tests/tuning/test_rung_table.py",)
SAMPLERS = ("tests/contract/test_samplers.py",)


@dataclass(frozen=True)
class Fault:
    """Replace ``old``, which stands exactly once in ``file``, by ``new``; then ``tests`` must fail."""

    file: str
    old: str
    new: str
    tests: Sequence[str]
    compiled: bool = False  # the tests train networks: on the compiled module, which is sooner than compiling Numba


FAULTS = {
    "the sign of the update, numpy": Fault(
        "hyperband/engine/backends/numpy64/kernels.py",
        "            w -= rate * g\n            return",
        "            w += rate * g\n            return",
        GRADIENTS_NUMPY,
    ),
    "one of two options that a table writes alike": Fault(
        "hyperband/tuning/samplers/table_values.py",
        "if len(found) > 1:",
        "if len(found) > 9:",
        ("tests/tuning/test_trials_from_tables.py", "-k", "several"),
    ),
    "an exit in an objective ends the search": Fault(
        "hyperband/evaluation/interrupts.py",
        "return not frames.isdisjoint(_handlers())",
        "return True",
        ("tests/evaluation/test_interrupts.py", "-k", "from_outside"),
    ),
    "an exit in a signal's handler does not": Fault(
        "hyperband/evaluation/interrupts.py",
        "return not frames.isdisjoint(_handlers())",
        "return False",
        ("tests/evaluation/test_interrupts.py", "-k", "handler_exits and lambda"),
    ),
    "one survivor too few": Fault(
        "hyperband/tuning/schedulers/brackets.py",
        "self.table.survivors(above.n)",
        "self.table.survivors(above.n - 1)",
        SCHEDULES,
    ),
    "one survivor too many, numpy": Fault(
        "hyperband/tuning/schedulers/rung_table.py", "(names, rows))[:k]]", "(names, rows))[: k + 1]]", RUNGS
    ),
    "the worst survive": Fault(
        "hyperband/tuning/schedulers/rung_table.py", "np.lexsort((names, rows))", "np.lexsort((names, -rows))", RUNGS
    ),
    "a draw without a key": Fault(
        "hyperband/tuning/samplers/constrained_draws.py",
        "return uniform(self._seed, CONFIGURATION, trials, self._space.n_dimensions, attempt)",
        "return np.random.default_rng().random((len(trials), self._space.n_dimensions))",
        SAMPLERS,
    ),
    "a draw keyed by arrival": Fault(
        "hyperband/tuning/samplers/constrained_draws.py",
        "return uniform(self._seed, CONFIGURATION, trials, self._space.n_dimensions, attempt)",
        "return uniform(self._seed, CONFIGURATION, range(len(trials)), self._space.n_dimensions, attempt)",
        SAMPLERS,
    ),
}
#: (file below hyperband/, text, what it becomes, a quick test below tests/ that must fail)
SEARCH_FAULTS = {
    "loop: dropped trials are not released": (
        "evaluation/loop.py", "self._evaluator.release(gone)", "gone.clear()",
        "evaluation/test_loop.py::test_batches_and_capacity_change_nothing",
    ),
    "loop: an event sees one result of a batch": (
        "evaluation/loop.py", "self._on_event(self._run, results)", "self._on_event(self._run, results[:1])",
        "evaluation/test_loop.py::test_events_see_every_result_once",
    ),
    "loop: running jobs do not count towards the capacity": (
        "evaluation/loop.py", "capacity - self._working", "capacity",
        "evaluation/test_loop.py::test_batches_and_capacity_change_nothing",
    ),
    "budget: one evaluation too many": (
        "evaluation/budget.py", "self._begun >= self._budget.evaluations", "self._begun > self._budget.evaluations",
        "evaluation/test_loop.py::test_budget_of_evaluations",
    ),
    "budget: a job starts that would exceed the resource": (
        "evaluation/budget.py", "self._promised + self._price(job) > self", "self._promised > self",
        "evaluation/test_loop.py::test_budget_of_resource_counts_what_a_job_adds",
    ),
    "budget: a little better counts as improved": (
        "evaluation/budget.py", "self._reference - self._budget.min_improvement", "self._reference",
        "evaluation/test_loop.py::test_patience_ends_when_nothing_gets_better",
    ),
    "budget: a continued job pays for all of its resource": (
        "evaluation/budget.py", "return job.resource - job.previous if self._continues", "return job.resource if 1",
        "evaluation/test_loop.py::test_budget_of_resource_counts_what_a_job_adds",
    ),
    "run: the sampler is told nothing": (
        "tuning/run/run.py", "self._session.tell_all(told)", "None",
        "tuning/test_run.py::test_samplers_learn_in_one_order",
    ),
    "run: a result costs all of the resource": (
        "tuning/run/run.py", "self._leaderboard.append(result, slot.resource - slot.previous)",
        "self._leaderboard.append(result, slot.resource)", "tuning/test_run_tell.py::test_all_forms_leave_the_same_run",
    ),
    "run: open jobs are lost with the state": (
        "tuning/run/run.py", 'map(slot_from, state["open"])', 'map(slot_from, state["open"][1:])',
        "tuning/test_run.py::test_open_jobs_come_back_whole",
    ),
    "run: a batch may name a trial twice": (
        "tuning/run/run.py", "if len(set(trials)) < len(batch):", "if False:",
        "tuning/test_run_batches.py",
    ),
    "networks: a diverged one has a loss": (
        "evaluation/networks/evaluator.py", "failed = bool(progress.diverged.any()) or", "failed =",
        "evaluation/test_network_evaluator.py::test_a_network_that_diverges_has_loss_nan_and_changes_no_other",
    ),
    "networks: the weights of the largest loss are kept": (
        "evaluation/networks/kept_weights.py", "key(result) < key(kept[0])", "key(result) > key(kept[0])",
        "evaluation/test_network_evaluator.py::test_kept_weights_give_the_reported_loss",
    ),
    "networks: the last weights are kept, not the best": (
        "evaluation/networks/trial_networks.py", 'prefix = "best." if weights == "best" else', "prefix =",
        "evaluation/test_network_evaluator.py::test_the_kept_weights_are_the_best_and_not_the_last",
    ),
    "networks: a loss on fewer rows stays the best": (
        "evaluation/networks/evaluator.py", "self._engines.forget_best(ids)", "_ = ids",
        "evaluation/test_network_evaluator.py::test_with_more_rows_the_best_weights_are_those_of_this_rung",
    ),
    "networks: a fold is left out of the loss": (
        "evaluation/networks/evaluator.py", "return float(ranked.mean()), ", "return float(ranked[0]), ",
        "evaluation/test_network_folds.py::test_a_loss_is_the_mean_over_the_folds_of_the_view_that_the_configuration_names",
    ),
    "networks: every fold trains on the first": (
        "evaluation/networks/datasets.py", "number % self.n_folds", "0",
        "evaluation/test_network_folds.py::test_a_loss_is_the_mean_over_the_folds_of_the_view_that_the_configuration_names",
    ),
    "search: brackets that were added are not listed": (
        "interface/planned_search.py", "(*self.algorithm.brackets, *self.extend.added)", "self.algorithm.brackets",
        "interface/test_planned_search.py::test_the_algorithm_that_ran_has_every_bracket",
    ),
    "search: the next bracket takes more than there is": (
        "evaluation/networks/time_plan.py", "<= part:", "<= 2 * part:", "evaluation/test_time_plan.py",
    ),
    "networks: every schedule ends at the largest resource": (
        "evaluation/networks/evaluator.py", "self._highest(bracket) / self.max_resource", "1.0",
        "evaluation/test_network_evaluator.py::test_the_schedules_of_a_network_end_with_the_highest_rung_of_its_bracket",
    ),
    "time: a machine that was busy at first keeps its plan": (
        "evaluation/networks/time_plan.py", "self.max_resource = largest\n", "pass\n",
        "evaluation/test_time_plan.py::test_the_largest_resource_follows_the_speed",
    ),
    "networks: the loss at a resource is the best so far": (
        "evaluation/networks/evaluator.py", '{"current_loss": now}', '{"current_loss": loss}',
        "evaluation/test_network_evaluator.py::test_the_loss_at_a_resource_can_rise",
    ),
    "tables: the month comes before the day, whatever the rows say": (
        "tables/dates.py", "read = levels.len() - as_instants(levels, date).null_count()", "read = levels.len()",
        "tables/test_dates.py::test_the_order_that_fits_every_row_is_taken",
    ),
    "tables: numbers of rows are features": (
        "tables/row_counters.py", "return found if len(found) < len(table.names) else []", "return []",
        "tables/test_row_counters.py::test_a_file_that_is_sorted_by_its_target_does_not_tell_it",
    ),
    "networks: all rows are not all rows": (
        "evaluation/networks/refit.py", "self._table.refit(view)", "self._table.dataset(view)",
        "evaluation/test_refit.py::test_a_network_is_what_it_would_be_alone_at_every_moment",
    ),
    "networks: the lightest trials are trained again": (
        "evaluation/networks/refit.py", "(-weights[trial], trial)", "(weights[trial], trial)",
        "evaluation/test_refit.py::test_the_heaviest_trials_come_first_and_their_work_is_known",
    ),
    "tables: a table for a prediction is read as it lies there": (
        "tables/preprocess.py", "return self.schema.read(matched, used)", "return matched",
        "tables/test_schema.py::test_a_row_means_the_same_in_files_and_frames",
    ),
    "files: a link is replaced, not the file at its end": (
        "_common/files.py", "replaced = Path(os.path.realpath(path))", "replaced = path",
        "common/test_files.py::test_a_link_stays_and_the_file_at_its_end_is_replaced",
    ),
    "command line: results of an earlier search are lost": (
        "cli/results_folder.py", "earlier = None if force else _put_aside(folder)", "earlier = None",
        "cli/test_results_folder.py::test_earlier_results_in_a_named_folder_are_moved_aside",
    ),
    "command line: a missing value has no fingerprint": (
        "tables/table_fingerprint.py", "if part.null_count() else", "if False else",
        "tables/test_table_fingerprint.py::test_any_change_is_another_fingerprint",
    ),
    "tables: a forked process calls polars": (
        "tables/polars_threads.py", "if _answered_in == os.getpid():", "if _answered_in is not None:",
        "tables/test_forked.py::test_after_a_search",
    ),
    "tables: a separator of thousands is never wrong": (
        "tables/readings.py", "pl.when(fits).then(plain).when(others).then(texts)", "plain",
        "tables/test_readings.py::test_what_another_column_would_write_is_no_number",
    ),
    "model: the parts of a column of times are shuffled one by one": (
        "model/importance.py", "with_columns([table.frame[name][order] for name in parts])",
        "with_columns([table.frame[parts[0]][order]])",
        "model/test_importance.py::test_a_column_of_times_is_shuffled_as_a_whole",
    ),
    "plots: curves never rise": (
        "plots/curves.py", "return np.where(np.isnan(now), loss, now)", "return loss",
        "plots/test_curves_that_rise.py::test_networks_have_the_loss_of_their_newest_weights_beside_the_smallest",
    ),
    "plots: a number is written over a mark": (
        "plots/numbers.py", "if covered > 0 and not needed:", "if covered > 99 and not needed:",
        "plots/test_landscapes.py::test_no_number_is_hidden",
    ),
    "model: a file is read for its first view alone": (
        "model/predictor.py", "self.preprocessing.read(as_table(X), self._used)",
        "self.preprocessing.read(as_table(X))",
        "interface/test_planned_search.py::test_every_view_of_a_model_reads_what_it_uses",
    ),
    "tables: a target is read anew in every file": (
        "tables/features_and_target.py", "read_target_by(schema.targets, y", "read_target_by({}, y",
        "tables/test_schema.py::test_a_target_is_read_as_in_training",
    ),
    "tables: blank lines inside quoted fields are taken out": (
        "tables/delimited.py", "% 2 == 0 else", "% 2 < 2 else",
        "tables/test_read.py::test_rows_without_values_are_rows_and_blank_lines_are_none",
    ),
    "networks: a trial that a clock had cut off trains on": (
        "evaluation/networks/evaluator.py", "step=min(open_.goals[key].step, step)",
        "step=min(open_.goals[key].step, step + 5)",
        "interface/test_planned_search.py::test_a_rung_that_a_clock_cut_off_can_be_run_again_without_it",
    ),
    "tables: columns of noise are selected": (
        "tables/column_selection.py", "importance > _limit", "importance <= _limit",
        "tables/test_column_selection.py",
    ),
    "tables: columns are selected by rows in another order": (
        "tables/column_selection.py", "y[: len(rows)], seed", "y[: len(rows)][::-1], seed",
        "tables/test_column_selection.py",
    ),
    "networks: an epoch too few": (
        "evaluation/networks/resources.py", "max(1, round(resource * steps", "max(1, round((resource - 1) * steps",
        "evaluation/test_network_evaluator.py::test_resource_goals",
    ),
    "functions: one retry too few": (
        "evaluation/functions/evaluator.py", "task.failures <= self._workers.retries",
        "task.failures < self._workers.retries",
        "interface/test_minimize.py::test_what_failed_is_tried_again",
    ),
    "functions: a state is shared with its copy": (
        "evaluation/functions/state_memory.py", "copy.deepcopy(held)", "held", "evaluation/test_batched.py",
    ),
    "functions: a batch mixes resources": (
        "evaluation/functions/batched.py", "if job.resource == first.resource", "if job",
        "evaluation/test_batched.py::test_a_whole_rung_is_one_call_and_the_answer_is_the_same_as_one_by_one",
    ),
    "functions: a retry of a batch keeps its cost": (
        "evaluation/functions/batched.py", "(job.previous if state else 0)", "job.previous",
        "evaluation/test_batched.py::test_a_retry_of_states_starts_from_zero",
    ),
}  # fmt: skip


def _tests_of(name: str, test: str) -> tuple[tuple[str, ...], bool]:
    compiled = name.startswith("networks") and not registry.available()["native"]
    return ((f"tests/{test}", "-k", "not numba") if compiled else (f"tests/{test}",)), compiled


FAULTS |= {
    name: Fault(f"hyperband/{file}", old, new, *_tests_of(name, test))
    for name, (file, old, new, test) in SEARCH_FAULTS.items()
}
NATIVE_FAULTS = {
    "the sign of a kernel": Fault(
        "csrc/cpu/simd/losses.hpp",
        "z[label] = z[label] - target * c;",
        "z[label] = z[label] + target * c;",
        GRADIENTS_NATIVE,
    ),
    "the sign of the gradient of biases": Fault(
        "csrc/cpu/simd/step.hpp",
        "for (int v = 0; v < N; ++v) s[v] = s[v] + load(g + v * kPanel);",
        "for (int v = 0; v < N; ++v) s[v] = s[v] - load(g + v * kPanel);",
        GRADIENTS_NATIVE,
    ),
    "the first member's dropout in every lane": Fault(
        "csrc/cpu/simd/pack.hpp",
        "k0[i] = s.key[i].k0, k1[i] = s.key[i].k1",
        "k0[i] = s.key[0].k0, k1[i] = s.key[0].k1",
        SHAPES,
    ),
    "clipping with another lane's norm": Fault(
        "csrc/cpu/simd/pack.hpp", "n = __builtin_sqrtf(norm[i]);", "n = __builtin_sqrtf(norm[i ^ 1]);", SHAPES
    ),
    "a gradient of the layer above, on the GPU": Fault(
        "csrc/cuda/block/layers.hpp", "const auto to = b.g(l - 1), h", "const auto to = b.g(l), h", BLOCKS
    ),
    "two threads that write one number, on the GPU": Fault(
        "csrc/cuda/block/evaluate.hpp",
        "b.index().store(i, static_cast<uint32_t>(first + i))",
        "b.index().store(i / 2, static_cast<uint32_t>(first + i))",
        BLOCKS,
    ),
    "rows of weights for columns, on tensor cores": Fault(
        "csrc/cuda/block/tensor.hpp", "Factors<W>{w, right_stride, 1}", "Factors<W>{w, 1, right_stride}", TENSOR
    ),
    "one survivor too many, native": Fault(
        "csrc/core/rungs.cpp", "k = std::min(k, rows.size());", "k = std::min(k + 1, rows.size());", RUNGS
    ),
}


def plant(tree: Path, fault: Fault) -> None:
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    count = text.count(fault.old)
    assert count == 1, f"{fault.file} must hold the text of this fault once, not {count} times: {fault.old!r}"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def must_fail(done: subprocess.CompletedProcess[str]) -> None:
    """A test failed by an assertion of its own: not a syntax error, not a missing module."""
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
    assert done.returncode == 1, f"the fault was not caught:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert re.search(r"\b[1-9]\d* failed", last), last
    assert not re.search(r"\d+ errors?\b", last), last
    assert re.search(r"^E +.*(assert|DID NOT|Falsifying|Error)", done.stdout, re.M), done.stdout[-2000:]


def must_pass(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert re.search(r"\b[1-9]\d* passed", done.stdout), done.stdout[-2000:]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Unchanged copies, without and with the compiled module."""
    copies = {compiled: copy_tree(tmp_path_factory.mktemp("healthy")) for compiled in (False, True)}
    link_module(copies[True])
    return copies


def together(selections: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Selections of tests, those of one file as one: a file, or a file, -k and an expression.

    Examples
    --------
    >>> together([("a.py", "-k", "x"), ("b.py",), ("a.py", "-k", "y and z")])
    [('a.py', '-k', '(x) or (y and z)'), ('b.py',)]
    """
    found: dict[str, list[str]] = {}
    for file, *chosen in sorted(selections):
        found.setdefault(file, []).append(f"({chosen[1]})" if chosen else "")
    return [
        (file, "-k", " or ".join(expressions)) if all(expressions) else (file,) for file, expressions in found.items()
    ]


@pytest.mark.parametrize(
    ("tests", "compiled"),
    [
        (tests, compiled)
        for compiled in (False, True)
        for tests in together({fault.tests for fault in FAULTS.values() if fault.compiled is compiled})
    ],
    ids=lambda value: Path(value[0]).stem if isinstance(value, tuple) else str(value),
)
def test_the_unchanged_copy_passes(healthy: dict[bool, Path], tests: Sequence[str], compiled: bool) -> None:
    must_pass(run_tests(healthy[compiled], tests, HYPERBAND_BACKEND="numpy"))


@pytest.mark.parametrize("name", {**FAULTS, **NATIVE_FAULTS})
def test_a_fault_can_be_planted(name: str) -> None:
    """Without running anything: the text stands once in its file, and the tests exist."""
    fault = {**FAULTS, **NATIVE_FAULTS}[name]
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1
    assert fault.new != fault.old
    assert (ROOT / fault.tests[0].split("::")[0]).is_file()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_python_is_caught(name: str, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    plant(tree, FAULTS[name])
    if FAULTS[name].compiled:
        link_module(tree)
    must_fail(run_tests(tree, FAULTS[name].tests, HYPERBAND_BACKEND="numpy"))


# ---- C++ ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def healthy_build(tmp_path_factory: pytest.TempPathFactory) -> NativeBuild:
    return NativeBuild(tmp_path_factory.mktemp("build"))


def test_the_unchanged_module_passes(healthy_build: NativeBuild, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    healthy_build.link(tree)
    for tests in together({fault.tests for fault in NATIVE_FAULTS.values()}):
        must_pass(run_tests(tree, tests, HYPERBAND_ISA=healthy_build.isa))


@pytest.mark.parametrize("name", NATIVE_FAULTS)
def test_a_fault_in_cpp_is_caught(name: str, healthy_build: NativeBuild, tmp_path: Path) -> None:
    tree, fault = copy_tree(tmp_path), NATIVE_FAULTS[name]
    shutil.copytree(healthy_build.folder / "csrc", tree / "csrc")
    plant(tree, fault)
    kernels = "csrc/cuda/host_device.cpp" if "/cuda/" in fault.file else f"csrc/cpu/kernels_{healthy_build.isa}.cpp"
    healthy_build.link(tree, [fault.file if fault.file.endswith(".cpp") else kernels])
    must_fail(run_tests(tree, fault.tests, HYPERBAND_ISA=healthy_build.isa))
