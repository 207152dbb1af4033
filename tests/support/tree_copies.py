"""Copies of the sources with something changed: tests run on them, and the compiled module is built from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from required import REQUIRED

from hyperband.engine.backends import registry

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")

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


def copy_tree(to: Path, *more: str) -> Path:
    """Python sources, tests and more folders, without anything that was built."""
    for folder in ("hyperband", "tests", *more):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    for file in ("pyproject.toml", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, to / file)
    return to


def link_module(tree: Path) -> None:
    """Give a copy whose C++ is unchanged the compiled module of this environment, where there is one."""
    spec = find_spec("hyperband._core")
    if spec is not None and spec.origin is not None:
        (tree / "hyperband" / Path(spec.origin).name).symlink_to(spec.origin)


def run_tests(tree: Path, tests: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """pytest on a copy, in a process of its own; it stops at the first failure."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPERBAND_REQUIRE": "", **variables}
    return subprocess.run(
        [sys.executable, "-c", RUNNER, *tests],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


ISA_FLAGS = {
    "portable": [],
    "neon": [],
    "avx2": ["-march=x86-64-v3"],
    "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
#: Stands for the kernels of an instruction set that is not built here and never chosen.
ABSENT = """#include "cpu/kernels.hpp"
namespace hyperband::cpu {{ extern const Kernels k_{isa}; const Kernels k_{isa} = {{"{isa}"}}; }}
"""


class NativeBuild:
    """Builds ``_core`` for one instruction set, hardly optimised, and keeps the objects for the next build."""

    def __init__(self, folder: Path, sources: Path = ROOT) -> None:
        self.compiler, self.includes, self.isa = requirements()
        self.folder = folder
        shutil.copytree(sources / "csrc", folder / "csrc")
        kernels = (folder / "csrc" / "cpu").glob("kernels_*.cpp")
        for path in kernels:
            other = path.stem.removeprefix("kernels_")
            if other != self.isa and other in self._of_this_machine():
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

    def link(self, tree: Path, changed: Sequence[str] = ()) -> None:
        """Write ``tree``'s extension module; ``changed``: sources in ``tree/csrc`` that are compiled anew."""
        objects = {**self.objects, **self.compile(tree, changed)}
        module = tree / "hyperband" / f"_core{SUFFIX}"
        self._call(["-shared", "-pthread", *map(str, objects.values()), "-o", str(module)])


def _unable(reason: str) -> None:
    if "native" in REQUIRED:
        pytest.fail(f"HYPERBAND_REQUIRE names native: {reason}")
    pytest.skip(reason)


def requirements() -> tuple[str, list[str], str]:
    """A compiler, its options for Python's headers, and this machine's instruction set; or the test is skipped."""
    if registry.available()["native"]:
        _unable(f"the native engine is not there to be changed. {registry.available()['native']}")
    names = [*os.environ.get("CXX", "").split()[:1], "g++", "clang++", "c++"]
    compiler = next(filter(None, map(shutil.which, names)), None)
    if compiler is None:
        _unable("no C++ compiler is on the PATH")
    pybind11 = pytest.importorskip("pybind11", reason="pybind11's headers are not installed")
    header = Path(sysconfig.get_paths()["include"])
    if not (header / "Python.h").exists():
        _unable(f"Python's headers are not in {header}")
    isa = registry.get("native").describe()["instruction set"].split(" ")[0]
    return str(compiler), ["-I", pybind11.get_include(), "-I", str(header)], isa
