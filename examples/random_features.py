"""Kernel regression with random features: the resource is the number of features, as in the paper on Hyperband.

A Gaussian kernel is approximated by a mean over random cosines (Rahimi & Recht, "Random features for large-scale kernel
machines", NIPS 2007); more features approximate it better. A promoted trial adds features to those it has: only the new
ones and their products are computed. Losses at different numbers of features belong to different models, so the answer
is `result.best_at_full`, the best with all features, and not the smallest loss at any resource.
"""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import hyperband as hb

X, y = load_diabetes(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.3, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_valid = scaler.transform(X_train), scaler.transform(X_valid)
mean, spread = y_train.mean(), y_train.std()
t_train, t_valid = (y_train - mean) / spread, (y_valid - mean) / spread

space = hb.Space({"width": hb.Float(0.3, 100.0, log=True), "ridge": hb.Float(1e-6, 10.0, log=True)})


def features(X, first, last, width):
    """Cosines ``first`` to ``last``, the latter excluded; feature k is the same in every trial."""
    draws = [np.random.default_rng([0, k]) for k in range(first, last)]
    waves = np.array([rng.standard_normal(X.shape[1]) for rng in draws]) / width
    shifts = np.array([rng.uniform(0, 2 * np.pi) for rng in draws])
    return np.sqrt(2) * np.cos(X @ waves.T + shifts)


def objective(c, n_features, state):
    """Ridge regression on ``n_features`` random cosines; the state holds those of earlier rungs."""
    Z, V, gram = state or (np.empty((len(X_train), 0)), np.empty((len(X_valid), 0)), np.empty((0, 0)))
    had = Z.shape[1]
    new = features(X_train, had, n_features, c["width"])
    V = np.hstack([V, features(X_valid, had, n_features, c["width"])])
    across = Z.T @ new
    gram = np.block([[gram, across], [across.T, new.T @ new]])
    Z = np.hstack([Z, new])
    # The kernel is Z Zᵀ / n_features; with Z itself the ridge grows by that factor.
    strength = c["ridge"] * len(X_train) * n_features
    weights = np.linalg.solve(gram + strength * np.eye(n_features), Z.T @ t_train)
    return hb.Evaluation(float(np.mean((V @ weights - t_valid) ** 2)), state=(Z, V, gram))


algorithm = hb.Hyperband(max_resource=729, eta=3, min_resource=9)
result = hb.minimize(objective, space, algorithm, seed=0, unit="features")

print(algorithm.plan())
best = result.best_at_full
print(f"best with all {best.resource} features: {best.loss:.4f} of the variance is left, at {dict(best.configuration)}")
lucky = result.best
print(f"smallest loss at any number of features: {lucky.loss:.4f}, at {lucky.resource}")
