"""Products on a GPU's tensor cores, in tf32 and bf16: the rounding that is promised, races, the ranks of rungs.

On a host that stands in for a GPU the sums run in order; on a GPU in the hardware's. So the bits are those of a device.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import host_cuda
from rounding import worst_step

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, EngineSettings
from hyperband.engine.losses import LOSSES
from hyperband.testing import lab

pytestmark = pytest.mark.skipif(bool(registry.available()["native"]), reason="the compiled engine is not built")

PRECISIONS = ("tf32", "bf16")
NETWORKS = [*lab.MIXED, *lab.LARGE]
#: How far weights may be from float32's after four steps, of the way that these moved them [0.12; 0.13]; most are far
#: nearer, but an optimiser that divides by the root of a small second moment makes much of a small gradient.
NEAR = {"tf32": 0.15, "bf16": 0.25}
#: Rank correlation of losses with those of float32 over a population, at least.
ALIKE = {"tf32": 0.99, "bf16": 0.95}


def moved(backend: Backend, precision: str, loss: str = "cross_entropy", steps: int = 4) -> list[np.ndarray]:
    """How far each network's weights went."""
    data = lab.split(loss, 300, 40)
    made = backend.engine(data, data, loss, lab.N_OUTPUTS[loss], EngineSettings(precision=precision))
    ids = made.add(lab.members(NETWORKS))
    initial = [lab.flat(lab.layers(made.export_state(int(i)))) for i in ids]
    lab.train(made, ids, steps)
    return [lab.flat(lab.layers(made.export_state(int(i)))) - b for i, b in zip(ids, initial, strict=True)]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_factors_of_products_are_rounded_and_nothing_else(precision: str) -> None:
    # A number beside a boundary may be rounded to either side; a wrong index or a missing row is off by 1.
    assert worst_step(host_cuda(1), precision) < 2e-3


@pytest.mark.parametrize("size_class", range(4))
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_threads_order_and_class_do_not_matter(precision: str, loss: str, size_class: int) -> None:
    data = lab.split(loss, 70, 21, weighted=True)
    found = []
    for options in (
        {"threads": 1},
        {"threads": 256, "order": "reverse"},
        {"threads": 96, "order": "shuffled", "watched": True, "size_class": size_class},
    ):
        made = host_cuda(1, **options).engine(
            data, data, loss, lab.N_OUTPUTS[loss], EngineSettings(precision=precision)
        )
        ids = made.add(lab.members(lab.MIXED))
        lab.train(made, ids, 3)
        found.append(lab.digests(made, ids))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "quantile"])  # its gradient jumps at 0
@pytest.mark.parametrize("precision", PRECISIONS)
def test_curves_stay_near_those_in_float32(native: Backend, precision: str, loss: str) -> None:
    """Every activation and optimiser, batches in parts, clipping, dropout."""
    for network, exact, found in zip(NETWORKS, moved(native, "float32", loss), moved(host_cuda(), precision, loss)):
        gap = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
        assert 0 < gap < NEAR[precision], (gap, network)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_not_a_number_does_not_get_lost_in_rounding(precision: str) -> None:
    assert _diverged(host_cuda(1), precision)


def _diverged(backend: Backend, precision: str) -> bool:
    """Whether networks whose hidden layers overflow stop, those that do so in their first layers too."""
    data = lab.split("mse", 60)
    made = backend.engine(data, None, "mse", 3, EngineSettings(precision=precision))
    wild = Architecture(widths=[8, 8, 8], activation="gelu", optimizer="sgd", learning_rate=1e6, batch_size=20)
    ids = made.add(lab.members([wild, replace(wild, activation="relu"), replace(wild, activation="identity")]))
    lab.train(made, ids, 30)
    return bool(made.progress(ids).diverged.all())


def rungs_agree(precision: str, backend: str, epochs: int = 8, members: int = 60) -> tuple[float, float]:
    """Rank correlation of losses with those in float32, and the part of the best third that both choose."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 12)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(int)
    networks = [
        Architecture(
            widths=[int(w) for w in rng.integers(4, 40, rng.integers(1, 3))],
            activation=str(rng.choice(["relu", "tanh", "gelu"])),
            learning_rate=float(10 ** rng.uniform(-3.5, -1.5)),
            batch_size=int(rng.choice([16, 32, 64])),
        )
        for _ in range(members)
    ]
    ranks, best = [], []
    for kind in ("float32", precision):
        population = hb.Population(
            networks, x[:350], y[:350], seed=1, epochs=epochs, validation=(x[350:], y[350:]), precision=kind,
            backend=backend,
        )  # fmt: skip
        population.train()
        order = np.argsort(population.progress().best_loss)
        ranks.append(np.argsort(order))
        best.append(set(order[: members // 3].tolist()))
    return float(np.corrcoef(*ranks)[0, 1]), len(best[0] & best[1]) / len(best[0])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_rungs_are_ranked_as_in_float32(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    """Statistically: whom a rung would promote is, but for neighbours, whom it would promote in float32."""
    monkeypatch.setitem(registry.made, "cuda", host_cuda(1))
    correlation, shared = rungs_agree(precision, "cuda")
    assert correlation > ALIKE[precision]
    assert shared >= 0.85


# ---- a real GPU ------------------------------------------------------------------------------------------------


@pytest.mark.device
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_rounds_factors_and_nothing_else(cuda: Backend, precision: str) -> None:
    assert worst_step(cuda, precision) < 4e-3  # tensor cores cut the last bits of sums off


@pytest.mark.device
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_keeps_what_is_not_a_number(cuda: Backend, precision: str) -> None:
    assert _diverged(cuda, precision)


@pytest.mark.device
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_stays_near_float32(native: Backend, cuda: Backend, precision: str) -> None:
    for exact, found in zip(moved(native, "float32"), moved(cuda, precision)):
        assert 0 < float(np.linalg.norm(found - exact) / np.linalg.norm(exact)) < NEAR[precision]


@pytest.mark.device
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_ranks_rungs_as_in_float32(cuda: Backend, precision: str) -> None:
    correlation, shared = rungs_agree(precision, cuda.name, epochs=20, members=200)
    assert correlation > ALIKE[precision]
    assert shared >= 0.85
