"""Tables that are made, where most columns are noise: columns x0, x1, ... and target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.optional import needed


def friedman() -> Any:
    """5 of 50 numbers decide about a value (Friedman 1991), whose noise has deviation 1."""
    from sklearn.datasets import make_friedman1

    return _frame(*make_friedman1(3000, 50, noise=1.0, random_state=0))


def steps() -> Any:
    """3 of 15 numbers decide about a value in steps, with noise of deviation 0.2."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8000, 15))
    y = np.where(x[:, 0] > 0.5, np.where(x[:, 1] > 0, 3, 1), np.where(x[:, 2] > 1, 5, 0)).astype(float)
    return _frame(x, y + 0.2 * rng.normal(size=len(y)))


def clusters() -> Any:
    """20 of 200 numbers decide about one of two classes of four clusters each; 1 % have a random class."""
    return _classes(1500, 200, n_informative=10, n_redundant=10, n_clusters_per_class=4, class_sep=1.5)


def corners() -> Any:
    """20 of 500 numbers: clusters at the 32 corners of a cube, as in the set Madelon of NIPS 2003."""
    return _classes(2600, 500, n_informative=5, n_redundant=15, n_clusters_per_class=16, class_sep=2.0)


def few_rows() -> Any:
    """150 rows; 32 of 3,000 numbers decide about one of two classes."""
    return _classes(150, 3000, n_informative=30, class_sep=2.0)


def pair() -> Any:
    """2 of 20 columns of three levels decide about a class, and each of them alone says little."""
    rng = np.random.default_rng(0)
    x = rng.binomial(2, 0.4, (1600, 20))
    chance = np.array([[0.1, 0.9, 0.2], [0.8, 0.15, 0.9], [0.3, 0.85, 0.1]])
    return _frame(x, (rng.random(len(x)) < chance[x[:, 3], x[:, 11]]).astype(int))


def _classes(rows: int, columns: int, **settings: Any) -> Any:
    from sklearn.datasets import make_classification

    return _frame(*make_classification(rows, columns, random_state=0, **settings))


def _frame(x: NDArray[Any], y: NDArray[Any]) -> Any:
    frame = needed("pandas", "pandas").DataFrame(x, columns=[f"x{j}" for j in range(x.shape[1])])
    return frame.assign(target=y)
