"""A trained network that goes from a table to labels or values, and its file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import embedded_numbers, shapes, shapes_of
from hyperband.errors import InputError
from hyperband.model.file import Contents, damaged, read_model, write_model

if TYPE_CHECKING:
    from hyperband.engine.backends.base import Backend
    from hyperband.tables.preprocess import Preprocessing

F32 = NDArray[np.float32]
Array = NDArray[Any]

#: rows that go through the network at a time, so that the hidden outputs stay small
_ROWS = 16384


@dataclass(frozen=True)
class Model:
    """Preprocessing, architecture and weights: all that a prediction needs.

    Parameters
    ----------
    preprocessing : hyperband.tables.Preprocessing, as in ``prepare(...).preprocessing``
    architecture : Architecture
    weights : sequence of (weights, bias), one per layer, see `hyperband.engine.parameters`
        float32, shapes (n_in, n_out) and (n_out,); the rows of the first follow ``preprocessing.feature_names``.
    provenance : mapping, plain data: seed, configuration, losses, metrics, ...; kept in the file, not interpreted

    Raises
    ------
    InputError
        When the shapes of the weights are not those of the architecture.

    Examples
    --------
    >>> from hyperband.tables import prepare
    >>> prepared = prepare("sklearn:iris")
    >>> layers = [(np.zeros((4, 3), np.float32), np.float32([0, 1, 0]))]
    >>> model = Model(prepared.preprocessing, Architecture(widths=[]), layers)
    >>> [str(label) for label in model.predict([[5.1, 3.5, 1.4, 0.2]])]
    ['versicolor']
    """

    preprocessing: Preprocessing
    architecture: Architecture
    weights: tuple[tuple[F32, ...], ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = tuple(
            tuple(np.ascontiguousarray(array, dtype=np.float32) for array in layer) for layer in self.weights
        )
        object.__setattr__(self, "weights", layers)
        ends = self.preprocessing.n_features, self.preprocessing.target.n_outputs
        expected = shapes(self.architecture, *ends, embedded_numbers(self.architecture, layers))
        found = shapes_of(layers)
        if found != expected:
            raise InputError(f"`weights` must have the shapes of the architecture, {expected}; got {found}.")

    @property
    def task(self) -> str:
        """``"classification"`` or ``"regression"``."""
        return self.preprocessing.target.task

    @property
    def classes(self) -> tuple[Any, ...]:
        """Original labels, sorted; empty for regression."""
        return self.preprocessing.target.classes

    def outputs(self, X: Any, *, backend: str | Backend = "auto") -> F32:
        """Raw outputs (logits or standardised values), shape (n_rows, n_outputs)."""
        return self._forward(self.preprocessing.transform(X), backend)

    def _forward(self, x: F32, backend: str | Backend) -> F32:
        if isinstance(backend, str):
            from hyperband.engine.backends import registry

            backend = registry.get(backend)
        parts = [
            np.asarray(backend.forward(self.architecture, self.weights, x[start : start + _ROWS]), dtype=np.float32)
            for start in range(0, len(x), _ROWS)
        ]
        n_outputs = self.preprocessing.target.n_outputs
        return np.concatenate(parts) if parts else np.empty((0, n_outputs), dtype=np.float32)

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
        return self._decide(self.outputs(X, backend=backend))

    def _decide(self, outputs: F32) -> Array:
        target = self.preprocessing.target
        if target.task == "regression":
            return target.values(outputs)
        if target.loss == "logistic":
            return target.labels((outputs[:, 0] > 0).astype(np.int32))
        return target.labels(outputs.argmax(axis=1))

    def predict_proba(self, X: Any, *, backend: str | Backend = "auto") -> NDArray[np.float64]:
        """Probability of each class, shape (n_rows, n_classes), columns in the order of ``classes``.

        Raises
        ------
        InputError
            For a regression.
        """
        if self.task != "classification":
            raise InputError("`predict_proba` needs a classification; this model predicts values. Use `predict`.")
        return np.exp(_log_probabilities(self.outputs(X, backend=backend)))

    def evaluate(self, X: Any, y: Any = None, *, backend: str | Backend = "auto") -> dict[str, float]:
        """How well the model predicts rows whose target is known.

        Parameters
        ----------
        X : table, array or path
        y : labels or values in original units; None: the target column of ``X``

        Returns
        -------
        dict
            ``accuracy`` and ``loss`` (mean cross-entropy, nats), or ``rmse``, ``mae`` (original units), ``r2`` (the
            three averaged over targets) and ``loss`` (mean squared error of the standardised targets, as in a search).

        Raises
        ------
        DataError
            When a target is missing, unknown, or there are no rows.
        """
        from hyperband.tables.features_and_target import held_out_rows

        rows = held_out_rows(X if y is None else (X, y), self.preprocessing, "table")
        x, known = self.preprocessing.transform(rows.table), self.preprocessing.target.encode(rows.values)
        return self.score(x, known, backend=backend)

    def score(self, x: F32, known: Array, *, backend: str | Backend = "auto") -> dict[str, float]:
        """`evaluate` for rows that are prepared already: ``x_test`` and ``y_test`` of `hyperband.tables.Prepared`."""
        outputs = self._forward(x, backend)
        if self.task == "classification":
            log_p = _log_probabilities(outputs)
            hits = log_p.argmax(axis=1) == known if outputs.shape[1] > 1 else (outputs[:, 0] > 0) == (known > 0)
            loss = -log_p[np.arange(len(known)), known].mean()
            return {"accuracy": float(hits.mean()), "loss": float(loss)}
        scale = np.asarray(self.preprocessing.target.scale)
        residual = outputs.astype(np.float64) - known
        spread = known.astype(np.float64).var(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):  # r2 of a constant target is not defined: NaN
            r2 = np.where(spread > 0, 1.0 - (residual**2).mean(axis=0) / spread, np.nan)
        return {
            "rmse": float((np.sqrt((residual**2).mean(axis=0)) * scale).mean()),
            "mae": float((np.abs(residual).mean(axis=0) * scale).mean()),
            "r2": float(r2.mean()),
            "loss": float((residual**2).mean()),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as one file, all of it or nothing: see `hyperband.model.file`.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        write_model(Contents(self.preprocessing, self.architecture, self.weights, self.provenance), path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """The model in a file.

        Raises
        ------
        ModelFileError
            When there is no such file, it is damaged or no model, or was written by a newer version.
        """
        contents = read_model(path)
        try:
            return Model(contents.preprocessing, contents.architecture, contents.weights, contents.provenance)
        except InputError as error:
            raise damaged(path, error) from None


def _log_probabilities(outputs: F32) -> NDArray[np.float64]:
    """Log-softmax of logits; one logit is that of the second of two classes."""
    z = outputs.astype(np.float64)
    if z.shape[1] == 1:
        return np.concatenate([-np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)], axis=1)
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))
