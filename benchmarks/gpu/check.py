"""Everything that needs a GPU, in one command: build, hashes beside the CPU engine's, compute-sanitizer, timings.

It needs no network, and only the Python packages that building and importing `hyperband` needs (pytest for one step).
It works in ``build/gpu`` and changes no other file but that of the results. When a step fails, the next ones run all
the same. Each step has a time limit and is ended when it is over.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.common import machine
from benchmarks.common.paths import DATA, RESULTS, ROOT
from benchmarks.gpu.steps import Steps, take_json
from benchmarks.gpu.tasks import compare, smi

#: Largest seconds of each step, and the seconds reserved for the timings.
BUILD, HASHES, CONTRACT, SANITIZER, TIMINGS = 150.0, 45.0, 75.0, 60.0, 120.0
TOOLS = ("memcheck", "racecheck", "synccheck")
#: Share of the time left that each group of timings may take, in their order.
OWN, PEER, SEARCH, BLOCKS = 0.45, 0.25, 0.75, 0.45
#: Options of a dry run's timings.
DRY = ["--stand-in", "--device", "cpu", "--scale", "0.0005", "--precision", "float32", "--repetitions", "1"]
BLOCK_SIZES = ("128", "256")


def why_no_gpu() -> str:
    """ "" where the driver shows a GPU."""
    return "" if smi("name") else "nvidia-smi is not there, or shows no GPU"


def data() -> Path:
    """The folder of tables; it may also lie inside the checkout."""
    return DATA if DATA.is_dir() else ROOT / "shared" / "data"


def slug(name: str) -> str:
    """A name as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def nvcc() -> Path | None:
    """The CUDA compiler, where CMake would find it."""
    named = [os.environ.get("CUDACXX"), shutil.which("nvcc")]
    toolkits = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    named += [f"{toolkit}/bin/nvcc" for toolkit in (*toolkits, "/usr/local/cuda") if toolkit]
    return next((Path(path) for path in named if path and Path(path).is_file()), None)


def sanitizer() -> str | None:
    """The program compute-sanitizer, on the PATH or beside the compiler."""
    paths = ["compute-sanitizer"]
    if (compiler := nvcc()) is not None:
        for folder in (compiler.parent, compiler.resolve().parent):
            paths += [str(folder / "compute-sanitizer"), str(folder.parent / "compute-sanitizer/compute-sanitizer")]
    paths.append("/usr/local/cuda/bin/compute-sanitizer")
    return next((found for path in paths if (found := shutil.which(path))), None)


def build(steps: Steps, folder: Path) -> list[Path]:
    """Build; returns the compiled module and the build record, or nothing when that failed."""
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DHYPERBAND_CUDA=ON", "-DHYPERBAND_CUDA_ARCHITECTURES=native"]
    options.append(f"-DPython_EXECUTABLE={sys.executable}")
    if importlib.util.find_spec("pybind11") is not None:
        asked = [sys.executable, "-m", "pybind11", "--cmakedir"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
        options.append(f"-Dpybind11_DIR={done.stdout.strip()}")
    else:
        click.echo("pybind11 is no package of this Python: CMake looks for one of the system")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    generator = ["-G", "Ninja"] if shutil.which("ninja", path=path) else []
    cmake = shutil.which("cmake", path=path) or "cmake"
    environment = {"PATH": path} | ({} if (compiler := nvcc()) is None else {"CUDACXX": str(compiler)})
    began = time.monotonic()
    configured = [cmake, "--fresh", "-S", str(ROOT), "-B", str(folder), *generator, *options]
    if steps.run("configure", configured, BUILD, environment)["status"] != "passed":
        return []
    parallel = str(len(machine.cores()))
    left = BUILD - (time.monotonic() - began)
    steps.run("build", [cmake, "--build", str(folder), "--parallel", parallel], left, environment)
    modules = list(folder.glob("_core*.so"))
    return [*modules, folder / "_build.py"] if steps.passed("build") and modules else []


def installed() -> list[Path]:
    """The compiled module and build record of the installed package, for a dry run."""
    spec = importlib.util.find_spec("hyperband._core")
    if spec is None or spec.origin is None:
        return []
    module = Path(spec.origin)
    return [module, *module.parent.glob("_build.py")]


def tree(folder: Path, compiled: Sequence[Path]) -> Path:
    """A fresh copy of what the steps need, with the compiled module in it."""
    shutil.rmtree(folder, ignore_errors=True)
    leave = shutil.ignore_patterns("__pycache__", "*.so", "_build.py")
    for part in ("hyperband", "tests", "benchmarks"):
        shutil.copytree(ROOT / part, folder / part, ignore=leave)
    shutil.copy2(ROOT / "pyproject.toml", folder)
    for file in compiled:
        shutil.copy2(file, folder / "hyperband")
    return folder


def contract(steps: Steps) -> None:
    """The contract suite of the real device, if pytest is there."""
    if importlib.util.find_spec("pytest") is None:
        steps.skip("contract suite", "pytest is not installed")
        return
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--maxfail=10", "tests/contract"]
    command += ["-c", os.devnull, "--rootdir", "."]  # the project's settings need plugins that may not be installed
    steps.run("contract suite", [*command, "-k", "cuda and not cuda-host"], CONTRACT, {"HYPERBAND_REQUIRE_CUDA": "1"})


def sanitize(steps: Steps, more: Sequence[str]) -> None:
    """memcheck, racecheck and synccheck over a short search; any error that they count is a failure."""
    program = sanitizer()
    for tool in TOOLS:
        name = f"compute-sanitizer {tool}"
        if program is None:
            steps.skip(name, "compute-sanitizer is neither on the PATH nor beside nvcc")
            continue
        command = [program, "--tool", tool, "--error-exitcode", "99", sys.executable, "-m", "benchmarks.gpu.states"]
        record = steps.run(name, [*command, "short", *more], SANITIZER)
        lines = [line for line in record.get("output", []) if "SUMMARY" in line]
        record["summary"] = lines[-1].strip("= ") if lines else None
        if record["status"] == "passed" and not lines:
            record |= {"status": "failed", "reason": "it ended without its summary"}
        click.echo(f"   {record['summary']}")


def _all_absent(records: Sequence[dict[str, Any]]) -> bool:
    return bool(records) and all(r["status"] == "absent" for r in records)


def timings(steps: Steps, folder: Path, more: Sequence[str]) -> dict[str, Any]:
    """All records of `benchmarks.gpu.epochs`: own epochs, peers, the search, block sizes."""
    found: dict[str, Any] = {"records": []}

    def time_it(name: str, share: float, arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
        file, limit = folder / f"{slug(name)}.json", share * steps.left()
        command = [sys.executable, "-m", "benchmarks", "gpu", *arguments, *more, "--json", str(file)]
        step = steps.run(name, [*command, "--seconds", f"{max(1.0, 0.8 * limit):.0f}"], limit, environment)
        if file.is_file():  # also written by a run that was ended
            text = json.loads(file.read_text(encoding="utf-8"))
            found.update((part, text[part]) for part in ("gpu", "build", "scale"))
            found["records"] += [r | (environment or {}) for r in text["records"]]
            if step["status"] == "failed" and name.startswith("peer") and _all_absent(text["records"]):
                steps.skip(name, text["records"][0]["reason"])

    workloads = ["small", "mixed"] if more else ["small", "mixed", "medium"]  # without a GPU the last takes too long
    epochs = [part for name in workloads for part in ("--workload", name)]
    time_it("own epochs", OWN, [*epochs, "--contender", "hyperband"])
    for peer in ("torch-graph", "jax", "torch-vmap"):
        time_it(f"peer {peer}", PEER, [*epochs, "--contender", peer, "--repetitions", "2"])
    compare(found["records"])
    time_it("search", SEARCH, ["--workload", "search"])
    for size in BLOCK_SIZES:
        environment = {"HYPERBAND_CUDA_THREADS": size}
        name = f"blocks of {size} threads"
        facts = steps.ask([sys.executable, "-m", "benchmarks.gpu.states", "facts", *more], environment)
        if str(facts.get("block_threads")) != size:
            steps.skip(name, "this build does not follow HYPERBAND_CUDA_THREADS")
            continue
        arguments = ["--workload", "small", "--workload", "medium", "--contender", "hyperband"]
        time_it(name, BLOCKS, [*arguments, "--precision", "float32", "--repetitions", "1"], environment)
    return found


def about(seconds: float, dry: bool) -> dict[str, Any]:
    """Machine, versions, commit and time."""
    compiler = nvcc()
    asked = [] if compiler is None else [str(compiler), "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout if asked else ""
    names = smi("name")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "dry_run": dry,
        "device": "host stand-in" if dry else names[0],
        "devices": names,
        "driver": smi("driver_version"),
        "nvcc": next(iter(re.findall(r"release \S+ V\S+", said)), None),
        "processor": machine.processor(),
        "processors": len(machine.cores()),
        "python": sys.version.split()[0],
        "packages": {n: v for n in (*machine.PACKAGES, "cupy-cuda13x", "pybind11") if (v := machine.installed(n))},
        "budget_seconds": seconds,
    }


def everything(steps: Steps, work: Path, dry: bool, record: dict[str, Any]) -> None:
    """Run all steps; their findings go into the record."""
    compiled = installed() if dry else build(steps, work)
    if not compiled:
        steps.skip("everything after the build", "there is no compiled module", essential=True)
        return
    steps.folder = tree(work / "tree", compiled)
    steps.environment["PYTHONPATH"] = str(steps.folder)
    more = ["--stand-in"] if dry else []
    hashes = steps.run("hashes", [sys.executable, "-m", "benchmarks.gpu.states", "hashes", *more], HASHES)
    record["hashes"] = take_json(hashes)
    if not dry:
        contract(steps)
    sanitize(steps, more)
    steps.reserve = 0.0
    record["timings"] = timings(steps, work, DRY if dry else [])


@click.command("gpu-check")
@click.option("--seconds", type=click.FloatRange(30), default=470.0, show_default=True, help="For everything.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="[default: benchmarks/results/gpu-*.json]")
@click.option("--dry-run", is_flag=True, help="The steps after the build, tiny, on the host in a GPU's place.")
def main(seconds: float, out: Path | None, dry_run: bool) -> None:
    """See `benchmarks.__main__`."""
    if not dry_run and (reason := why_no_gpu()):
        click.echo(f"no GPU: {reason}. --dry-run tries the steps on the host.", err=True)
        sys.exit(2)
    record = about(seconds, dry_run)
    click.echo(f"{record['device']}, driver {record['driver']}, nvcc {record['nvcc']}, commit {record['commit']}")
    file = out or RESULTS / f"gpu-{slug(record['device'])}.json"
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary) / "gpu" if dry_run else ROOT / "build" / "gpu"
        steps = Steps(work / "logs", seconds, TIMINGS, {"HYPERBAND_DATA": str(data())})
        try:
            everything(steps, work, dry_run, record)
        finally:  # findings before Ctrl-C are kept
            record |= {"steps": steps.records(), "seconds": steps.spent(), "passed": not steps.failures()}
            file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    click.echo(f"{steps.spent():.0f} s; written: {file}")
    if steps.failures():
        click.echo(f"FAILED: {', '.join(steps.failures())}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
