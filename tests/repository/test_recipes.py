"""Each recipe of CONTRIBUTING.md is followed as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tree_copies import ROOT, NativeBuild, copy_tree, run_tests

from hyperband.engine.architecture import ACTIVATIONS

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: What the recipe of an activation adds.
NEW = "softsign"


def recipe(title: str) -> str:
    """The part of "How to add" below this heading."""
    (part,) = re.findall(rf"^### {title}\n(.*?)(?=^##)", TEXT, re.M | re.S)
    return part


def blocks(title: str, language: str = "python") -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", recipe(title), re.M | re.S)
    assert found, f"the recipe {title!r} must have a block of {language}"
    return found


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in a folder of its own, with this package and without the settings of its tests."""
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "at_least", "more"),
    [
        (
            "A sampler",
            60,
            "hb.minimize(lambda c, r: c['x'], S, hb.Hyperband(9, sampler=AntitheticSampler())).cost",
        ),
        ("A scheduler", 30, "TwoRungScheduler().plan().cost"),
        ("A backend", 180, "backend().name"),
    ],
)
def test_a_part_keeps_its_contract(title: str, at_least: int, more: str, tmp_path: Path) -> None:
    part, test = blocks(title)
    (tmp_path / "test_part.py").write_text(f"{part}\n\n{test}", encoding="utf-8")
    done = python(tmp_path, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "test_part.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= at_least
    space = "import hyperband as hb\nS = hb.Space({'x': hb.Float(0.0, 1.0)})"
    used = python(tmp_path, "-c", f"{part}\n{space}\nprint({more})")
    assert used.returncode == 0, used.stderr


def test_what_a_scheduler_promises_by_hand() -> None:
    """Thirty trials at 5, ten of them at 50: 30 * 5 + 10 * 45."""
    names: dict[str, object] = {"__name__": "builtins"}
    exec(compile(blocks("A scheduler")[0], "recipe", "exec", dont_inherit=True), names)
    plan = names["TwoRungScheduler"]().plan()  # type: ignore[operator]
    assert (plan.n_configurations, plan.n_evaluations, plan.cost) == (30, 40, 600)


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    (part,) = blocks("A picture")
    use = """
import warnings
import hyperband as hb
warnings.filterwarnings("ignore", "(.* evaluations gave NaN|No evaluation gave)")
space = hb.Space({"x": hb.Float(0.0, 1.0)})
result = hb.minimize(lambda c, r: c["x"] / r if c["x"] < 0.9 else float("nan"), space, hb.Hyperband(9))
for style in ("light", "dark"):
    ax = sorted_losses(result, style=style)
    (line,) = [line for line in ax.lines if line.get_gid() == "losses"]
    drawn = line.get_ydata()
    assert drawn.tolist() == sorted(drawn) and len(drawn) > 10 and drawn[0] == result.best.loss
    ax.figure.savefig(f"{style}.png")
nothing = hb.minimize(lambda c, r: float("nan"), space, hb.Hyperband(3))
assert "no finite loss" in [text.get_text() for text in sorted_losses(nothing).texts]
"""
    done = python(tmp_path, "-c", part + use)
    assert done.returncode == 0, done.stderr
    for style in ("light", "dark"):
        assert (tmp_path / f"{style}.png").read_bytes().startswith(b"\x89PNG")


# ---- an activation --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """Lines of ``file`` that become others."""

    file: str
    old: str
    new: str


def edits() -> list[Edit]:
    (text,) = blocks("An activation", "diff")
    found = []
    for part in re.split(r"^--- ", text, flags=re.M)[1:]:
        file, _, lines = part.partition("\n")
        for hunk in re.findall(r"(?:^-.*\n)+(?:^\+.*\n)+", lines, re.M):
            old, new = (
                "\n".join(line[1:] for line in hunk.splitlines() if line.startswith(sign)) for sign in ("-", "+")
            )
            found.append(Edit(file, old, new))
        assert sum(map(len, re.findall(r"^[-+].*\n", lines, re.M))) == len(lines), f"lines of {file} begin with - or +"
    return found


EDITS = edits()
FILES = {edit.file for edit in EDITS}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.file}: {edit.old.strip()[:30]}")
def test_an_edit_fits(edit: Edit) -> None:
    count = (ROOT / edit.file).read_text(encoding="utf-8").count(edit.old)
    assert count == 1, f"{edit.file} must hold these lines once, not {count} times: {edit.old!r}"


def test_the_list_of_files_is_complete() -> None:
    """Every file that names an activation which no other word contains is edited, and no other one is."""
    assert "leaky_relu" in ACTIVATIONS and NEW not in ACTIVATIONS
    found = set()
    for folder in ("hyperband", "csrc", "docs"):
        for path in (ROOT / folder).rglob("*"):
            text = path.suffix in (".py", ".pyi", ".hpp", ".cpp", ".cu", ".cuh", ".md") and "testing" not in path.parts
            if text and "leaky_relu" in path.read_text(encoding="utf-8").lower():
                found.add(path.relative_to(ROOT).as_posix())
    assert found == {file for file in FILES if not file.startswith("tests/")}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with all edits."""
    tree = copy_tree(tmp_path_factory.mktemp("edited"), "csrc", "docs")
    for edit in EDITS:
        path = tree / edit.file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    return tree


def follow(tree: Path, backend: str, **variables: str) -> None:
    """The gradients, curves and hand-written values of the new activation on one backend."""
    chosen = f"({backend} and slope and {NEW}) or ({backend} and curve_follows and {NEW}) or chosen_points or auto_init"
    files = ("contract/test_backends_gradients.py", "contract/test_backends_curves.py")
    hand = ("engine/test_numerics_reference.py", "common/test_philox.py")
    done = run_tests(tree, [*(f"tests/{file}" for file in (*files, *hand)), "-k", chosen], **variables)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    # 5 losses, 1 curve (not of the reference), 1 table of values, one initialisation for each activation
    assert int(passed) == 5 + (backend != "numpy") + 1 + len(ACTIVATIONS) + 1


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_new_activation_in_python(edited: Path, backend: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    follow(edited, backend)


@pytest.mark.slow
def test_a_new_activation_in_cpp(edited: Path, tmp_path: Path) -> None:
    """Compiled with the edits: the native engine, and the GPU's code on the host."""
    build = NativeBuild(tmp_path, edited)
    build.link(edited)
    for backend in ("native", "cuda-host"):
        follow(edited, backend, HYPERBAND_ISA=build.isa)
