"""The records that cross to C++ are those of Python, field by field and name by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from hyperband.engine.architecture import CHOICES, Architecture
from hyperband.engine.backends.base import PRECISIONS
from hyperband.engine.losses import LOSSES

_core = pytest.importorskip("hyperband._core", reason="hyperband._core is not built", exc_type=ImportError)
compiled = pytest.importorskip("hyperband.engine.backends.compiled", exc_type=ImportError)

EVERY_FIELD = Architecture(
    widths=[3, 70], activation="silu", optimizer="rmsprop", schedule="exponential", init="lecun", batch_size=17,
    nesterov=True, learning_rate=0.25, momentum=0.5, beta1=0.125, beta2=0.75, epsilon=0.0625, weight_decay=2.0,
    warmup=0.375, final_rate=0.875, clip_norm=4.0, dropout=0.625, label_smoothing=0.1875,
    bias_rate=0.1875, first_layer_rate=1.5, input_scaling=True, scale_rate=3.0,
    number_embedding="cosine", embedding_size=9, embedding_frequencies=5, frequency_scale=0.75, embedding_rate=0.4375,
    dropout_schedule="flat_cos", decay_schedule="flat_cos", zero_output=True,
    parametric_activation=True, weight_average=0.03125,
)  # fmt: skip


def test_the_struct_has_the_fields_of_the_dataclass() -> None:
    assert set(_core.architecture_dtype().names) == {field.name for field in fields(Architecture)} | {"n_hidden"}


def test_numbered_names_are_in_the_same_order() -> None:
    assert _core.choices() == {**CHOICES, "loss": LOSSES, "precision": PRECISIONS}


def test_every_field_arrives_under_its_name() -> None:
    assert all(getattr(EVERY_FIELD, f.name) != f.default for f in fields(Architecture)), "a default proves nothing"
    plain, record = compiled.packed([Architecture(widths=()), EVERY_FIELD])
    assert plain["n_hidden"] == 0 and not plain["widths"].any()
    assert record["n_hidden"] == 2 and record["widths"].tolist() == [3, 70, 0, 0, 0, 0, 0, 0]
    for field in fields(Architecture):
        name, value = field.name, getattr(EVERY_FIELD, field.name)
        if name != "widths":
            assert record[name] == (CHOICES[name].index(value) if name in CHOICES else value), name
    assert compiled.packed([]).shape == (0,)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_hidden", 9, "at most 8 hidden layers"),
        ("n_hidden", -1, "at most 8 hidden layers"),
        ("widths", 1025, "from 1 to 1024; got 1025"),
        ("widths", 0, "from 1 to 1024; got 0"),
        ("batch_size", 0, "from 1 to 4096; got 0"),
        ("batch_size", 4097, "from 1 to 4096; got 4097"),
        ("activation", 10, "`activation` is out of range"),
        ("optimizer", 4, "`optimizer` is out of range"),
        ("schedule", 5, "`schedule` is out of range"),
        ("init", -1, "`init` is out of range"),
        ("number_embedding", 3, "`number_embedding` is out of range"),
        ("embedding_size", 33, "from 2 to 32; got 33"),
        ("embedding_frequencies", 65, "from 1 to 64; got 65"),
        ("dropout_schedule", 2, "`dropout_schedule` is out of range"),
        ("decay_schedule", -1, "`decay_schedule` is out of range"),
    ],
)
def test_a_record_that_kernels_could_not_index_by_is_refused(field: str, value: int, message: str) -> None:
    records = compiled.packed([Architecture(), Architecture()])
    records[field][1] = value
    x, y = np.zeros((4, 2), np.float32), np.zeros(4, np.int32)
    engine = _core.Engine(x, y, None, None, (0, 0.0), 2, precision=0, threads=1)
    with pytest.raises(ValueError, match=message):
        engine.add(records, [1, 2], [1, 1])
    assert engine.add(compiled.packed([Architecture()]), [1], [1]) == [0], "none of them was added"


def test_records_of_another_type_are_refused() -> None:
    engine = _core.Engine(
        np.zeros((4, 2), np.float32), np.zeros(4, np.int32), None, None, (0, 0.0), 2, precision=0, threads=1
    )
    with pytest.raises(TypeError):
        engine.bytes_per_member(np.zeros(1, [("n_hidden", np.int32)]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": 1}, "must be float32 or bf16 on the CPU; got tf32"),
        ({"precision": 3}, "`precision` is out of range"),
        ({"threads": 0}, "`threads` must be at least 1; got 0"),
        ({"loss": (5, 0.0)}, "`loss` or `n_outputs` is out of range"),
    ],
)
def test_resources_that_the_engine_cannot_use_are_refused(settings: dict[str, Any], message: str) -> None:
    given = {"loss": (0, 0.0), "n_outputs": 2, "precision": 0, "threads": 1, **settings}
    with pytest.raises(ValueError, match=message):
        _core.Engine(np.zeros((4, 2), np.float32), np.zeros(4, np.int32), None, None, **given)
