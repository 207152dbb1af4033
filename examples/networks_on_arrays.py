"""The best network for a pair of arrays, its test accuracy, and its file."""

import tempfile
from pathlib import Path

from sklearn.datasets import load_breast_cancer

import hyperband as hb

X, y = load_breast_cancer(return_X_y=True)

result = hb.search(X, y, algorithm=hb.Hyperband(27), test=0.2, seed=0)

print(result)
print("test:", {name: round(value, 4) for name, value in result.test.items()})

model = result.best.network
print("first rows:", model.predict(X[:5]), "truth:", y[:5])

with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder) / "cancer.hyperband")
    again = hb.Model.load(Path(folder) / "cancer.hyperband")
    assert (again.predict(X) == model.predict(X)).all()
