"""The tests catch mistakes: each of these faults is planted in a copy of the sources, and the tests named must fail.

The same tests pass on an unchanged copy. For faults in C++ the extension module is built from the copy, for one
instruction set; only what the fault touches is compiled again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from required import REQUIRED

from hyperband.engine.backends import registry

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

#: Selections of tests: small, and without the backends that compile at run time.
GRADIENTS_NUMPY = ("tests/contract/test_backends_gradients.py", "-k", "numpy and slope and (relu or tanh)")
GRADIENTS_NATIVE = ("tests/contract/test_backends_gradients.py", "-k", "native and slope and (relu or tanh)")
TWINS = ("tests/contract/test_backends_bits.py", "-k", "native and twins and cross_entropy")
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


FAULTS = {
    "the sign of the update, numpy": Fault(
        "hyperband/engine/backends/numpy64/kernels.py",
        "            w -= rate * g\n            return",
        "            w += rate * g\n            return",
        GRADIENTS_NUMPY,
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
        TWINS,
    ),
    "clipping with another lane's norm": Fault(
        "csrc/cpu/simd/pack.hpp", "n = __builtin_sqrtf(norm[i]);", "n = __builtin_sqrtf(norm[i ^ 1]);", TWINS
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

#: Runs pytest on the copy in the working directory, even where an editable install points to the original.
RUNNER = """
import os, sys
here = os.getcwd()
sys.meta_path[:] = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
sys.path.insert(0, here)
import hyperband
assert hyperband.__file__.startswith(here), hyperband.__file__
import pytest
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header", *sys.argv[1:]]))
"""


def copy_tree(to: Path) -> Path:
    """The Python sources and the tests, without anything that was built."""
    for folder in ("hyperband", "tests"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    for file in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, to / file)
    return to


def plant(tree: Path, fault: Fault) -> None:
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    count = text.count(fault.old)
    assert count == 1, f"{fault.file} must hold the text of this fault once, not {count} times: {fault.old!r}"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def run_tests(tree: Path, tests: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPERBAND_REQUIRE": "", **variables}
    return subprocess.run(
        [sys.executable, "-c", RUNNER, *tests],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def must_fail(done: subprocess.CompletedProcess[str]) -> None:
    """A test failed by an assertion of its own: not a syntax error, not a missing module."""
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
    assert done.returncode == 1, f"the fault was not caught:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert re.search(r"\b[1-9]\d* failed", last), last
    assert not re.search(r"\d+ errors?\b", last), last
    assert re.search(r"^E +.*(assert|DID NOT RAISE|Falsifying|Error)", done.stdout, re.M), done.stdout[-2000:]


def must_pass(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert re.search(r"\b[1-9]\d* passed", done.stdout), done.stdout[-2000:]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("healthy"))


@pytest.mark.parametrize(
    "tests", sorted({fault.tests for fault in FAULTS.values()}), ids=lambda tests: Path(tests[0]).stem
)
def test_the_unchanged_copy_passes(healthy: Path, tests: Sequence[str]) -> None:
    must_pass(run_tests(healthy, tests))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_python_is_caught(name: str, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    plant(tree, FAULTS[name])
    must_fail(run_tests(tree, FAULTS[name].tests))


# ---- C++ ------------------------------------------------------------------------------------------------------------

ISA_FLAGS = {
    "portable": [],
    "neon": [],
    "avx2": ["-march=x86-64-v3"],
    "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
#: Stands for the kernels of an instruction set that is not built here and never chosen.
ABSENT = """#include "cpu/kernels.hpp"
namespace hyperband {{ extern const Kernels k_{isa}; const Kernels k_{isa} = {{"{isa}"}}; }}
"""


class Workshop:
    """Builds ``_core`` for one instruction set, not optimised, and keeps the objects for the next build."""

    def __init__(self, compiler: str, includes: Sequence[str], isa: str, folder: Path) -> None:
        self.compiler, self.includes, self.isa, self.folder = compiler, list(includes), isa, folder
        shutil.copytree(ROOT / "csrc", folder / "csrc")
        kernels = (folder / "csrc" / "cpu").glob("kernels_*.cpp")
        for path in kernels:
            other = path.stem.removeprefix("kernels_")
            if other != isa and other in self._of_this_machine():
                path.write_text(ABSENT.format(isa=other))
        self.objects = self.compile(folder, self.sources())

    def _of_this_machine(self) -> Sequence[str]:
        return ("portable", "neon") if self.isa == "neon" else ("portable", "avx2", "avx512")

    def sources(self) -> list[str]:
        wanted = {f"kernels_{isa}.cpp" for isa in self._of_this_machine()}
        found = [
            p
            for part in ("core", "cpu", "cuda", "bindings")
            for p in sorted((self.folder / "csrc" / part).glob("*.cpp"))
        ]
        kept = [
            p for p in found if not p.name.startswith("kernels_") or p.name in wanted or p.parent.name == "bindings"
        ]
        return [str(p.relative_to(self.folder)) for p in kept]

    def compile(self, tree: Path, sources: Sequence[str]) -> dict[str, Path]:
        with ThreadPoolExecutor(2) as pool:
            return dict(zip(sources, pool.map(lambda source: self._compile(tree, source), sources), strict=True))

    def _compile(self, tree: Path, source: str) -> Path:
        made = tree / (source.replace("/", "_") + ".o")
        optimise = "-O1" if source == f"csrc/cpu/kernels_{self.isa}.cpp" else "-O0"
        extra = ISA_FLAGS[self.isa] if optimise == "-O1" else []
        flags = ["-std=c++20", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-w", optimise, *extra]
        self._call([*flags, "-I", str(tree / "csrc"), *self.includes, "-c", str(tree / source), "-o", str(made)])
        return made

    def _call(self, arguments: Sequence[str]) -> None:
        done = subprocess.run([self.compiler, *arguments], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    def build(self, tree: Path, fault: Fault | None) -> None:
        """Link ``tree``'s extension module; with a fault, only the objects that depend on its file are made anew."""
        objects = dict(self.objects)
        if fault is not None:
            shutil.copytree(self.folder / "csrc", tree / "csrc")
            plant(tree, fault)
            text_of = "csrc/cuda/host_device.cpp" if "/cuda/" in fault.file else f"csrc/cpu/kernels_{self.isa}.cpp"
            changed = [fault.file if fault.file.endswith(".cpp") else text_of]
            objects |= self.compile(tree, changed)
        module = tree / "hyperband" / f"_core{SUFFIX}"
        self._call(["-shared", "-pthread", *map(str, objects.values()), "-o", str(module)])


def _unable(reason: str) -> None:
    if "native" in REQUIRED:
        pytest.fail(f"HYPERBAND_REQUIRE names native: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    if registry.available()["native"]:
        _unable(f"the native engine is not there to be mutated. {registry.available()['native']}")
    names = [*os.environ.get("CXX", "").split()[:1], "g++", "clang++", "c++"]
    compiler = next(filter(None, map(shutil.which, names)), None)
    if compiler is None:
        _unable("no C++ compiler is on the PATH")
    pybind11 = pytest.importorskip("pybind11", reason="pybind11's headers are not installed")
    header = Path(sysconfig.get_paths()["include"])
    if not (header / "Python.h").exists():
        _unable(f"Python's headers are not in {header}")
    isa = registry.get("native").describe()["instruction set"].split(" ")[0]
    includes = ["-I", pybind11.get_include(), "-I", str(header)]
    return Workshop(str(compiler), includes, isa, tmp_path_factory.mktemp("workshop"))


def test_the_unchanged_module_passes(workshop: Workshop, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    workshop.build(tree, None)
    for tests in sorted({fault.tests for fault in NATIVE_FAULTS.values()}):
        must_pass(run_tests(tree, tests, HYPERBAND_ISA=workshop.isa))


@pytest.mark.parametrize("name", NATIVE_FAULTS)
def test_a_fault_in_cpp_is_caught(name: str, workshop: Workshop, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    workshop.build(tree, NATIVE_FAULTS[name])
    must_fail(run_tests(tree, NATIVE_FAULTS[name].tests, HYPERBAND_ISA=workshop.isa))
