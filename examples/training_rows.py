"""Training rows as the resource: configurations of a scikit-learn estimator start on few rows, the best get more.

Every call fits from zero, so the resource spent counts all rows of every fit. The smallest useful resource is a few
rows for each class: with fewer, a loss says nothing about the configuration. Losses fall with more rows whatever the
configuration is, so the answer compares only those on all rows: `result.best_at_full`.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hyperband as hb

X, y = load_digits(return_X_y=True)
X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
X_train, X_valid, y_train, y_valid = train_test_split(X_rest, y_rest, test_size=0.3, random_state=0, stratify=y_rest)

# The sample of n rows is the first n rows of one random order: every configuration gets the same rows, and a larger
# sample includes the smaller ones.
order = np.random.default_rng(0).permutation(len(y_train))

space = hb.Space(
    {
        "kernel": hb.Choice(["rbf", "poly"]),
        "C": hb.Float(1e-2, 1e3, log=True),
        "gamma": hb.Float(1e-5, 1.0, log=True),
        "degree": hb.Int(2, 5),
    },
    conditions=[hb.When("degree", "kernel", "poly")],
)


def model(c):
    return make_pipeline(StandardScaler(), SVC(**c))


def objective(c, rows):
    some = order[:rows]
    return 1 - model(c).fit(X_train[some], y_train[some]).score(X_valid, y_valid)


# At least five rows for each class, on average; all rows at the top.
algorithm = hb.Hyperband(max_resource=len(X_train), eta=3, min_resource=5 * len(np.unique(y)))
print(algorithm.plan())
result = hb.minimize(objective, space, algorithm, seed=0, unit="rows")

best = result.best_at_full
print(f"best on all {best.resource} rows: error {best.loss:.4f} on the validation rows, {dict(best.configuration)}")
final = model(best.configuration).fit(X_rest, y_rest)
print(f"fitted again on everything but the test rows: error {1 - final.score(X_test, y_test):.4f} on those")
