"""Candidates for the ensemble: networks whose validation predictions and weights are kept while a search runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.errors import InputError
from hyperband.evaluation.networks.ensemble import FOLDS, SIZE, cross_predict, mean_prediction, select, single_key
from hyperband.evaluation.networks.trained_network import TrainedNetwork
from hyperband.metrics import Metric, probabilities

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Array = NDArray[Any]

#: Candidates at most, and bytes of their predictions and weights.
MOST, MEMORY = 200, 1 << 30
#: Moments of one trial at most, so that one network that is validated often does not crowd out all others.
MOMENTS = 4

#: What candidates are ranked by: key of `select`, trial, resource; the least first.
Rank = tuple[float, float, int, float]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A trial at one moment.

    Parameters
    ----------
    rank : (loss, smooth loss, trial, resource), smaller is better
    score : float, of the candidate alone
    prediction : float32, probabilities (n_rows, n_classes) or standardised values (n_rows, n_targets)
    networks : tuple of TrainedNetwork; several when it was trained once for each fold
    """

    rank: Rank
    score: float
    prediction: F32 = field(repr=False)
    networks: tuple[TrainedNetwork, ...] = field(repr=False)

    @property
    def trial(self) -> int:
        """Number of the trial."""
        return self.rank[2]

    @property
    def resource(self) -> float:
        """What the trial had received."""
        return self.rank[3]

    @property
    def nbytes(self) -> int:
        """Bytes of predictions and weights."""
        return self.prediction.nbytes + sum(network.nbytes for network in self.networks)


@dataclass(frozen=True, slots=True, eq=False)
class ChosenCandidates:
    """The ensemble of a library.

    Parameters
    ----------
    candidates : tuple of Candidate
    weights : tuple of float, theirs; they add up to 1
    score : float, of the weighted mean of their predictions on the validation rows by which they were chosen
    single : float, of the best single candidate
    prediction : float64, shape (n_rows, n_outputs)
        That mean.
    path : tuple of (trial, resource, score), one an addition
    """

    candidates: tuple[Candidate, ...]
    weights: tuple[float, ...]
    score: float
    single: float
    prediction: F64 = field(repr=False)
    path: tuple[tuple[int, float, float], ...] = field(repr=False)


class CandidateLibrary:
    """Keeps the best candidates that are offered, and chooses an ensemble from them.

    Who is kept depends on the set of all offers, not on their order: a candidate stays if fewer than `MOMENTS` moments
    of its trial are better, and if those that are better, at most `MOMENTS` of each trial, are fewer than ``most`` and
    leave room for it in ``memory``. Further offers can only make this worse. So who is dropped would never have come
    back, and weights are wanted only at the moment of the offer. Better means a smaller loss by which `select` compares
    single candidates, then the lower trial, then less resource. Of moments of one trial that are equally good only the
    first counts: the best weights did not change in between.

    Parameters
    ----------
    y : int class numbers, shape (n_rows,), or standardised values, (n_rows, n_targets)
        Of the validation rows; of folds, one after another.
    weight : float, shape (n_rows,), or None
    loss : {"cross_entropy", "logistic", ...}, of the networks
    metric : Metric
        Of regression one made by `Metric.of_standardised`, so that it is in original units.
    most : int >= 1, candidates at most
    memory : int >= 1, bytes of their predictions and weights; the best candidate is kept in any case
    limits : (low, high) or None
        Standardised values are limited to these, numbers or arrays of shape (n_targets,): those of the training rows.

    Raises
    ------
    InputError
        When the loss and the metric are of different tasks, or an argument breaks a rule.

    Examples
    --------
    >>> from hyperband.engine.architecture import Architecture
    >>> from hyperband.metrics import metric
    >>> y = np.array([0, 1, 1])
    >>> library = CandidateLibrary(y, None, "logistic", metric("accuracy", "classification"))
    >>> network = TrainedNetwork(Architecture(widths=[]), [(np.ones((1, 1)), np.zeros(1))])
    >>> for trial, outputs in enumerate([[[-1.0], [0.3], [-0.2]], [[0.5], [0.1], [2.0]]]):
    ...     kept = library.offer(trial, 9, np.float32(outputs), lambda: [network])
    >>> chosen = library.ensemble()
    >>> [c.trial for c in chosen.candidates], round(chosen.single, 2), chosen.score
    ([0, 1], 0.67, 1.0)
    """

    def __init__(
        self,
        y: Array,
        weight: Array | None,
        loss: str,
        metric: Metric,
        *,
        most: int = MOST,
        memory: int = MEMORY,
        limits: tuple[Any, Any] | None = None,
    ) -> None:
        self._classes = loss in ("cross_entropy", "logistic")
        if self._classes != (metric.task == "classification"):
            raise InputError(f"`metric` must suit the loss {loss!r}; {metric.name!r} is one of {metric.task}.")
        self._y = np.asarray(y) if self._classes else np.asarray(y, np.float64)
        self._weight = None if weight is None else np.asarray(weight, np.float64)
        self._metric, self._limits = metric, limits
        self._most, self._memory = whole_number(most, "most"), whole_number(memory, "memory")
        self._n_outputs = 0 if self._classes else self._y.shape[1]
        self._kept: list[Candidate] = []  # the best first
        self._bound: Rank | None = None  # the best that was dropped because too many, or too large ones, are better
        self._chosen: dict[int, ChosenCandidates] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def metric(self) -> Metric:
        """By which candidates are chosen."""
        return self._metric

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Who is kept, the best first."""
        return tuple(self._kept)

    def offer(
        self, trial: int, resource: float, outputs: F32, networks: Callable[[], Sequence[TrainedNetwork]]
    ) -> bool:
        """Take a candidate in, if it may come into the ensemble.

        Parameters
        ----------
        trial : int
        resource : float, what the trial has received; several moments of one trial are separate candidates
        outputs : float32, shape (n_rows, n_outputs)
            Raw outputs for the validation rows. Outputs that are not finite are those of a network that diverged: it is
            not taken in.
        networks : callable () -> sequence of TrainedNetwork
            Exports the weights; called at most once, and only when the candidate is taken in.

        Returns
        -------
        bool, whether it was taken in

        Raises
        ------
        InputError
            When ``outputs`` has another number of rows, or another number of columns than those of earlier offers.
        """
        self._check(outputs)
        if not np.isfinite(outputs).all():
            return False
        prediction = self._prediction(outputs)
        rank = (*single_key(prediction, self._y, self._metric, self._weight), int(trial), float(resource))
        if not self._has_room(rank):
            return False
        score = self._metric.score(self._y, prediction.astype(np.float64), self._weight)
        candidate = Candidate(rank, score, prediction, tuple(networks()))
        self._kept.insert(self._position(rank), candidate)
        same = [other for other in self._kept if other.trial == trial]
        if len(same) > MOMENTS:
            self._kept.remove(same[-1])
        self._prune()
        self._chosen.clear()
        return self._bound is None or rank < self._bound

    def loss(self, outputs: F32) -> float:
        """What a candidate with these raw outputs is ranked by, smaller is better; see `ensemble_losses`."""
        return single_key(self._prediction(outputs), self._y, self._metric, self._weight)[0]

    def _position(self, rank: Rank) -> int:
        return bisect_left(self._kept, rank, key=lambda candidate: candidate.rank)

    def _has_room(self, rank: Rank) -> bool:
        """Whether a candidate may stay, by all but its bytes."""
        same = [candidate for candidate in self._kept if candidate.trial == rank[2]]
        if any(candidate.resource == rank[3] for candidate in same):
            return False  # offered before
        equal = next((candidate for candidate in same if candidate.rank[:2] == rank[:2]), None)
        if equal is not None:  # the best weights did not change in between: the earlier moment counts
            if equal.resource < rank[3]:
                return False
            self._kept.remove(equal)
            return True
        if sum(candidate.rank < rank for candidate in same) >= MOMENTS:
            return False
        if self._position(rank) >= self._most or (self._bound is not None and rank > self._bound):
            self._drop_from(rank)
            return False
        return True

    def _check(self, outputs: F32) -> None:
        n_rows, shape = len(self._y), outputs.shape
        if len(shape) != 2 or shape[0] != n_rows or not shape[1]:
            raise InputError(f"`outputs` must have {n_rows} rows and one column an output; their shape is {shape}.")
        self._n_outputs = self._n_outputs or shape[1]
        if shape[1] != self._n_outputs:
            raise InputError(f"`outputs` must have {self._n_outputs} columns, as those before; got {shape[1]}.")

    def _prediction(self, outputs: F32) -> F32:
        if self._classes:
            return probabilities(outputs).astype(np.float32)
        values = outputs.astype(np.float64)
        return (values if self._limits is None else np.clip(values, *self._limits)).astype(np.float32)

    def _prune(self) -> None:
        """Drop what has no room; all that is worse goes too, whatever its size."""
        taken = 0
        for number, candidate in enumerate(self._kept):
            taken += candidate.nbytes
            if number and (number >= self._most or taken > self._memory):
                self._drop_from(candidate.rank)
                del self._kept[number:]
                return

    def _drop_from(self, rank: Rank) -> None:
        self._bound = rank if self._bound is None else min(rank, self._bound)

    def ensemble(self, size: int = SIZE) -> ChosenCandidates | None:
        """The greedy ensemble of those that are kept now; None when nobody is.

        May be asked for at any time. With 200 candidates, 20,000 rows and 7 classes it takes about a second; when
        nobody was taken in since, it is there already.

        Parameters
        ----------
        size : int >= 1, additions at most; 1: the best single candidate
        """
        if not self._kept:
            return None
        if size not in self._chosen:
            self._chosen[size] = self._select(size)
        return self._chosen[size]

    def cross_prediction(self, size: int = SIZE, parts: int = FOLDS) -> F64 | None:
        """What ensembles predict for validation rows that did not choose them, or None. See `cross_predict`.

        Its score is an estimate of that on new rows, and `hyperband.metrics.fit_temperature` takes its logarithm. It
        takes ``parts - 1`` times as long as `ensemble`.
        """
        if not self._kept:
            return None
        predictions = [candidate.prediction for candidate in self._kept]
        return cross_predict(predictions, self._y, self._metric, self._weight, size, parts)

    def _select(self, size: int) -> ChosenCandidates:
        predictions = [candidate.prediction for candidate in self._kept]
        found = select(predictions, self._y, self._metric, self._weight, size)
        chosen = tuple(self._kept[index] for index in found.chosen)
        mean = mean_prediction([candidate.prediction for candidate in chosen], found.weights)
        path = tuple((self._kept[i].trial, self._kept[i].resource, score) for i, score in found.path)
        return ChosenCandidates(chosen, found.weights, found.score, self._kept[0].score, mean, path)
