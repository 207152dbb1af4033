"""Embeddings of numbers: the published formulas on paper, initial values, turns, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import hyperband as hb
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Member
from hyperband.engine.backends.philox import initial_values, normal_quantile, philox
from hyperband.engine.parameters import layered, named, parameters
from hyperband.errors import InputError
from hyperband.testing import lab

PBLD = Architecture(widths=[6], activation="tanh", batch_size=16, number_embedding="pbld", input_scaling=True)
COSINE = replace(PBLD, number_embedding="cosine", embedding_size=3, frequency_scale=1.0)
HERE = [name for name in ("numpy", "numba", "native") if not registry.available()[name]]


def on_paper(a: Architecture, state: dict[str, Any], x: Any) -> Any:
    """Outputs of a network with one hidden layer, number by number."""
    s = {name: array.astype(float) for name, array in state.items()}
    out = []
    for row in x.astype(float):
        components = []
        for c, (w, b) in enumerate(zip(s["frequency.0"], s["phase.0"], strict=True)):
            waves = np.cos(2 * np.pi * w * row[c] + b)
            if a.number_embedding == "pbld":
                components += list(s["mixing.0"][c] @ waves + s["shift.0"][c])
            else:
                components += list(s["amplitude.0"][c] * waves)
        inputs = np.array([*row, *components]) * s["scale.0"]
        hidden = np.tanh(inputs @ s["weights.0"] + s["bias.0"])
        out.append(hidden @ s["weights.1"] + s["bias.1"])
    return np.array(out)


@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("architecture", [PBLD, COSINE], ids=["pbld", "cosine"])
@pytest.mark.parametrize("numbers", [0, 3, None])
def test_outputs_are_those_of_the_formula(backend: str, architecture: Architecture, numbers: int | None) -> None:
    data = lab.split("mse", 50, 5)
    made = registry.get(backend).engine(replace(data, numbers=numbers), None, "mse", 3)
    (member,) = made.add([Member(architecture, 3, 40)]).tolist()
    lab.train(made, member, 8)
    state, x = made.export_state(member), lab.split("mse", 70, 5, seed=2).x
    assert state["frequency.0"].shape[0] == (5 if numbers is None else numbers)
    expected = on_paper(architecture, state, x)
    np.testing.assert_allclose(made.predict(member, x), expected, atol=3e-6)
    again = registry.get(backend).forward(architecture, layered(state), x)
    np.testing.assert_allclose(again, expected, atol=3e-6)


def test_a_column_far_away_is_a_whole_or_half_turn() -> None:
    x = np.full((2, 5), 3e30, np.float32)
    x[1] = -3e30
    for backend in HERE:
        made = lab.engine(registry.get(backend), "mse", inputs=5)
        (member,) = made.add([Member(replace(PBLD, activation="step"), 3, 40)]).tolist()
        assert np.isfinite(made.predict(member, x)).all()


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    drawn = np.unique(np.concatenate([np.linspace(0, 2**32 - 1, 3001), [1, 5, 1000, 2**31]]).astype(np.uint32))
    truth = np.array([NormalDist().inv_cdf((int(each) + 0.5) / 2**32) for each in drawn.tolist()])
    np.testing.assert_allclose(normal_quantile(drawn), truth, rtol=3e-7, atol=1e-12)


def test_initial_values_follow_the_stated_counters() -> None:
    a = replace(PBLD, frequency_scale=0.3, embedding_frequencies=20)
    listed = {p.kind.name: p for p in parameters(a, 40, 2) if p.layer == 0}
    values = {name: initial_values(11, a, p) for name, p in listed.items()}
    for name, stream in (("frequency", 1), ("phase", 2), ("mixing", 3), ("shift", 4)):
        for e in (0, 3, 57):
            word = philox(11, e >> 2, stream, 0, 1 << 16)[e & 3]
            if name == "frequency":
                expected = np.float32(0.3 * normal_quantile(np.array(word)))
            else:
                bound = np.float32(np.pi if name == "phase" else np.sqrt(1 / 20))
                expected = np.float32(2 * np.float32((int(word) >> 8) * 2.0**-24) - 1) * bound
            assert values[name].ravel()[e] == expected, name
    assert values["frequency"].std() == pytest.approx(0.3, rel=0.05)
    assert abs(values["frequency"].mean()) < 0.04
    assert np.abs(values["phase"]).max() == pytest.approx(np.pi, rel=0.01)
    assert (initial_values(1, COSINE, parameters(COSINE, 4, 2)[-3]) == 1).all(), "amplitudes"


def test_original_columns_come_first() -> None:
    """Weights of the data's columns are where a network without an embedding has them."""
    a = replace(PBLD, input_scaling=False)
    shapes = {p.name: p.shape for p in parameters(a, 7, 2, 4)}
    assert shapes["weights.0"] == (7 + 4 * 3, 6)
    assert shapes["mixing.0"] == (4, 3, 16) and shapes["shift.0"] == (4, 3)
    assert a.n_parameters(7, 2, 4) == sum(int(np.prod(s)) for s in shapes.values())


def test_columns_that_are_no_numbers_are_left_alone() -> None:
    """Components depend on the first columns alone."""
    made = registry.get("numpy").engine(replace(lab.split("mse", 50, 5), numbers=2), None, "mse", 3)
    (member,) = made.add([Member(replace(PBLD, input_scaling=False), 3, 40)]).tolist()
    state = made.export_state(member)
    state["weights.0"][:5] = 0.0
    made.import_state(member, state)
    x = np.array(lab.split("mse", 4, 5).x)
    before = made.predict(member, x)
    x[:, 2:] += 1.0
    np.testing.assert_array_equal(made.predict(member, x), before)
    x[:, 1] += 0.7
    assert (made.predict(member, x) != before).any()


@pytest.mark.parametrize("backend", HERE)
def test_part_of_the_columns_is_refused(backend: str) -> None:
    made = lab.engine(registry.get(backend))
    ids = made.add(lab.members([Architecture(), PBLD]))
    lab.train(made, ids[:1], 1, inputs=4)
    with pytest.raises(InputError, match="must see all 9 columns; got inputs 4"):
        lab.train(made, ids, 2, inputs=4)
    assert made.progress(ids).step.tolist() == [1, 0], "nobody was trained"


@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("numbers", [-1, 10, 2.5])
def test_impossible_numbers_of_columns_are_refused(backend: str, numbers: Any) -> None:
    data = replace(lab.split("mse", 20), numbers=numbers)
    with pytest.raises(InputError, match="`numbers`"):
        registry.get(backend).engine(data, None, "mse", 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"number_embedding": "fourier"}, "`number_embedding` must be one of none, pbld, cosine; got 'fourier'"),
        ({"embedding_size": 1}, "`embedding_size`"),
        ({"embedding_size": 33}, "`embedding_size`"),
        ({"embedding_frequencies": 0}, "`embedding_frequencies`"),
        ({"embedding_frequencies": 65}, "`embedding_frequencies`"),
        ({"frequency_scale": 0.0}, "`frequency_scale` must lie in"),
        ({"embedding_rate": -1.0}, "`embedding_rate` must lie in"),
        ({"scale_rate": 0.0}, "`scale_rate` must lie in"),
        ({"bias_rate": float("nan")}, "`bias_rate` must lie in"),
        ({"first_layer_rate": 0.0}, "`first_layer_rate` must lie in"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Architecture(**settings)


@pytest.mark.parametrize("backend", HERE)
def test_weights_of_another_number_of_columns_are_refused(backend: str) -> None:
    made = lab.engine(registry.get("numpy"), "mse", inputs=5)
    (member,) = made.add([Member(PBLD, 3, 40)]).tolist()
    layers = layered(made.export_state(member))
    with pytest.raises(InputError, match="layer 0, must hold"):
        registry.get(backend).forward(PBLD, layers, np.zeros((2, 6), np.float32))
    broken = [tuple(array[:-1] if array.ndim == 3 else array for array in layers[0]), *layers[1:]]
    with pytest.raises(InputError, match="layer 0, must hold"):
        registry.get(backend).forward(PBLD, broken, np.zeros((2, 5), np.float32))


def test_arrays_have_names() -> None:
    made = lab.engine(registry.get("numpy"), "mse", inputs=5)
    (member,) = made.add([Member(COSINE, 3, 40)]).tolist()
    assert list(named(COSINE, layered(made.export_state(member)))) == [
        "weights.0", "bias.0", "scale.0", "frequency.0", "phase.0", "amplitude.0", "weights.1", "bias.1",
    ]  # fmt: skip


def test_a_wave_that_plain_networks_cannot_follow() -> None:
    """sin(7 x) of one column: components let a linear model follow it."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (400, 1)).astype(np.float32)
    y = np.sin(7 * x[:, 0])
    plain = Architecture(widths=[], learning_rate=0.02, batch_size=40)
    waves = replace(plain, number_embedding="pbld", frequency_scale=1.0, embedding_rate=1.0)
    population = hb.Population([plain, waves], x, y, epochs=60, validation=(x, y))
    population.train()
    loss = population.progress().loss
    assert loss[1] < 0.05 < 0.4 < loss[0]
