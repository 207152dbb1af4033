"""What every contender offers, and what it is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.tasks import Frame, Task
from benchmarks.common.optional import needed

#: Rows of a data frame to probabilities, shape (n_rows, n_classes), or values, shape (n_rows,).
Predict = Callable[[Frame], NDArray[Any]]


class Allowance:
    """Time, threads and seed of a run; the clock starts when this is made.

    Parameters
    ----------
    budget : float, in ``unit``
    threads, seed : int
    unit : {"seconds", "epochs"}
        "epochs": of all networks together, whatever the time; for the ablation alone.
    """

    def __init__(self, budget: float, threads: int, seed: int, unit: str = "seconds") -> None:
        self.budget, self.threads, self.seed, self.unit = budget, threads, seed, unit
        self._began = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def remaining(self) -> float:
        """Seconds that are left."""
        return self.budget - self.elapsed()


@dataclass(frozen=True)
class Fitted:
    """What a contender hands back.

    Parameters
    ----------
    predict : see `Predict`
    validation : figures on its own validation rows, as `measures.figures` names them; from them follows the optimism
    about : plain data: numbers of networks, trials and epochs, settings
    """

    predict: Predict
    validation: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contender:
    """A way to predict a table.

    Parameters
    ----------
    title : str, in the tables
    module : str, in this folder; its ``fit(task, allowance, **options)`` returns a `Fitted`
        It imports its packages at the top, and is itself imported when it runs, before the clock starts.
    packages : sequence of str, to import and to install
    options : mapping, arguments of ``fit``
    """

    title: str
    module: str
    packages: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def missing(self) -> str | None:
        """Why it cannot run here, or None; imports nothing."""
        absent = [name for name in self.packages if find_spec(name) is None]
        return f"not installed: pip install {' '.join(absent)}" if absent else None

    def load(self) -> Callable[[Task, Allowance], Fitted]:
        """Its function, with everything imported.

        Raises
        ------
        Unavailable
            When a package is missing or cannot be imported.
        """
        for name in self.packages:
            needed(name, name)
        return partial(import_module(f"{__package__}.{self.module}").fit, **self.options)


def held_out(task: Task, *arrays: Any) -> list[Any]:
    """A fifth of the training rows kept for validation, the same for every contender that needs them."""
    from sklearn.model_selection import train_test_split

    stratify = task.y_train if task.classification else None
    return list(train_test_split(*arrays, test_size=0.2, random_state=0, stratify=stratify))


def dense(task: Task) -> Any:
    """A transformer to float32 numbers: medians for missing values, standardised, one column a category.

    Of more than 100 categories the rarest share one column.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=100, sparse_output=False, dtype=np.float32
    )
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer([("numbers", numbers, task.numeric), ("categories", one_hot, list(task.categorical))])


def with_categories(task: Task) -> Callable[[Frame], Frame]:
    """A function that gives the categorical columns of a frame the type that boosted trees read."""
    import pandas as pd

    levels = {name: pd.CategoricalDtype(sorted(task.x_train[name].unique())) for name in task.categorical}
    return lambda frame: frame.astype(levels) if levels else frame


def both_columns(p: NDArray[Any]) -> NDArray[Any]:
    """Probabilities of two classes from that of the second."""
    return np.column_stack([1.0 - p, p])
