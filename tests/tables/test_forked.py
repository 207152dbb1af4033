"""A process that was forked after polars had started its threads: it works or says why not, and never hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

ROOT = Path(__file__).parents[2]
#: Of a script that shall use the package of these tests: an editable install comes before every path.
THIS_PACKAGE = "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'ScikitBuild' not in type(f).__name__]\n"
#: What every script begins with: `outcome` says what came of a task in a process of its own.
PARENT = """
import json, os, signal, sys, warnings
import numpy as np, polars as pl
import hyperband as hb
from hyperband.tables import as_table, prepare_table, read_table

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(120, 3))
y = np.where(X[:, 0] > 0, "yes", "no")
algorithm = hb.RandomSearch(n=1, max_resource=1)
frame = {"a": X[:, 0], "b": X[:, 1], "c": list("xyz") * 40}


def outcome(task):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(40)  # ends it
        try:
            task()
            said = "works"
        except hb.HyperbandError as error:
            said = str(error)
        except BaseException as error:
            said = repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said or sys.exit("a forked process hangs")
"""


def outcomes(code, folder):
    editable = any("ScikitBuild" in type(finder).__name__ for finder in sys.meta_path)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ("" if editable else THIS_PACKAGE) + PARENT + code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HYPERBAND_THREADS": "2"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


AFTER_A_SEARCH = """
of_frame, of_array = (hb.search(data, y, algorithm=algorithm, seed=0).model for data in (frame, X))
of_frame.save("model")
table, prepared = as_table(frame), prepare_table(frame, y)
pl.DataFrame(frame).write_csv("t.csv")
tasks = {
    "works": {
        "predict": lambda: of_array.predict(X),
        "predict_proba": lambda: of_array.predict_proba(X.tolist()),
        "numpy": lambda: of_array.predict(X, backend="numpy"),
        "load": lambda: hb.Model.load("model").save("again"),
        "population": lambda: hb.Population([hb.Architecture(widths=[4])], X, (y == "yes") * 1, threads=2).train(),
        "minimize": lambda: hb.minimize(lambda c, r: c["x"], hb.Space({"x": hb.Float(0, 1)}), hb.BOHB(9), workers=2),
    },
    "refused": {
        "dict": lambda: of_frame.predict(frame),
        "frame": lambda: of_frame.predict(pl.DataFrame(frame)),
        "lazy frame": lambda: of_frame.predict(pl.DataFrame(frame).lazy()),
        "objects": lambda: of_frame.predict(np.array([*frame.values()], dtype=object).T),
        "file": lambda: of_frame.predict("t.csv"),
        "table": lambda: of_frame.predict(table),
        "evaluate": lambda: of_array.evaluate(X, y),
        "search": lambda: hb.search(X, y, algorithm=algorithm),
        "prepared": lambda: prepared.dataset("standard", fold=0),
        "read_table": lambda: read_table("t.csv"),
        "scikit-learn": lambda: read_table("sklearn:iris"),
        "child of a child": lambda: [] if (said := outcome(lambda: as_table(frame))) == "works" else sys.exit(said),
    },
}
print(json.dumps({kind: {name: outcome(task) for name, task in of.items()} for kind, of in tasks.items()}))
"""


def test_after_a_search(tmp_path):
    found = outcomes(AFTER_A_SEARCH, tmp_path)
    assert found["works"] == dict.fromkeys(found["works"], "works")
    for name, said in found["refused"].items():
        assert "forked after they had started" in said and "get_context('spawn') or 'forkserver'" in said, (name, said)


def test_before_the_first_table(tmp_path):
    code = """
hb.minimize(lambda c, r: c["x"], hb.Space({"x": hb.Float(0, 1)}), hb.Hyperband(9))
print(json.dumps([outcome(lambda: hb.search(frame, y, algorithm=algorithm).model.predict(frame)) for _ in range(2)]))
"""
    assert outcomes(code, tmp_path) == ["works", "works"]


@pytest.mark.slow
def test_after_somebody_else_used_polars(tmp_path):
    code = """
pl.DataFrame(frame).select(pl.all().fill_null(0))
print(json.dumps(outcome(lambda: as_table(frame))))
"""
    assert "this process was forked" in outcomes(code, tmp_path)
