"""The package builds in every promised way: native, pure, fallen back, refused; and says afterwards which it was."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import hyperband
from hyperband._common import build_info
from hyperband._common.pure_dependencies import dynamic_metadata

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("scikit_build_core", reason="the build backend is not installed in this environment")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build reads; the build folder of the real tree stays as it is."""
    tree = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "CMakeLists.txt", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tree / name)
    for name in ("csrc", "hyperband", "tests", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    (tree / "hyperband" / "_build.py").unlink(missing_ok=True)
    return tree


def build(source: Path, out: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Calls the build backend as pip does, in this environment: nothing is downloaded."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HYPERBAND_", "CUDA"))}
    code = "import sys; from scikit_build_core.build import build_wheel; build_wheel(sys.argv[1])"
    shutil.rmtree(source / "build", ignore_errors=True)
    return subprocess.run(
        [sys.executable, "-c", code, str(out)],
        cwd=source, env={**clean, **variables}, capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip


def unpack(out: Path) -> tuple[str, Path]:
    """Name of the only wheel in ``out`` and the folder with its contents."""
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "contents")
    return wheel.name, out / "contents"


def run_in(contents: Path, code: str) -> str:
    """Run code with the unpacked wheel, and nothing else, as hyperband."""
    lines = (
        "import sys",
        "sys.meta_path[:] = [f for f in sys.meta_path if 'ScikitBuild' not in type(f).__name__]",
        f"sys.path.insert(0, {str(contents)!r})",
        "import hyperband as hb",
        f"assert hb.__file__.startswith({str(contents)!r})",
        code,
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HYPERBAND_")}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=contents, env=clean, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def needed(contents: Path) -> set[str]:
    """Names of the packages that an unpacked wheel needs, without its extras."""
    text = next(contents.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    lines = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Requires-Dist: ")]
    return {re.split(r"[<>=!~ ;]", line)[0] for line in lines if "extra ==" not in line}


def test_a_pure_wheel_is_pure_and_searches(source: Path, tmp_path: Path) -> None:
    done = build(source, tmp_path, HYPERBAND_PURE="1", CXX="/bin/false")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    name, contents = unpack(tmp_path)
    assert name.endswith("-py3-none-any.whl")
    assert not [path for path in contents.rglob("*") if path.suffix in (".so", ".pyd", ".cpp", ".hpp")]
    assert (contents / "hyperband" / "py.typed").exists()
    assert list(contents.glob("*.dist-info/licenses/LICENSE"))
    assert "hyperband = hyperband.cli.main:main" in next(contents.glob("*.dist-info/entry_points.txt")).read_text()
    assert {"numpy", "polars", "numba"} <= needed(contents)
    said = run_in(
        contents,
        "print(hb.show_config())\n"
        "from sklearn.datasets import load_iris\n"
        "X, y = load_iris(return_X_y=True)\n"
        "print(hb.search(X, y, algorithm=hb.Hyperband(3), compute=hb.Compute(backend='numpy'), seed=1).n_evaluations)\n"
        "from hyperband._common import build_info; print(build_info.summary())",
    )
    assert "HYPERBAND_PURE=1" in said
    assert "install it again without HYPERBAND_PURE" in said
    assert "\n6\n" in said  # R = 3: two brackets of 3 + 1 and 2 evaluations


def test_a_failed_compile_falls_back_where_that_is_asked_for(source: Path, tmp_path: Path) -> None:
    done = build(source, tmp_path, CXX="/bin/false", HYPERBAND_FALLBACK="1")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "THE C++ ENGINE COULD NOT BE COMPILED" in done.stdout + done.stderr
    name, contents = unpack(tmp_path)
    assert name.endswith("-py3-none-any.whl")
    assert {"numpy", "polars", "numba"} <= needed(contents)
    said = run_in(contents, "from hyperband._common import build_info; print(build_info.kind(), build_info.summary())")
    assert said.startswith("fallback ")
    assert "failed" in said
    assert "install a C++20 compiler" in said


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CXX": "/bin/false"}, "CMake configuration failed"),
        ({"CXX": "/bin/false"}, "THE C++ ENGINE COULD NOT BE COMPILED"),
        ({"CXX": "/bin/false"}, "HYPERBAND_PURE=1 installs the pure-Python"),
        ({"HYPERBAND_CUDA": "ON", "CUDACXX": "/bin/false"}, "HYPERBAND_CUDA=ON, but no working nvcc was found"),
        ({"HYPERBAND_CUDA": "perhaps"}, "HYPERBAND_CUDA must be AUTO, ON or OFF"),
    ],
    ids=["no compiler", "no compiler, loudly", "no compiler, and the way out", "CUDA required", "CUDA misspelt"],
)
def test_what_cannot_be_had_is_refused(source: Path, tmp_path: Path, variables: dict[str, str], words: str) -> None:
    done = build(source, tmp_path, **variables)
    assert done.returncode != 0
    assert words in " ".join((done.stdout + done.stderr).split())
    assert not list(tmp_path.glob("*.whl"))


def test_a_source_package_holds_all_that_a_build_needs(source: Path, tmp_path: Path) -> None:
    code = "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=source, check=True, capture_output=True, timeout=120
    )
    (package,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(package) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    wanted = ("csrc", "hyperband", "tests")
    files = [path for folder in wanted for path in (source / folder).rglob("*") if path.is_file()]
    kept = {path.relative_to(source).as_posix() for path in files if "__pycache__" not in path.parts}
    assert kept <= names
    assert {"CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE"} <= names
    assert not [name for name in names if name.endswith((".so", ".o"))]


def test_numba_is_needed_where_there_may_be_no_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    project = {"optional-dependencies": {"numba": ["numba>=1"]}}
    for variable in ("HYPERBAND_PURE", "HYPERBAND_FALLBACK"):
        monkeypatch.delenv(variable, raising=False)
    assert dynamic_metadata({}, project) == {"dependencies": []}
    for variable in ("HYPERBAND_PURE", "HYPERBAND_FALLBACK"):
        for value, found in {"1": ["numba>=1"], "true": ["numba>=1"], "0": [], "": [], "OFF": []}.items():
            monkeypatch.setenv(variable, value)
            assert dynamic_metadata({}, project) == {"dependencies": found}, (variable, value)
        monkeypatch.delenv(variable)


def test_the_version_is_said_once() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{hyperband.__version__}"' in text


def test_this_build_knows_itself() -> None:
    details = build_info.details()
    assert details["kind"] == build_info.kind()
    if details["kind"] == "native":
        assert details["isas"].split()[0] == "portable"
        assert "not built: " in details["cuda"] or " for " in details["cuda"]
    else:
        assert "no native engine" in build_info.summary()
