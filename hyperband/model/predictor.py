"""Trained networks that go from a table to labels or values, and their file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import positive, whole_number
from hyperband.engine.architecture import Architecture
from hyperband.errors import DataError, InputError
from hyperband.metrics import Metric, figures, probabilities
from hyperband.metrics import metric as metric_of
from hyperband.model.file import Contents, damaged, read_model, write_model
from hyperband.model.importance import ColumnImportance, Figure, column_importance
from hyperband.model.member import MemberNetwork
from hyperband.model.summary import summary_lines

if TYPE_CHECKING:
    from hyperband.engine.backends.base import Backend
    from hyperband.tables.preprocess import Preprocessing
    from hyperband.tables.table import Table
    from hyperband.tables.target import Target

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]

#: rows that go through the networks at a time, so that features and hidden outputs stay small
_ROWS = 16384
#: least probability whose logarithm is taken, the smallest normal number in float64: 708 nats
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, repr=False)
class Model:
    """An ensemble of networks with their preprocessing: all that a prediction needs. One network is one of one.

    Probabilities are the weighted mean of the members' probabilities, then their logarithms are divided by the
    temperature and normalised. Values are the weighted mean of the members' values, each limited to the range of the
    training rows where the target knows it. A row's prediction has the same bits whatever rows are beside it.

    Parameters
    ----------
    preprocessings : sequence of hyperband.tables.Preprocessing, as in ``prepare(...).preprocessing``
        The views of the table; all have the same target.
    members : sequence of MemberNetwork
    temperature : float > 0
        Above 1 probabilities are less extreme; see `hyperband.metrics.fit_temperature`. 1 for regression.
    provenance : mapping, plain data: seed, configuration, losses, metrics, ...; kept in the file, not interpreted

    Raises
    ------
    InputError
        When there is no member, a member's view does not exist, the shapes of its weights are not those of its
        architecture, targets differ, or the temperature is not positive.

    Examples
    --------
    >>> from hyperband.tables import prepare
    >>> prepared = prepare("sklearn:iris")
    >>> layers = [(np.zeros((4, 3), np.float32), np.float32([0, 1, 0]))]
    >>> member = MemberNetwork(1.0, 0, Architecture(widths=[]), layers)
    >>> model = Model([prepared.preprocessing], [member])
    >>> [str(label) for label in model.predict([[5.1, 3.5, 1.4, 0.2]])]
    ['versicolor']
    """

    preprocessings: Sequence[Preprocessing]
    members: Sequence[MemberNetwork]
    temperature: float = 1.0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("preprocessings", "members"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if not getattr(self, name):
                raise InputError(f"A model needs at least one of `{name}`; there is none.")
        positive(self.temperature, "temperature")
        if self.temperature != 1.0 and self.task != "classification":
            raise InputError(f"`temperature` is for classification; got {self.temperature!r} for a regression. Use 1.")
        if any(preprocessing.target != self.target for preprocessing in self.preprocessings):
            raise InputError("`preprocessings` must have the same target; theirs differ. Fit them on the same rows.")
        for member in self.members:
            if member.view >= len(self.preprocessings):
                raise InputError(
                    f"`view` of a member must be the position of a preprocessing, below {len(self.preprocessings)}; "
                    f"got {member.view}."
                )
            member.check(self.preprocessings[member.view].n_features, self.target.n_outputs)

    @staticmethod
    def of_one(
        preprocessing: Preprocessing,
        architecture: Architecture,
        weights: Sequence[tuple[F32, ...]],
        provenance: Mapping[str, Any] | None = None,
    ) -> Model:
        """The model of one network; see `MemberNetwork`."""
        return Model([preprocessing], [MemberNetwork(1.0, 0, architecture, weights)], 1.0, provenance or {})

    @property
    def preprocessing(self) -> Preprocessing:
        """The first view of the table; of one network its only one."""
        return self.preprocessings[0]

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.preprocessings[0].target

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.target.task

    @property
    def classes(self) -> tuple[Any, ...]:
        """Original labels, sorted; empty for regression."""
        return self.target.classes

    def predict(self, X: Any, *, backend: str | Backend = "auto") -> Array:
        """Labels, or values in original units.

        Parameters
        ----------
        X : table, array or path, see `hyperband.tables.as_table`
            Columns are matched by name; further ones are ignored, unknown categories are allowed. Arrays must have the
            columns of training in order.
        backend : name or object of the backend that computes

        Returns
        -------
        array, shape (n_rows,), of original labels or float64; (n_rows, n_outputs) for several targets

        Raises
        ------
        DataError
            When ``X`` lacks a column or holds something that training did not know how to read.
        """
        predicted = self._of_table(X, backend)
        if self.task == "regression":
            return self.target.values(predicted)
        return self.target.labels(predicted.argmax(axis=1))

    def predict_proba(self, X: Any, *, backend: str | Backend = "auto") -> F64:
        """Probability of each class, shape (n_rows, n_classes), columns in the order of ``classes``.

        Raises
        ------
        InputError
            For a regression.
        """
        if self.task != "classification":
            raise InputError("`predict_proba` needs a classification; this model predicts values. Use `predict`.")
        return self._of_table(X, backend)

    def evaluate(self, X: Any, y: Any = None, *, backend: str | Backend = "auto") -> dict[str, float]:
        """How well the model predicts rows whose target is known.

        Parameters
        ----------
        X : table, array or path
        y : labels or values in original units; None: the target column of ``X``

        Returns
        -------
        dict
            `hyperband.metrics.figures`: ``accuracy``, ``balanced_accuracy``, ``log_loss``, ``auc``, ``f1`` and ``ece``,
            or ``rmse``, ``mae`` (original units) and ``r2``. And ``loss`` as in a search: mean cross-entropy in nats,
            or mean squared error of the standardised targets.

        Raises
        ------
        DataError
            When a target of ``y`` is missing, one is unknown, or there are no rows.

        Warns
        -----
        DataWarning
            When rows of ``X`` have no target: they are left out.
        """
        from hyperband.tables.features_and_target import known_rows

        rows = known_rows(X if y is None else (X, y), self.preprocessing, self.preprocessing.schema)
        known = self.target.encode(rows.values)
        return self._figures(self._of_table(rows.table, backend), known)

    def score(
        self, x: F32 | Sequence[F32], known: Array, *, metric: Metric | None = None, backend: str | Backend = "auto"
    ) -> dict[str, float]:
        """`evaluate` for rows that are prepared already.

        Parameters
        ----------
        x : float32, shape (n_rows, n_features), or a sequence of them, one a preprocessing
            ``x_test`` of `hyperband.tables.Prepared`.
        known : ``y_test``
        metric : Metric, optional
            A further figure, by its name, or "metric NAME" where another figure has it; of a regression one made by
            `Metric.of_standardised`.
        """
        views = [x] if isinstance(x, np.ndarray) else list(x)
        if len(views) != len(self.preprocessings):
            raise InputError(f"`x` must hold {len(self.preprocessings)} arrays, one a preprocessing; got {len(views)}.")
        predicted = self._of_chunks(_slices(views), backend)
        found = self._figures(predicted, known)
        if metric is not None and (metric.name not in found or not metric.kind):
            name = f"metric {metric.name}" if metric.name in found else metric.name
            found[name] = metric.score(known, predicted)
        return found

    def importance(
        self,
        X: Any,
        y: Any = None,
        *,
        metric: Any = None,
        repeats: int = 5,
        seed: int = 0,
        backend: str | Backend = "auto",
    ) -> ColumnImportance:
        """How much worse the model predicts when the values of one column are shuffled among the rows.

        The importances are those of columns for this model and these rows: of two columns that say the same, either may
        have all of it. Rows that were not trained on are better, since on others the model knows more than it can use.

        Parameters
        ----------
        X, y : as in `evaluate`
        metric : str, scorer, function or Metric, see `hyperband.metrics.metric`; None: the loss, as in `evaluate`
        repeats : int >= 1, shuffles of each column
        seed : int >= 0, key of the shuffles
        backend : name or object of the backend that computes

        Returns
        -------
        ColumnImportance
            One importance for each column that the model reads; a column of times is shuffled as a whole.
            `hyperband.plots.column_importance` draws them.

        Raises
        ------
        DataError
            When a target of ``y`` is missing, or one is unknown; rows of ``X`` without one are left out with a warning.
        InputError
            When there is one row, or the metric is unknown or not defined.

        Examples
        --------
        >>> from hyperband.tables import prepare
        >>> X = np.random.default_rng(0).normal(size=(60, 2))
        >>> prepared = prepare(X, X[:, 0])  # the weights below copy the first column
        >>> model = Model.of_one(prepared.preprocessing, Architecture(widths=[]), [(np.eye(2, 1), np.zeros(1))])
        >>> found = model.importance(X, X[:, 0], metric="rmse")
        >>> found.names, bool(found.low[0] > 1), found.mean[1].item()
        (('x0', 'x1'), True, 0.0)
        """
        from hyperband.tables.features_and_target import known_rows
        from hyperband.tables.unseen_levels import warn_of_unseen_levels

        repeats, seed = whole_number(repeats, "repeats"), whole_number(seed, "seed", 0)
        rows = known_rows(X if y is None else (X, y), self.preprocessing, self.preprocessing.schema)
        known = self.target.encode(rows.values)
        table = self.preprocessing.read(rows.table, self._used)
        warn_of_unseen_levels(self.preprocessings, table)
        parts: dict[str, list[str]] = {name: [] for name in self._used}
        for column in (column for view in self.preprocessings for column in view.inputs if column.source in parts):
            if column.name not in parts[column.source]:
                parts[column.source].append(column.name)
        return column_importance(
            table, parts, lambda shuffled: self._of_chunks(self._transformed(shuffled), backend),
            self._figure(metric, known), repeats=repeats, seed=seed,
            classes=known if self.task == "classification" else None,
        )  # fmt: skip

    def _figure(self, what: Any, known: Array) -> Figure:
        """The metric, or the loss, of predictions of rows whose target is known."""
        if what is None:
            return Figure("loss", lambda predicted, rows: self._loss(predicted[rows], known[rows]))
        chosen = metric_of(what, self.task, classes=self.classes)

        def of(predicted: F64, rows: NDArray[np.int64]) -> float:
            if self.task == "classification":
                return chosen.score(known[rows], predicted[rows])
            return chosen.score(self.target.values(known[rows]), self.target.values(predicted[rows]))

        return Figure(chosen.name, of, chosen.greater_is_better)

    def _loss(self, predicted: F64, known: Array) -> float:
        """As in a search: mean cross-entropy in nats, or mean squared error of the standardised targets."""
        if self.task == "classification":
            picked = predicted[np.arange(len(known)), known]
            return float(-np.log(np.maximum(picked, _TINY)).mean())
        return float(((predicted - known) ** 2).mean())

    @property
    def _used(self) -> list[str]:
        """Columns of the table that any view uses, in order."""
        return list(dict.fromkeys(name for view in self.preprocessings for name in view.used))

    def _figures(self, predicted: F64, known: Array) -> dict[str, float]:
        if self.task == "classification":
            found = figures(self.task, known, predicted)
        else:
            found = figures(self.task, self.target.values(known), self.target.values(predicted))
        return {**found, "loss": self._loss(predicted, known)}

    def _of_table(self, X: Any, backend: str | Backend) -> F64:
        from hyperband.tables.table import as_table
        from hyperband.tables.unseen_levels import warn_of_unseen_levels

        table = self.preprocessing.read(as_table(X), self._used)  # once for all views
        warn_of_unseen_levels(self.preprocessings, table)
        return self._of_chunks(self._transformed(table), backend)

    def _transformed(self, table: Table) -> Iterator[list[F32]]:
        """Chunks of rows, each as every preprocessing sees it; at least one, so that columns are always checked."""
        for start in range(0, max(1, table.n_rows), _ROWS):
            part = _rows(table, slice(start, start + _ROWS))
            try:
                yield [preprocessing.transform(part) for preprocessing in self.preprocessings]
            except DataError:
                numbers = np.arange(start, start + part.n_rows)
                for preprocessing in self.preprocessings if start else ():
                    preprocessing.transform(table, numbers)  # the same error, but with the row's number in the table
                raise

    def _of_chunks(self, chunks: Iterator[list[F32]], backend: str | Backend) -> F64:
        """Probabilities, or standardised values, shape (n_rows, n_classes or n_targets)."""
        if isinstance(backend, str):
            from hyperband.engine.backends import registry

            backend = registry.get(backend)
        return np.concatenate([self._tempered(self._mean(chunk, backend)) for chunk in chunks])

    def _mean(self, views: Sequence[F32], backend: Backend) -> F64:
        weights = np.array([member.weight for member in self.members])
        weights = weights / weights.sum()
        mean = np.zeros((len(views[0]), len(self.classes) or self.target.n_outputs))
        for member, weight in zip(self.members, weights.tolist(), strict=True):
            outputs = backend.forward(member.architecture, member.weights, views[member.view])
            mean += weight * self._of_outputs(np.asarray(outputs, dtype=np.float32))
        return mean

    def _of_outputs(self, outputs: F32) -> F64:
        if self.task == "classification":
            return probabilities(outputs)
        values = outputs.astype(np.float64)
        target = self.target
        if not target.low:
            return values
        mean, scale = np.array(target.mean), np.array(target.scale)
        return np.asarray(
            np.clip(values, (np.array(target.low) - mean) / scale, (np.array(target.high) - mean) / scale)
        )

    def _tempered(self, p: F64) -> F64:
        if self.temperature == 1.0:
            return p
        return probabilities(np.log(np.maximum(p, _TINY)) / self.temperature)

    def __repr__(self) -> str:
        return "\n".join(summary_lines(self.target, self.preprocessings, self.members, self.provenance))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as one file, all of it or nothing: see `hyperband.model.file`.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        write_model(Contents(self.preprocessings, self.members, self.temperature, self.provenance), path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """The model in a file, or in the folder that `hyperband search` wrote.

        Raises
        ------
        ModelFileError
            When there is no such file, it is damaged or no model, or was written by another version.
        """
        contents = read_model(path)
        try:
            return Model(contents.preprocessings, contents.members, contents.temperature, contents.provenance)
        except InputError as error:
            raise damaged(path, error) from None


def _rows(table: Table, part: slice) -> Table:
    if table.matrix is not None:
        return replace(table, matrix=table.matrix[part])
    assert table.frame is not None
    return replace(table, frame=table.frame[part])


def _slices(views: Sequence[F32]) -> Iterator[list[F32]]:
    for start in range(0, max(1, len(views[0])), _ROWS):
        yield [x[start : start + _ROWS] for x in views]
