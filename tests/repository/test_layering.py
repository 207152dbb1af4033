"""The rooms of CONTRIBUTING.md, read from every import and every include; and what ``import hyperband`` may load."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "hyperband"
SOURCES = ROOT / "csrc"

BELOW_INTERFACE = {
    "errors",
    "_common",
    "space",
    "tuning",
    "engine",
    "tables",
    "metrics",
    "evaluation",
    "model",
    "plots",
}
#: Room by room, and the rooms that each may import; the wings `tuning`, `engine` and `tables` do not know one another.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "_common": {"errors"},
    "space": {"errors", "_common"},
    "tuning": {"errors", "_common", "space"},
    "engine": {"errors", "_common", "space"},
    "tables": {"errors", "_common"},
    "metrics": {"errors", "_common"},
    "evaluation": {"errors", "_common", "space", "tuning", "engine", "metrics"},
    "model": {"errors", "_common", "engine", "tables", "metrics"},
    "plots": {"errors", "_common", "space", "tuning"},
    "testing": {"errors", "_common", "space", "tuning", "engine"},
    "interface": BELOW_INTERFACE,
    "cli": BELOW_INTERFACE | {"interface"},
}
#: Modules of others (or the compiled one) and the only places that may import them; a place is a file or a folder.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "hyperband._core": ("tuning/schedulers/rung_table.py", "tuning/schedulers/async_rungs/", "engine/backends/"),
    "hyperband._build": ("_common/build_info.py",),
    "numba": ("engine/backends/",),
    "llvmlite": ("engine/backends/",),
    "cupy": ("engine/backends/",),
    "sklearn": ("tables/", "model/", "metrics/", "plots/"),
    "safetensors": ("model/",),
    "polars": ("tables/", "model/", "interface/result.py", "cli/"),
    "pandas": ("tables/", "interface/result.py"),
    "pyarrow": ("tables/",),
    "scipy": ("tables/", "space/priors.py", "tuning/samplers/quasirandom.py"),
    "matplotlib": ("plots/",),
    "pytest": ("testing/",),
    "click": ("cli/",),
    "cloudpickle": ("evaluation/worker_pools/",),
    "joblib": ("evaluation/worker_pools/",),
    "rich": ("cli/", "interface/reporter.py"),
}
#: Besides the standard library, what any file may import.
EVERYWHERE = {"numpy", "hyperband"}

#: C++: folder below csrc -> folders that it may include from.
INCLUDES = {
    "core": {"core"},
    "cpu": {"core", "cpu"},
    "cuda": {"core", "cuda"},
    "bindings": {"core", "cpu", "cuda", "bindings"},
}
PYTHON_HEADERS = ("pybind11", "Python.h", "numpy/")


def python_files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "_build.py")


def native_files() -> list[Path]:
    return sorted(path for path in SOURCES.rglob("*") if path.suffix in (".cpp", ".hpp", ".cu", ".cuh", ".h"))


def imports(path: Path, source: str | None = None) -> Iterator[tuple[str, int]]:
    """Absolute names of everything that a file imports, anywhere in it, with line numbers."""
    tree = ast.parse(path.read_text(encoding="utf-8") if source is None else source)
    package = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield (f"{module}.{alias.name}" if _is_module(module, alias.name) else module), node.lineno
        elif isinstance(node, ast.Call) and _imports_by_call(node):
            yield str(node.args[0].value), node.lineno  # type: ignore[attr-defined]


def _imports_by_call(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__") and bool(call.args) and isinstance(call.args[0], ast.Constant)


def _is_module(module: str, name: str) -> bool:
    """Whether ``from module import name`` imports a module of this package."""
    if module.split(".")[0] not in ("hyperband", "benchmarks"):
        return False
    path = ROOT.joinpath(*module.split("."), name)
    return path.is_dir() or path.with_suffix(".py").exists() or f"{module}.{name}" in ONLY_IN


def room(path: Path) -> str:
    """The file or folder right below ``hyperband/`` that a file is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def faults(path: Path, source: str | None = None) -> list[str]:
    """What a file imports against the rules."""
    where = path.relative_to(PACKAGE).as_posix()
    found = []
    for name, line in imports(path, source):
        parts = name.split(".")
        if name in ONLY_IN or parts[0] in ONLY_IN:
            allowed = ONLY_IN[name if name in ONLY_IN else parts[0]]
            if not where.startswith(allowed):
                found.append(f"{where}:{line} imports {name}, which belongs in {', '.join(allowed)} alone")
        elif parts[0] == "hyperband":
            own = room(path)
            other = parts[1] if len(parts) > 1 else "__init__"
            if own not in ("__init__", "__main__") and own != other and other not in ROOMS.get(own, ()):
                found.append(f"{where}:{line} imports {name}: {own} must not know {other}")
        elif parts[0] not in EVERYWHERE and parts[0] not in sys.stdlib_module_names:
            found.append(f"{where}:{line} imports {name}, which no rule in ONLY_IN admits")
    return found


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_from_the_rooms_below_it(path: Path) -> None:
    assert not faults(path)


def test_every_file_is_in_a_room() -> None:
    assert {room(path) for path in python_files()} - {"__init__", "__main__"} == set(ROOMS)


def test_rooms_form_no_cycle() -> None:
    graph = {name: set(below) for name, below in ROOMS.items()}
    assert not cycles(graph)


def test_the_map_for_people_agrees() -> None:
    """The table in CONTRIBUTING.md names the same rooms and what each may import."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/?` \|[^|]*\| ([^|]*) \|$", text, re.M)
    assert {name: set(re.findall(r"\w+", cell)) - {"none"} for name, cell in rows} == ROOMS


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Every way that comes back to where it began, found by depth-first search; one for each edge back."""
    found: list[str] = []
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            found.append(" -> ".join([*way[way.index(name) :], name]))
            return
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
    return found


def test_no_file_of_the_package_needs_itself() -> None:
    """Imports anywhere in a file count, also those for annotations alone; only `__init__` of the top is left out."""
    graph = {_dotted(path): {name for name, _ in imports(path)} - {_dotted(path)} for path in python_files()}
    del graph["hyperband"]  # its names are for users; `faults` sees to it that no file of the package imports it
    assert not cycles(graph)


def test_no_benchmark_needs_itself() -> None:
    folder = ROOT / "benchmarks"
    graph = {}
    for path in folder.rglob("*.py"):
        own = _dotted(path)
        graph[own] = {name for name, _ in imports(path) if name.split(".")[0] == "benchmarks"} - {own}
    assert not cycles(graph)


def test_no_header_needs_itself() -> None:
    graph = {
        path.relative_to(SOURCES).as_posix(): set(includes(path.read_text(encoding="utf-8"))) for path in native_files()
    }
    assert not cycles(graph)


def test_a_cycle_is_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a -> b -> c -> a"]


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("tuning/run/run.py", "from hyperband.evaluation.loop import drive"),
        ("tuning/run/run.py", "def f():\n    from hyperband import search"),
        ("tuning/samplers/grid.py", "import hyperband.engine.network_space"),
        ("tuning/samplers/grid.py", "from ...engine.backends import registry"),
        ("engine/backends/host.py", "from hyperband.tables import prepare"),
        ("engine/population.py", "from hyperband.tuning.run.run import Run"),
        ("evaluation/networks/evaluator.py", "from hyperband import _core"),
        ("evaluation/networks/evaluator.py", "from hyperband._core import top_k"),
        ("evaluation/loop.py", "from hyperband.interface.result import SearchResult"),
        ("_common/files.py", "from hyperband.space import Space"),
        ("engine/population.py", "if True:\n    import numba.core"),
        ("evaluation/loop.py", "from sklearn.utils import shuffle"),
        ("interface/search.py", "import click"),
        ("interface/search.py", "import requests"),
        ("engine/backends/native.py", "import importlib\nimportlib.import_module('hyperband.evaluation.loop')"),
    ],
)
def test_a_forbidden_import_is_noticed(file: str, source: str) -> None:
    assert len(faults(PACKAGE / file, source)) == 1


def test_an_allowed_import_is_not() -> None:
    source = (
        "import json\nimport numpy\nfrom hyperband import _core\nfrom . import checks\nfrom ...errors import InputError"
    )
    assert not faults(PACKAGE / "engine" / "backends" / "native.py", source)


def includes(text: str) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^">]+)[">]', text, re.M)


def native_faults(folder: str, text: str) -> list[str]:
    """What a C++ file in csrc/``folder`` includes against the rules."""
    found = []
    for header in includes(text):
        top = header.split("/")[0]
        if top in INCLUDES and top not in INCLUDES[folder]:
            found.append(f"csrc/{folder} must not include {header}")
        if header.startswith(PYTHON_HEADERS) and folder != "bindings":
            found.append(f"{header}: Python is known in csrc/bindings alone")
        if header.startswith("cuda") and top != "cuda" and folder != "cuda":
            found.append(f"{header}: CUDA headers are known in csrc/cuda alone")
        if header in ("thread", "mutex", "atomic", "condition_variable") and folder == "core":
            found.append(f"{header}: csrc/core knows no threads")
    return found


@pytest.mark.parametrize("path", native_files(), ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_a_source_includes_from_the_folders_below_it(path: Path) -> None:
    folder = path.relative_to(SOURCES).parts[0]
    assert folder in INCLUDES
    text = path.read_text(encoding="utf-8")
    assert not native_faults(folder, text)
    local = [header for header in includes(text) if re.search(rf'include\s*"{re.escape(header)}"', text)]
    assert all((SOURCES / header).exists() for header in local), "includes name files from csrc/ down"


@pytest.mark.parametrize(
    ("folder", "line"),
    [
        ("core", '#include "cpu/engine.hpp"'),
        ("core", "#include <thread>"),
        ("cpu", '#include "bindings/x.hpp"'),
        ("cpu", "#include <pybind11/numpy.h>"),
        ("cpu", "# include <cuda_runtime.h>"),
    ],
)
def test_a_forbidden_include_is_noticed(folder: str, line: str) -> None:
    assert len(native_faults(folder, line)) == 1


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize("statement", ["import hyperband", "import hyperband; hyperband.Hyperband(81).plan()"])
def test_import_loads_nothing_heavy(statement: str) -> None:
    heavy = {"sklearn", "scipy", "polars", "pandas", "pyarrow", "numba", "llvmlite", "torch", "safetensors"}
    before = _loaded_by("pass")
    assert not (_loaded_by(statement) - before) & (heavy | {"click", "rich", "matplotlib", "cupy"})


def test_bare_import_does_not_even_load_numpy() -> None:
    assert "numpy" not in _loaded_by("import hyperband") - _loaded_by("pass")
