"""The floors of CONTRIBUTING.md, read from every import and every include; and what ``import hyperband`` may load."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "hyperband"
SOURCES = ROOT / "csrc"

#: Floor by floor; the groups of one floor do not know one another, the units of one group may.
FLOORS: list[list[set[str]]] = [
    [{"errors"}],
    [
        {
            "space",
            "schedule",
            "trial",
            "architecture",
            "rungs",
            "ladders",
            "ranking",
            "randomness",
            "blocks",
            "records",
            "standings",
            "points",
            "incumbent",
            "memory",
            "pages",
            "build_info",
        }
    ],
    [{"samplers", "schedulers"}, {"networks", "data"}, {"backends"}],
    [{"algorithms", "run", "batch", "lots", "tells"}, {"population", "splits", "residents"}],
    [{"evaluators"}, {"plots"}],
    [{"driver", "result", "model"}],
    [{"search", "minimize", "config", "cli", "progress"}],
]
#: Modules of others (or the compiled one) and the only places that may import them; a place is a file or a folder.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "hyperband._core": (
        "rungs.py",
        "ladders/",
        "backends/compiled.py",
        "backends/native.py",
        "backends/cuda.py",
        "backends/device_array.py",
        "backends/device_errors.py",
    ),
    "hyperband._build": ("build_info.py",),
    "numba": ("backends/",),
    "llvmlite": ("backends/",),
    "cupy": ("backends/",),
    "sklearn": ("data/", "model/", "plots/"),
    "skops": ("model/",),
    "safetensors": ("model/",),
    "polars": ("data/", "model/", "result.py", "cli/"),
    "pandas": ("data/", "result.py"),
    "pyarrow": ("data/",),
    "scipy": ("data/", "space/priors.py", "samplers/quasirandom.py"),
    "matplotlib": ("plots/",),
    "click": ("cli/",),
    "rich": ("cli/", "progress.py", "progress/"),
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
    package = ["hyperband", *path.relative_to(PACKAGE).parts[:-1]]
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
    if module.split(".")[0] != "hyperband":
        return False
    place = ROOT.joinpath(*module.split("."), name)
    return place.is_dir() or place.with_suffix(".py").exists() or f"{module}.{name}" in ONLY_IN


def unit(path: Path) -> str:
    """The name on the floors: the file or folder right below ``hyperband/``."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def place(name: str) -> tuple[int, int] | None:
    """(floor, group) of a unit."""
    for floor, groups in enumerate(FLOORS):
        for number, group in enumerate(groups):
            if name in group:
                return floor, number
    return None


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
        elif parts[0] == "hyperband" and len(parts) > 1 and where not in ("__init__.py", "__main__.py"):
            found += _upward(where, line, unit(path), parts[1])
        elif parts[0] not in EVERYWHERE and parts[0] not in sys.stdlib_module_names:
            found.append(f"{where}:{line} imports {name}, which no rule in ONLY_IN admits")
    return found


def _upward(where: str, line: int, own: str, other: str) -> list[str]:
    above, below = place(own), place(other)
    if own == other or above is None or below is None:  # strangers: see test_every_file_has_a_floor
        return []
    if below[0] < above[0] or below == above:
        return []
    kind = "a group that it must not know" if below[0] == above[0] else f"floor {below[0]} from floor {above[0]}"
    return [f"{where}:{line} imports hyperband.{other}: {kind}"]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_down_the_floors(path: Path) -> None:
    assert not faults(path)


def test_every_file_has_a_floor() -> None:
    units = {unit(path) for path in python_files()} - {"__init__", "__main__"}
    known = {name for groups in FLOORS for group in groups for name in group}
    assert units == known


def test_the_map_for_people_agrees() -> None:
    """The table in CONTRIBUTING.md names the same units on the same floors."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    written = {
        int(floor): set(re.findall(r"\w+", cell)) for floor, cell in re.findall(r"^\| (\d) \| ([^|]*) \|", text, re.M)
    }
    assert written == {floor: set().union(*groups) for floor, groups in enumerate(FLOORS)}


def test_no_two_modules_need_each_other() -> None:
    """Imports at the top of modules form no cycle, also inside a package."""
    graph = {
        _dotted(path): {name for name in _top_imports(path) if name.startswith("hyperband.")} for path in python_files()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for other in sorted(graph.get(name, ())):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _top_imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    source = "\n".join(ast.unparse(node) for node in top)
    own = _dotted(path)
    return {name for name, _ in imports(path, source) if name != own}


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("schedule.py", "from hyperband.driver import drive"),
        ("schedule.py", "def f():\n    from hyperband import search"),
        ("samplers/grid.py", "import hyperband.networks"),
        ("samplers/grid.py", "from ..backends import registry"),
        ("backends/host.py", "from hyperband.data import prepare"),
        ("population.py", "from hyperband.run import Run"),
        ("evaluators/population.py", "from hyperband import _core"),
        ("evaluators/population.py", "from hyperband._core import top_k"),
        ("population.py", "if True:\n    import numba.core"),
        ("driver.py", "from sklearn.utils import shuffle"),
        ("search.py", "import click"),
        ("search.py", "import requests"),
        ("backends/native.py", "import importlib\nimportlib.import_module('hyperband.driver')"),
    ],
)
def test_a_forbidden_import_is_noticed(file: str, source: str) -> None:
    assert len(faults(PACKAGE / file, source)) == 1


def test_an_allowed_import_is_not() -> None:
    source = (
        "import json\nimport numpy\nfrom hyperband import _core\nfrom . import checks\nfrom ..errors import InputError"
    )
    assert not faults(PACKAGE / "backends" / "native.py", source)


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
def test_includes_go_down_the_floors(path: Path) -> None:
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
    heavy = {"sklearn", "scipy", "polars", "pandas", "pyarrow", "numba", "llvmlite", "torch", "skops", "safetensors"}
    before = _loaded_by("pass")
    assert not (_loaded_by(statement) - before) & (heavy | {"click", "rich", "matplotlib", "cupy"})


def test_bare_import_does_not_even_load_numpy() -> None:
    assert "numpy" not in _loaded_by("import hyperband") - _loaded_by("pass")
