"""From configurations to architectures, and the default space of networks."""

from __future__ import annotations

import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.network_space import default_space, to_architecture
from hyperband.errors import InputError
from hyperband.interface.defaults import GRID_SPACE
from hyperband.tuning.samplers import RandomSampler


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic", "mse"])
@pytest.mark.parametrize("n_rows", [1, 7, 200, 3000, 10**6])
def test_every_default_configuration_is_a_network(n_rows, loss):
    space = default_space(n_rows, 5, 3 if loss == "cross_entropy" else 1, loss, views=("standard", "bins"), n_numbers=5)
    configurations = space.decode(RandomSampler().start(space, 0).propose(range(300)))
    networks = [to_architecture(c) for c in configurations]
    assert len({n.widths for n in networks}) == 9
    assert {n.number_embedding for n in networks} == {"none", "pbld", "cosine"}
    assert {c["view"] for c in configurations} == {"standard", "bins"}
    assert any(n.label_smoothing > 0 for n in networks) == (loss != "mse")
    assert isinstance(to_architecture(space.defaults()), Architecture)


def test_larger_tables_get_larger_batches():
    def usual(n):
        return default_space(n, 5, 3, "cross_entropy").defaults()["batch_size"]

    assert [usual(n) for n in (500, 30_000, 30_001, 100_000, 10**6)] == [64, 64, 128, 128, 256]


def test_a_table_without_numbers_or_views_has_no_such_parameters():
    names = default_space(500, 5, 3, "cross_entropy").names
    assert not {"view", "number_embedding", "frequency_scale"} & set(names)


@pytest.mark.parametrize(("n_numbers", "embedded"), [(1, True), (256, True), (257, False)])
def test_numbers_are_embedded_where_the_first_layer_stays_small(n_numbers, embedded):
    space = default_space(500, n_numbers, 3, "cross_entropy", n_numbers=n_numbers)
    assert ("number_embedding" in space.names) == ("frequency_scale" in space.names) == embedded


def test_at_most_fourteen_dimensions_are_searched():
    space = default_space(500, 5, 3, "cross_entropy", views=("standard", "bins"), n_numbers=5)
    constant = [name for name, parameter in space.parameters.items() if parameter.n_values == 1]
    assert len(space.names) - len(constant) <= 14


def test_the_default_grid_is_small():
    found = GRID_SPACE.decode(GRID_SPACE.grid(3))
    assert len(found) == 3 * 3 * 3 * 2
    assert all(to_architecture(c).widths == (c["width"],) * c["n_layers"] for c in found)


@pytest.mark.parametrize(
    ("configuration", "widths"),
    [
        ({"widths": [9, 7]}, (9, 7)),
        ({"widths": []}, ()),
        ({"width": 5}, (5,)),
        ({"width": 5, "n_layers": 3}, (5, 5, 5)),
        ({"width": 5, "n_layers": 0}, ()),
        ({"width_1": 4, "width_2": 3}, (4, 3)),
        ({"n_layers": 1, "width_1": 4, "width_2": 3}, (4,)),
        ({}, Architecture().widths),
    ],
)
def test_three_ways_to_describe_layers(configuration, widths):
    assert to_architecture(configuration).widths == widths


def test_settings_go_to_the_fields_of_their_name():
    made = to_architecture({"optimizer": "sgd", "sgd_learning_rate": 0.3, "dropout": 0.2, "activation": "tanh"})
    assert (made.optimizer, made.learning_rate, made.dropout, made.activation) == ("sgd", 0.3, 0.2, "tanh")


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"learning_rat": 0.1}, "Did you mean 'learning_rate'"),
        ({"width": 4, "width_1": 4}, "one way"),
        ({"widths": [4], "n_layers": 1}, "one way"),
        ({"n_layers": 2, "width_1": 4}, "'width_2'"),
        ({"width": 4, "n_layers": 9}, "0 to 8"),
        ({"width": 4, "n_layers": 1.5}, "1.5"),
        ({"sgd_learning_rate": 0.1}, "optimizer sgd"),
        ({"optimizer": "sgd", "sgd_learning_rate": 0.1, "learning_rate": 0.1}, "Only one"),
        ({"activation": "swish"}, "activation"),
    ],
)
def test_what_is_no_network_is_refused(configuration, message):
    with pytest.raises(InputError, match=message):
        to_architecture(configuration)
