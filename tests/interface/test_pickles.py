"""What can be pickled: the package, its public names, and the objects that they make."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hyperband as hb

ROOT = Path(__file__).parents[2]
SPACE = hb.Space(
    {
        "rate": hb.Float(1e-3, 1.0, log=True),
        "kind": hb.Choice(["adam", None, (1, 2)]),
        "layers": hb.Repeat(1, 3, {"units": hb.Int(1, 64)}),
        "momentum": hb.Float(0.0, 1.0),
    },
    conditions=[hb.When("momentum", "kind", "adam")],
)
LINE = hb.Space({"x": hb.Float(0.0, 1.0)})
#: Arguments of the public names that are classes, an object of each of which is pickled.
MADE = {
    "ASHA": (9,),
    "AdaptiveSearch": (9,),
    "AsyncHyperband": (9,),
    "BOHB": (9,),
    "DEHB": (9,),
    "GridSearch": (9,),
    "HalvingSequence": (9,),
    "Hyperband": (9,),
    "PASHA": (9,),
    "PBT": (9,),
    "PriorBand": (9,),
    "RandomSearch": (3,),
    "SuccessiveHalving": (9,),
    "Architecture": ([8, 4],),
    "Budget": (3.0,),
    "Compute": (),
    "Evaluation": (0.5, {"weights": [1]}),
    "TableOptions": (),
    "Training": (),
    "Workers": (2,),
    "GroupSplit": ("group", 3),
    "KFold": (5, 2),
    "TimeSplit": ("day", 0.2),
    "AdaptiveSampler": (),
    "EvolutionSampler": (),
    "GridSampler": (),
    "IterableSampler": ([{"x": 0.5}],),
    "KDESampler": (),
    "PriorBandSampler": (),
    "PriorSampler": (),
    "QuasiRandomSampler": (),
    "RandomSampler": (),
    "WarmStartSampler": (hb.RandomSampler(),),
    "Choice": (["a", None],),
    "Float": (0.0, 1.0),
    "Int": (1, 9),
    "Repeat": (1, 3, {"units": hb.Int(1, 64)}),
    "When": ("b", "a", [1]),
    "Job": (0, 0, 0, {"x": 0.5}, 1.0),
    "Result": (0, 0, 0, 1.0, 0.5),
    "BackendUnavailable": ("reason",),
    "DataError": ("reason",),
    "HyperbandError": ("reason",),
    "InputError": ("reason",),
    "InsufficientMemory": ("reason",),
    "ModelFileError": ("reason",),
    "ObjectiveError": ("reason",),
}
#: Functions and the version; a type whose objects own memory of an engine; types of which objects are made below.
OTHERS = {
    *("__version__", "search", "minimize", "distil", "show_config"),
    "Population",
    *("Model", "PreparedTable", "SearchResult", "Space"),
}


def again(thing):
    return pickle.loads(pickle.dumps(thing))


def test_no_public_name_is_left_out():
    assert sorted({*MADE, *OTHERS}) == sorted(hb.__all__)


def test_the_package_itself():
    assert again(hb) is hb


@pytest.mark.parametrize("name", hb.__all__)
def test_public_names(name):
    value = getattr(hb, name)
    assert again(value) == value if name == "__version__" else again(value) is value


@pytest.mark.parametrize("name", MADE)
def test_objects(name):
    made = getattr(hb, name)(*MADE[name])
    assert repr(again(made)) == repr(made)
    if hasattr(made, "to_dict"):
        assert again(made).to_dict() == made.to_dict()


def test_spaces():
    copy, points = again(SPACE), np.random.default_rng(0).random((9, SPACE.n_dimensions))
    assert copy == SPACE and copy.decode(copy.activate(points)) == SPACE.decode(SPACE.activate(points))


def test_results_of_minimize():
    result = hb.minimize(lambda c, r: c["x"] / r, LINE, hb.Hyperband(9), seed=1)
    copy = again(result)
    assert copy.best == result.best and copy.trials.keys() == result.trials.keys()
    for name, column in result.trials.items():
        np.testing.assert_array_equal(copy.trials[name], column)
    assert copy.plot.curves() is not None


def test_results_and_models_of_a_search():
    X = np.random.default_rng(0).normal(size=(120, 3))
    table = {"a": X[:, 0], "b": X[:, 1], "c": list("xyz") * 40}
    y = np.where(X[:, 0] > 0, "yes", "no")
    result = hb.search(table, y, algorithm=hb.RandomSearch(n=2, max_resource=2), seed=0)
    copy = again(result)
    assert copy.best.configuration == result.best.configuration and copy.training == result.training
    for model, same in ((result.model, copy.model), (result.best.network, again(result.best.network))):
        np.testing.assert_array_equal(same.predict_proba(table), model.predict_proba(table))


def test_prepared_tables():
    from hyperband.tables import prepare_table

    prepared = prepare_table("sklearn:iris", seed=3)
    copy = again(prepared)
    assert isinstance(copy, hb.PreparedTable)
    np.testing.assert_array_equal(
        copy.dataset("standard", fold=0).x_train, prepared.dataset("standard", fold=0).x_train
    )


def test_closures_of_cloudpickle_in_a_new_process():
    cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    rate = 0.5
    closure = cloudpickle.dumps(lambda: (hb.__name__, hb.search, hb.minimize, hb.Float(rate, 1.0)))
    code = "import pickle, sys; print(*pickle.load(sys.stdin.buffer)())"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=closure, capture_output=True, check=True)
    assert printed.stdout.startswith(b"hyperband <function search at ") and b"Float(low=0.5, high=1.0" in printed.stdout
    for thing in (hb, hb.search, SPACE, hb.BOHB(9)):
        assert repr(pickle.loads(cloudpickle.dumps(thing))) == repr(thing)
