"""The parameter table: what derives from it agrees with it, in Python and in the compiled engines."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hyperband.engine import parameters as table
from hyperband.engine.architecture import ACTIVATIONS, INITS, NUMBER_EMBEDDINGS, OPTIMIZERS, Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.layout import Layout
from hyperband.engine.backends.philox import initial_values
from hyperband.engine.parameters import TABLE, Layers, named, parameters
from hyperband.errors import InputError

RNG = np.random.default_rng(5)


def architectures(n: int) -> list[tuple[Architecture, int, int]]:
    found = []
    for _ in range(n):
        a = Architecture(
            widths=RNG.integers(1, 70, RNG.integers(0, 9)).tolist(),
            activation=str(RNG.choice(ACTIVATIONS)),
            optimizer=str(RNG.choice(OPTIMIZERS)),
            init=str(RNG.choice(INITS)),
            bias_rate=float(RNG.uniform(0.1, 2.0)),
            first_layer_rate=float(RNG.uniform(0.1, 2.0)),
            input_scaling=bool(RNG.integers(2)),
            scale_rate=float(RNG.uniform(0.1, 9.0)),
            number_embedding=str(RNG.choice(NUMBER_EMBEDDINGS)),
            embedding_size=int(RNG.integers(2, 9)),
            embedding_frequencies=int(RNG.integers(1, 40)),
            embedding_rate=float(RNG.uniform(0.1, 2.0)),
            zero_output=bool(RNG.integers(2)),
            parametric_activation=bool(RNG.integers(2)),
        )
        found.append((a, int(RNG.integers(1, 100)), int(RNG.integers(1, 40))))
    return found


def layers_of(a: Architecture, n_inputs: int, n_outputs: int) -> Layers:
    """Arrays that differ from one another in every number."""
    shapes = table.shapes(a, n_inputs, n_outputs)
    return [tuple(RNG.normal(size=shape).astype(np.float32) for shape in layer) for layer in shapes]


def test_a_network_has_a_matrix_and_a_bias_a_layer() -> None:
    a = Architecture(widths=[8, 5], bias_rate=0.5, first_layer_rate=2.0)
    found = parameters(a, 4, 3)
    assert [(p.name, p.shape, p.kind.initial, p.kind.rate_factor(a, p.layer), p.kind.decay) for p in found] == [
        ("weights.0", (4, 8), "uniform", 2.0, True),
        ("bias.0", (8,), "zeros", 0.5, False),
        ("weights.1", (8, 5), "uniform", 1.0, True),
        ("bias.1", (5,), "zeros", 0.5, False),
        ("weights.2", (5, 3), "uniform", 1.0, True),
        ("bias.2", (3,), "zeros", 0.5, False),
    ]
    assert [p.name for p in found if p.over_inputs] == ["weights.0"]


def test_hidden_layers_with_a_weight_for_each_activation() -> None:
    a = Architecture(widths=[8, 5], parametric_activation=True)
    found = parameters(a, 4, 3)
    alphas = [p for p in found if p.kind.name == "alpha"]
    assert [(p.name, p.shape, p.kind.initial, p.kind.rate_factor(a, p.layer), p.kind.decay) for p in alphas] == [
        ("alpha.0", (8,), "ones", 0.1, False),
        ("alpha.1", (5,), "ones", 0.1, False),
    ]


@pytest.mark.parametrize(("a", "n_inputs", "n_outputs"), architectures(20))
def test_sizes_and_layout_follow_from_the_table(a: Architecture, n_inputs: int, n_outputs: int) -> None:
    width, embedding = n_inputs, 0
    if a.number_embedding != "none":
        components = n_inputs * (a.embedding_size - 1)
        width += components
        pbld = 2 * n_inputs * a.embedding_frequencies + components * (a.embedding_frequencies + 1)
        embedding = pbld if a.number_embedding == "pbld" else 3 * components
    expected = sum(i * o + o for i, o in pairwise((width, *a.widths, n_outputs))) + a.input_scaling * width + embedding
    expected += sum(a.widths) * a.parametric_activation
    assert a.n_parameters(n_inputs, n_outputs) == expected
    plain = Layout.of(a, n_inputs, n_outputs)
    assert plain.size == expected, "without padding nothing lies between two parameters"
    padded = Layout.of(a, n_inputs, n_outputs, lambda n: -(-n // 16) * 16)
    numbers = np.zeros(padded.size)
    for number, view in enumerate(padded.views(numbers), 1):
        assert not view.any(), "no two parameters overlap"
        view[...] = number
    assert np.count_nonzero(numbers) == expected


@pytest.mark.parametrize(("a", "n_inputs", "n_outputs"), architectures(5))
def test_named_arrays_come_back_as_layers(a: Architecture, n_inputs: int, n_outputs: int) -> None:
    layers = layers_of(a, n_inputs, n_outputs)
    arrays = named(a, layers)
    assert list(arrays) == [p.name for p in parameters(a, n_inputs, n_outputs)]
    back = table.layered({f"best.{name}": array for name, array in arrays.items()} | {"counters": np.zeros(7)}, "best.")
    assert table.shapes_of(back) == table.shapes(a, n_inputs, n_outputs) == table.shapes_of(layers)
    assert all((x == y).all() for one, two in zip(back, layers, strict=True) for x, y in zip(one, two, strict=True))
    assert table.output_width(a, layers) == n_outputs


def test_initial_values_are_those_of_the_table() -> None:
    a = Architecture(widths=[50], activation="tanh")
    weights, bias, *_ = (initial_values(3, a, p) for p in parameters(a, 30, 4))
    bound = math.sqrt(6 / 80)
    assert weights.shape == (30, 50)
    assert 0.99 * bound < np.abs(weights).max() <= np.float32(bound)
    assert not bias.any()


def test_networks_on_permuted_columns_are_put_back() -> None:
    a, columns = Architecture(widths=[3]), RNG.permutation(6)
    layers, x = layers_of(a, 6, 2), RNG.normal(size=(5, 6)).astype(np.float32)
    seen = np.array(x[:, columns])
    seen[:, 4:] = 0.0
    back = table.in_original_order(a, layers, columns, 4)
    np.testing.assert_allclose(x @ back[0][0] + back[0][1], seen @ layers[0][0] + layers[0][1], rtol=1e-5, atol=1e-6)


def compiled_engine(name: str, n_inputs: int, n_outputs: int) -> Any:
    core: Any = pytest.importorskip("hyperband._core", reason="the compiled engines are not built here")
    x, y = np.zeros((1, n_inputs), np.float32), np.zeros((1, n_outputs), np.float32)
    if name == "cpu":
        return core.Engine(x, y, None, None, (2, 0.0), n_outputs, precision=0, threads=1)
    return core.CudaEngine(x, y, None, None, (2, 0.0), n_outputs, precision=0, device=core.host_device(), limit=0)


#: Of each engine, the row length in memory of a matrix and of a vector of so many numbers.
ROW_LENGTHS = {
    "cpu": (lambda n: -(-n // 16) * 16, lambda n: -(-n // 16) * 16),
    "cuda": (lambda n: (-(-n // 4) | 1) * 4, lambda n: -(-n // 4) * 4),
}


@pytest.mark.parametrize("engine", ROW_LENGTHS)
def test_the_compiled_engines_have_the_same_table(engine: str) -> None:
    from hyperband.engine.backends.compiled import packed

    matrix, vector = ROW_LENGTHS[engine]
    for a, n_inputs, n_outputs in architectures(60):
        expected, offset = [], 0
        for p in parameters(a, n_inputs, n_outputs):
            bound = float(table.uniform_bound(a, p)) if p.kind.initial == "uniform" else 0.0
            kind, factor = p.kind, p.kind.rate_factor(a, p.layer)
            expected.append((p.name, p.shape, offset, kind.initial, bound, factor, kind.decay, kind.moments))
            offset += vector(math.prod(p.shape)) if p.kind.packed else p.shape[0] * matrix(p.shape[1])
        assert compiled_engine(engine, n_inputs, n_outputs).parameters(packed([a])) == expected


def test_a_table_that_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", TABLE[::-1])
    table.parameters.cache_clear()
    try:
        with pytest.raises(AssertionError):
            test_the_compiled_engines_have_the_same_table("cpu")
    finally:
        table.parameters.cache_clear()


@pytest.mark.parametrize("backend", ["native"])
def test_kinds_that_an_engine_lacks_are_rejected(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    lacking = replace(TABLE[1], not_with=(backend,))
    monkeypatch.setattr(checks, "TABLE", (TABLE[0], lacking))
    checks.check_kinds(Architecture(), "numba", "float32")
    with pytest.raises(InputError, match="'bias' cannot be trained with 'native'"):
        checks.check_kinds(Architecture(), backend, "float32")


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_parameters_before_the_first_layer_need_float32(precision: str) -> None:
    scaled = Architecture(input_scaling=True)
    checks.check_kinds(scaled, "cuda", "float32")
    with pytest.raises(InputError, match=f"'scale' cannot be trained with '{precision}'. Use precision='float32'."):
        checks.check_kinds(scaled, "native", precision)
