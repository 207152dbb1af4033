"""The interface of every backend: what a population of networks can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.device_array import DeviceMatrix

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PRECISIONS = ("float32", "tf32", "bf16")


@dataclass(frozen=True, slots=True)
class Split:
    """Rows on which networks train or are evaluated.

    Parameters
    ----------
    x : float32 array, shape (n_rows, n_inputs), C-contiguous, finite
        Or the same on a GPU, for a backend that reads it there: see `hyperband.engine.backends.device_array`.
    y : int32 array, shape (n_rows,), class numbers (losses ``cross_entropy`` and ``logistic``), or
        float32 array, shape (n_rows, n_outputs), targets (the other losses); C-contiguous
    weight : float32 array, shape (n_rows,), or None
        Row weights (sample weight times class weight), >= 0 with mean 1. None means all one.
    numbers : int from 0 to n_inputs, or None (n_inputs)
        How many columns are numbers, the first ones: those that ``Architecture.number_embedding`` embeds. Read of the
        training split.
    """

    x: F32 | DeviceMatrix
    y: NDArray[np.generic]
    weight: F32 | None = None
    numbers: int | None = None


@dataclass(frozen=True, slots=True)
class HostSplit(Split):
    """A split whose rows lie on the host."""

    x: F32


@dataclass(frozen=True, slots=True)
class Member:
    """What a network is made from: its curve depends on this and on the data, on nothing else.

    Parameters
    ----------
    architecture : Architecture
    seed : int in [0, 2**64), the key of all of its random numbers
    total_steps : int >= 1, optimiser steps at the maximal resource; fixes the learning-rate schedule
    dataset : int, the data on which it trains, where there are several: see `hyperband.engine.datasets`
    """

    architecture: Architecture
    seed: int
    total_steps: int = 1
    dataset: int = 0


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Counters and losses of the listed members; one entry per member, in the order asked for.

    ``step`` counts optimiser steps, ``epoch`` finished passes over the rows, ``loss`` and ``error`` are those of the
    newest validation, ``best_loss``, ``best_error``, ``best_step`` of the best one (inf, nan and -1 before the first).
    ``train_loss`` is the mean over the newest finished epoch (nan before). ``diverged``: a non-finite loss stopped it;
    then ``loss`` is NaN.
    """

    step: I64
    epoch: I64
    loss: F64
    error: F64
    best_loss: F64
    best_error: F64
    best_step: I64
    train_loss: F64
    diverged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How an engine computes; no learning curve depends on the threads or the memory.

    Parameters
    ----------
    threads : int from 1 to 1024, or None: ``HYPERBAND_THREADS``, else every processor of this process
    precision : one of `PRECISIONS`
        Of the factors of matrix products in training: "tf32" rounds them to 11 bits, "bf16" to 8. Their products are
        added up in float32; weights and all else stay as they are.
    device_memory : int >= 1 or None
        Bytes of each device that data and members may take, for a backend that has devices.
    """

    threads: int | None = None
    precision: str = "float32"
    device_memory: int | None = None


DEFAULT_SETTINGS = EngineSettings()


class Engine(Protocol):
    """A population bound to its data, which is copied once, when the engine is made."""

    def add(self, members: Sequence[Member]) -> I64:
        """Allocate and initialise members; returns their ids (never reused)."""

    def train(
        self,
        members: I64,
        until_step: I64,
        *,
        rows: int | None = None,
        inputs: int | None = None,
        evaluate: bool = True,
        seconds: float | None = None,
    ) -> NDArray[np.bool_]:
        """Train each listed member until its step counter reaches ``until_step``; longest work first.

        Only the first ``rows`` training rows and the first ``inputs`` columns are seen (None: all); a change of either
        starts a new epoch. Networks that embed numbers must see all columns. With ``evaluate`` each member is evaluated
        on the validation split at the end of every epoch and at ``until_step``, and its best weights are kept. With
        ``seconds`` the call returns after about that time; the answer says which members have arrived (or diverged),
        and calling again continues to the same bits.
        """

    def progress(self, members: I64) -> TrainingProgress:
        """Counters and losses of the listed members."""

    def evaluate(self, members: I64, split: Split, *, weights: str = "current") -> tuple[F64, F64]:
        """Loss and error of each listed member on ``split``; weights "current" or "best" (the kept snapshot).

        The current weights are the average of a member that has one.

        Error is the fraction misclassified, the mean squared error for ``mse`` and ``huber``, or the loss itself for
        ``quantile``. Loss is weighted by ``split.weight``, error is not; label smoothing and dropout play no part.
        """

    def predict(self, member: int, x: F32 | DeviceMatrix, *, weights: str = "current") -> F32:
        """Raw outputs (logits or values), shape (n_rows, n_outputs); a CuPy array where ``x`` lies on a device."""

    def forget_best(self, members: I64) -> None:
        """Drop the best snapshot, whose loss came from other rows or columns: the next evaluation becomes the best."""

    def release(self, members: I64) -> None:
        """Free the listed members."""

    def export_state(self, member: int) -> dict[str, NDArray[np.generic]]:
        """The member's whole state as arrays: enough to continue to the same bits in another engine.

        ``counters``: int64 (7,) step, epoch, position (steps of the unfinished epoch), rows, inputs, best_step,
        diverged; ``scores``: float64 (6,) loss, error, best_loss, best_error, train_loss, running sum of the
        unfinished epoch's training losses;
        ``weights.L`` (n_in, n_out) and ``bias.L`` (n_out,) of layer L = 0, 1, ...; optimiser state ``m.weights.L``,
        ``m.bias.L``, ``v.weights.L``, ``v.bias.L`` where the optimiser has it; ``average.weights.L``,
        ``average.bias.L`` where the architecture has a ``weight_average``; ``best.weights.L``, ``best.bias.L`` when
        there is a snapshot; likewise what else `hyperband.engine.parameters` lists for the architecture. float32
        (float64 from the reference backend).
        """

    def import_state(self, member: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Overwrite the member's state by an exported one of the same architecture."""

    def bytes_per_member(self, architecture: Architecture) -> int:
        """Memory that one more such member takes."""

    def capacity(self) -> int | None:
        """Bytes that members may take now, in the memory where this engine keeps them; None where that is unknown."""


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """What one engine does in a call that trains members of several engines.

    Parameters
    ----------
    engine : Engine
    members, until_step : int64, shape (n,)
    rows, inputs : int or None, of its data; see `Engine.train`
    """

    engine: Engine
    members: I64
    until_step: I64
    rows: int | None = None
    inputs: int | None = None


@runtime_checkable
class TrainsTogether(Protocol):
    """A backend whose engines can share threads: a few members of each data set keep all of them busy."""

    def train_together(
        self, parts: Sequence[TrainingPart], *, evaluate: bool = True, seconds: float | None = None
    ) -> list[NDArray[np.bool_]]:
        """`Engine.train` of several engines of this backend at once, to the same bits; the answers are by part."""


class Backend(Protocol):
    """Makes engines; one object per backend, see `hyperband.engine.backends.registry`."""

    name: str

    def engine(
        self,
        train: Split,
        validation: Split | None,
        loss: str,
        n_outputs: int,
        settings: EngineSettings = DEFAULT_SETTINGS,
    ) -> Engine:
        """A population on this data. ``loss`` is a text that `hyperband.engine.losses.parse` reads; ``n_outputs`` is 1
        for ``logistic``.

        Raises
        ------
        InputError
            When an argument breaks a rule, or a setting is not for this backend.
        BackendUnavailable
            When this backend or this machine has no products in that precision.
        """

    def forward(self, architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
        """Raw outputs of a network given as [(weights (n_in, n_out), bias (n_out,)), ...]."""

    def describe(self) -> dict[str, str]:
        """Instruction set, threads, version: what `hyperband info` prints."""
