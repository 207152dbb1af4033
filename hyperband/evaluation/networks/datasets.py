"""The data sets of a search: one for each view and fold in use, and what a network needs to know of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import F32, HostSplit
from hyperband.engine.losses import parse
from hyperband.errors import InputError
from hyperband.evaluation.networks.resources import Resource
from hyperband.evaluation.networks.training import Training


class Data(Protocol):
    """What is used of `hyperband.tables.Prepared`: training and validation rows of one view and fold."""

    @property
    def x_train(self) -> F32: ...
    @property
    def y_train(self) -> NDArray[Any]: ...
    @property
    def weight_train(self) -> F32 | None: ...
    @property
    def x_validation(self) -> F32: ...
    @property
    def y_validation(self) -> NDArray[Any]: ...
    @property
    def weight_validation(self) -> F32 | None: ...
    @property
    def n_numbers(self) -> int:
        """Leading columns that are numbers, for learned embeddings."""

    @property
    def loss(self) -> str: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def scale(self) -> Sequence[float]:
        """Standard deviation of each target in original units; empty for classification."""


class Table(Protocol):
    """What is used of `hyperband.tables.PreparedTable`; `OneDataset` makes one of a single `Prepared`."""

    @property
    def views(self) -> Sequence[str]:
        """Names of the views, the default first."""

    @property
    def n_folds(self) -> int:
        """Each configuration is trained once per fold."""

    def dataset(self, view: str, fold: int = 0) -> Data:
        """The rows of a fold in a view; made when first asked for, then kept."""


@dataclass(frozen=True, slots=True)
class OneDataset:
    """A table of one view and one fold, from data that are prepared already."""

    data: Data

    @property
    def views(self) -> tuple[str, ...]:
        """One name."""
        return ("standard",)

    @property
    def n_folds(self) -> int:
        """One fold."""
        return 1

    def dataset(self, view: str, fold: int = 0) -> Data:
        """The data."""
        return self.data


@dataclass(frozen=True, slots=True)
class Dataset:
    """One view and fold, as engines take it.

    Parameters
    ----------
    number : int, by which members name it
    view : str
    fold : int
    data : Data
    loss : str, of the networks
    train, validation : HostSplit
    resource : Resource, what a resource means on these rows
    columns : int array or None, the order of columns for the resource "features"
    """

    number: int
    view: str
    fold: int
    data: Data
    loss: str
    train: HostSplit
    validation: HostSplit
    resource: Resource
    columns: NDArray[np.intp] | None

    def n_parameters(self, architecture: Architecture) -> int:
        """Numbers that a network learns on this data."""
        return architecture.n_parameters(self.n_inputs, self.data.n_outputs, self.train.numbers)

    @property
    def n_inputs(self) -> int:
        """Columns of the rows."""
        return int(self.train.x.shape[1])


class Datasets:
    """The data sets in use, numbered by view and fold and made when a configuration first needs them.

    Parameters
    ----------
    table : Table
    training : Training
    max_resource : float, of the highest rung
    seed : int, of the order of columns ("features")
    """

    def __init__(self, table: Table, training: Training, max_resource: float, seed: int) -> None:
        self._table, self._training, self._max_resource, self._seed = table, training, max_resource, seed
        self._made: dict[int, Dataset] = {}
        if training.resource == "features" and table.n_folds > 1:
            raise InputError(
                "resource='features' needs one fold, whose columns are counted; got "
                f"{table.n_folds} folds. Hold a fraction of the rows out, or use another resource."
            )

    @property
    def n_folds(self) -> int:
        """Networks that a configuration trains."""
        return self._table.n_folds

    def numbers(self, view: str | None) -> range:
        """Numbers of the folds of a view; None: the default view.

        Raises
        ------
        InputError
            When the table has no such view.
        """
        views = self._table.views
        if view is None:
            view = views[0]
        elif view not in views:
            raise InputError(f"`view` must be one of {', '.join(views)} for this table; got {view!r}.")
        elif self._training.resource == "features" and view != views[0]:
            raise InputError(f"resource='features' counts the columns of one view, {views[0]!r}; got {view!r}.")
        first = list(views).index(view) * self.n_folds
        return range(first, first + self.n_folds)

    def of(self, number: int) -> Dataset:
        """The data set with this number."""
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]

    def validation_targets(self) -> tuple[NDArray[Any], F32 | None]:
        """Targets and row weights of the validation rows, fold after fold."""
        datas = [self.of(number).data for number in self.numbers(None)]
        targets = np.concatenate([data.y_validation for data in datas])
        weights = [data.weight_validation for data in datas if data.weight_validation is not None]
        return targets, np.concatenate(weights) if weights else None

    def _make(self, number: int) -> Dataset:
        view, fold = self._table.views[number // self.n_folds], number % self.n_folds
        data = self._table.dataset(view, fold)
        n_rows, n_inputs = data.x_train.shape
        columns = _order(n_inputs, self._seed) if self._training.resource == "features" else None
        return Dataset(
            number,
            view,
            fold,
            data,
            self._loss(data),
            _split(data.x_train, data.y_train, data.weight_train, columns, data.n_numbers),
            _split(data.x_validation, data.y_validation, data.weight_validation, columns, data.n_numbers),
            Resource(self._training, self._max_resource, n_rows, n_inputs),
            columns,
        )

    def _loss(self, data: Data) -> str:
        chosen = self._training.loss
        if chosen == "auto":
            return data.loss
        if not parse(data.loss).regression:
            raise InputError(
                f"`loss` is for a target of values; got {chosen!r}, and the target is classes. Use 'auto'."
            )
        return chosen


def _order(n: int, seed: int) -> NDArray[np.intp]:
    """An order of n columns that depends on (n, seed) alone; the second word sets other uses of a seed apart."""
    words = np.random.Philox(key=[seed & (2**64 - 1), 1 << 32]).random_raw(n)
    return np.argsort(words, kind="stable")


def _split(x: F32, y: NDArray[Any], weight: F32 | None, columns: NDArray[np.intp] | None, numbers: int) -> HostSplit:
    if columns is not None:
        x, numbers = x[:, columns], 0  # nobody knows where the numbers are any more
    return HostSplit(np.ascontiguousarray(x, dtype=np.float32), np.ascontiguousarray(y), weight, numbers)
