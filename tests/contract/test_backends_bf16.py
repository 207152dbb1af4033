"""Products of bfloat16 numbers: the rounding that is promised, bits that depend on nothing else, clear refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hyperband as hb
from hyperband._common import build_info
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import EngineSettings
from hyperband.errors import BackendUnavailable, InputError
from hyperband.testing import lab

KINDS = {"amx": {"amx_bf16", "amx_tile"}, "avx512bf16": {"avx512_bf16"}}


def offered() -> list[str]:
    """By the operating system's word, if the native engine is there and its compiler knew the instructions."""
    cpuinfo = Path("/proc/cpuinfo")
    words = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    return [kind for kind, needs in KINDS.items() if needs <= words] if build_info.kind() == "native" else []


needs_bf16 = pytest.mark.skipif(not offered(), reason="this processor has neither AMX nor AVX512_BF16, or no engine")


@needs_bf16
@pytest.mark.parametrize("kind", KINDS)
def test_each_instruction_rounds_the_factors_of_products_and_nothing_else(kind: str) -> None:
    if kind not in offered():
        pytest.skip(f"this processor has no {kind}")
    script = f"""import sys; sys.path.insert(0, {str(Path(__file__).parents[1] / "support")!r})
import rounding
from hyperband import _core
from hyperband.engine.backends import registry
print(_core.bf16(), rounding.worst_step(registry.get("native"), "bf16"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HYPERBAND_BF16": kind}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    used, worst = done.stdout.split()
    assert used == kind
    # A number beside a boundary may be rounded to either side; a wrong index or a missing row is off by 1.
    assert float(worst) < 2e-3


@needs_bf16
@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
def test_no_bit_depends_on_company_threads_or_pauses(loss: str) -> None:
    networks = [*lab.MIXED, *lab.same_shape(lab.MIXED[2])[:4], *lab.LARGE]
    data = lab.split(loss, 300, 40, weighted=True)

    def digests(which: list[int], threads: int, seconds: float | None) -> list[str]:
        engine = registry.get("native").engine(
            data, data, loss, lab.N_OUTPUTS[loss], EngineSettings(threads=threads, precision="bf16")
        )
        ids = engine.add([lab.members(networks)[i] for i in which])
        while not lab.train(engine, ids, 7, seconds=seconds).all():
            pass
        return lab.digests(engine, ids)

    everyone = list(range(len(networks)))
    together = digests(everyone, 3, None)
    assert digests(everyone[::-1], 1, 1e-6) == together[::-1]
    assert [digests([i], 2, None)[0] for i in everyone] == together


@needs_bf16
def test_curves_stay_near_those_in_float32() -> None:
    """Every activation, optimiser and loss of the mixed populations, batches in parts, clipping, dropout."""
    networks = [*lab.MIXED, *lab.LARGE]
    data = lab.split("cross_entropy", 300, 40)
    flat = {}
    for precision in ("float32", "bf16"):
        engine = registry.get("native").engine(
            data, data, "cross_entropy", 4, EngineSettings(threads=1, precision=precision)
        )
        ids = engine.add(lab.members(networks))
        initial = [lab.flat(lab.layers(engine.export_state(int(i)))) for i in ids]
        lab.train(engine, ids, 4)
        flat[precision] = [
            lab.flat(lab.layers(engine.export_state(int(i)))) - b for i, b in zip(ids, initial, strict=True)
        ]
    for network, exact, found in zip(networks, flat["float32"], flat["bf16"], strict=True):
        gap = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
        assert 0 < gap < 0.2, (gap, network)


@needs_bf16
def test_a_population_learns_as_well() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 20)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(int)
    networks = [Architecture(widths=[64, 32], learning_rate=0.01, batch_size=32)] * 4
    error = {}
    for precision in ("float32", "bf16"):
        population = hb.Population(
            networks, x[:400], y[:400], seed=1, epochs=30, validation=(x[400:], y[400:]), precision=precision
        )
        population.train()
        error[precision] = float(np.mean(population.progress().best_error))
    assert error["float32"] < 0.2
    assert abs(error["bf16"] - error["float32"]) < 0.05


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_backends_without_such_products_say_so(backend: str) -> None:
    if registry.available()[backend]:
        pytest.skip(registry.available()[backend])
    with pytest.raises(BackendUnavailable, match="no bf16 products.*float32"):
        hb.Population([Architecture()], [[0.0], [1.0]], [0, 1], backend=backend, precision="bf16")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(InputError, match="`precision` must be one of float32, tf32, bf16; got 'fp8'"):
        hb.Population([Architecture()], [[0.0], [1.0]], [0, 1], precision="fp8")
    with pytest.raises(InputError, match="`precision` must be one of float32, tf32, bf16; got 16"):
        hb.search("nowhere.csv", target="y", compute=hb.Compute(precision=16))  # type: ignore[arg-type]


@pytest.mark.skipif(build_info.kind() != "native", reason="the native engine is not built")
def test_instructions_that_are_not_there_are_refused() -> None:
    script = "import hyperband as hb; hb.Population([hb.Architecture()], [[0.], [1.]], [0, 1], precision='bf16')"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "HYPERBAND_BF16": "abacus"}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "BackendUnavailable" in done.stderr
    assert "`HYPERBAND_BF16` must be amx or avx512bf16" in done.stderr
    assert "got 'abacus'" in done.stderr
