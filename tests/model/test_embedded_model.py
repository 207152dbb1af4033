"""A network that embeds numbers, from a table with numbers, gaps and categories to a file and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Member, Split
from hyperband.engine.parameters import layered
from hyperband.errors import InputError
from hyperband.model import Model
from hyperband.tables import prepare

NETWORK = Architecture(widths=[8], learning_rate=0.01, number_embedding="pbld", input_scaling=True)


def test_a_saved_model_predicts_the_same(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    height = rng.normal(size=200)
    table = pl.DataFrame(
        {
            "height": [None if i % 9 == 0 else float(h) for i, h in enumerate(height)],
            "colour": rng.choice(["red", "green", "blue"], 200),
            "width": rng.normal(size=200),
            "y": (height > 0).astype(int),
        }
    )
    prepared = prepare(table, target="y")
    assert prepared.n_numbers == 2 and prepared.n_features > 4
    assert set(prepared.feature_names[:2]) == {"height", "width"}
    train = Split(prepared.x_train, prepared.y_train, numbers=prepared.n_numbers)
    engine = registry.get("numpy").engine(train, None, prepared.loss, prepared.n_outputs)
    (member,) = engine.add([Member(NETWORK, 1, 30)])
    engine.train(np.array([member]), np.array([30]))
    model = Model.of_one(prepared.preprocessing, NETWORK, layered(engine.export_state(int(member))))
    model.save(tmp_path / "model.hb")
    again = Model.load(tmp_path / "model.hb")
    z = engine.predict(int(member), prepared.preprocessing.transform(table.head(20)))[:, 0].astype(float)
    for backend in (name for name in ("numpy", "numba", "native") if not registry.available()[name]):
        found = again.predict_proba(table.head(20), backend=backend)[:, 1]
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-z)), atol=1e-5)
    first, *others = model.members[0].weights
    fewer = [tuple(array[:1] if array.ndim == 3 else array for array in first), *others]
    with pytest.raises(InputError, match="shapes of the architecture"):
        Model.of_one(prepared.preprocessing, NETWORK, fewer)
