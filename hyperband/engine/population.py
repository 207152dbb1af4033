"""`Population`: many different networks on one pair of arrays, trained together in one engine."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import islice
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyperband._common.checks import not_negative, positive
from hyperband._common.philox import member_seed
from hyperband.engine.architecture import Architecture
from hyperband.engine.arrays import count_outputs, matrix, on_host, resolve_loss, row_weights, split, targets
from hyperband.engine.backends.base import F32, F64, I64, EngineSettings, Member, Split, TrainingProgress
from hyperband.engine.backends.device_array import HandsOut
from hyperband.engine.parameters import layered
from hyperband.engine.residency import Residency
from hyperband.errors import InputError

#: Seconds between two checks of signals and time limits, so that Ctrl-C works soon.
QUANTUM = 0.15

_VALIDATION = ("validation X", "validation y")  # as errors call them

Members = int | Sequence[int] | NDArray[np.integer[Any]] | None
Weights = Literal["current", "best"]

P = ParamSpec("P")
T = TypeVar("T")


def _in_turn(method: Callable[Concatenate[Population, P], T]) -> Callable[Concatenate[Population, P], T]:
    """A method that waits until no other thread is in one of this population."""

    @wraps(method)
    def waiting(self: Population, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return waiting


class Population:
    """Networks of any shapes on one data set, trained at once; each one's curve depends on itself alone.

    Threads may share a population: each call waits for those of others.

    Parameters
    ----------
    architectures : sequence of Architecture
        One per member; members are numbered 0, 1, ... in this order.
    X : array, shape (n_rows, n_inputs), finite numbers
        Train on columns of about unit size: nothing is rescaled here. With ``backend="cuda"`` also a float32 array on
        the GPU, of CuPy, PyTorch, JAX or any library with DLPack or ``__cuda_array_interface__``: it is used where it
        lies, without a copy, and must not change while the population lives.
    y : array, shape (n_rows,), classes 0 to K-1, or numbers of shape (n_rows,) or (n_rows, n_outputs) for regressions
    seed : int in [0, 2**64)
        Member ``i`` gets a seed of its own derived from (seed, i).
    seeds : sequence of int in [0, 2**64), one per member; replaces ``seed``
    validation : (X, y) or None
        Rows on which members are evaluated after every epoch, and by which the best weights are kept.
    loss : {"auto", "cross_entropy", "logistic", "mse", "huber", "huber:DELTA", "quantile:LEVEL"}
        "auto": whole-number types of two values are ``logistic``, of more ``cross_entropy``, floats ``mse``.
        "huber:1.5" is squared up to residuals of 1.5 (in units of y; 1 if left out) and linear beyond; "quantile:0.9"
        is the loss whose best constant is the quantile of this level.
    sample_weight : array, shape (n_rows,), or None
    class_weight : mapping class -> weight, "balanced" or None
    numbers : int from 0 to n_inputs or None (n_inputs)
        How many columns are numbers, the first ones: those that ``number_embedding`` of an architecture embeds.
    epochs : float > 0
        The maximal resource: learning-rate schedules are stretched over it, and `train` goes there by default.
    backend : {"auto", "cuda", "cuda:0", "cuda:1", ..., "native", "numba", "numpy"}
        "cuda" distributes members over every GPU of the machine, "cuda:1" uses the GPU of that number.
    threads : int or None (``HYPERBAND_THREADS``, else every processor); no result depends on it
    precision : {"float32", "tf32", "bf16"}
        "bf16" rounds the factors of matrix products in training to 8 bits, for speed on processors with AMX or
        AVX512_BF16 and on GPUs; "tf32" to 11 bits, on GPUs. Weights stay float32. Such curves differ from those in
        float32, and between devices and instructions.
    memory_limit : int or None
        Bytes that members may take in memory; None: 80 % of what is free. When they are too many they train in waves,
        and those that wait are kept in temporary files; no result depends on it.
    device_memory : int or None
        Bytes of each GPU that data and members may take; None: 80 % of what is free there. When members are too many
        they train in waves, and those that wait are kept in the host's memory; no result depends on it.

    Raises
    ------
    InputError, DataError
        When an argument breaks a rule.
    BackendUnavailable
        When the backend cannot be used here, or not in that precision.
    InsufficientMemory
        When not even one member fits, or (from any method) when members that wait find no room on disk; the population
        stays as it was.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)); y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> shapes = [Architecture(widths=[w], learning_rate=0.02, batch_size=20) for w in (1, 4, 16)]
    >>> population = Population(shapes, X, y, seed=1, epochs=30)
    >>> population.train(until=10)          # pauses after ten epochs,
    >>> population.train([2])               # the widest one continues to thirty
    >>> population.progress().epoch.tolist()
    [10, 10, 30]
    >>> loss, error = population.evaluate(None, X, y)
    >>> bool(loss[2] < loss[0])
    True
    """

    def __init__(
        self,
        architectures: Sequence[Architecture],
        X: ArrayLike,
        y: ArrayLike,
        *,
        seed: int = 0,
        seeds: Sequence[int] | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        loss: str = "auto",
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        numbers: int | None = None,
        epochs: float = 1,
        backend: str = "auto",
        threads: int | None = None,
        precision: str = "float32",
        memory_limit: int | None = None,
        device_memory: int | None = None,
    ) -> None:
        self.architectures = _architectures(architectures)
        keys = _seeds(seed, seeds, len(self.architectures))
        self.epochs = positive(epochs, "epochs")

        from hyperband.engine.backends import registry

        chosen = self._backend = registry.get(backend)
        self.backend = chosen.name
        x, y = matrix(X, backend=chosen), on_host(y, "y", chosen)
        self.loss = resolve_loss(loss, y)
        values = targets(y, self.loss, x.shape[0])
        self.n_rows, self.n_inputs = x.shape
        self.n_outputs = count_outputs(values, self.loss)
        if sample_weight is not None:
            sample_weight = on_host(sample_weight, "sample_weight", chosen)
        train = Split(x, values, row_weights(values, self.loss, sample_weight, class_weight), numbers)
        held = self._split(*_pair(validation), names=_VALIDATION) if validation is not None else None
        self._steps_per_epoch = np.array([steps_per_epoch(a, self.n_rows) for a in self.architectures])
        self._validated = held is not None
        self._engine = chosen.engine(
            train, held, self.loss, self.n_outputs, EngineSettings(threads, precision, device_memory)
        )
        self._lock = threading.RLock()
        self._residency = Residency(self._engine, memory_limit)
        total = np.maximum(1, np.rint(self.epochs * self._steps_per_epoch)).astype(np.int64)
        for i, (a, k, t) in enumerate(zip(self.architectures, keys, total, strict=True)):
            self._residency.declare(i, Member(a, k, int(t)))
        self._residency.require_each()

    def __len__(self) -> int:
        return len(self.architectures)

    def __repr__(self) -> str:
        return (
            f"Population({len(self)} networks, {self.n_rows} rows, {self.n_inputs} -> {self.n_outputs}, "
            f"loss={self.loss!r}, backend={self.backend!r})"
        )

    @_in_turn
    def train(self, members: Members = None, until: float | None = None, *, seconds: float | None = None) -> None:
        """Train the listed members (None: all) until each has seen ``until`` epochs in all.

        Parameters
        ----------
        members : int, sequence of int or None
        until : float >= 0
            Epochs in all, not since the last call; a fraction of an epoch is rounded to whole steps. Members
            that are already there do nothing. None: ``epochs`` of the population.
        seconds : float > 0 or None
            Stop early after about this time; call again to continue to the same bits.

        Raises
        ------
        KeyboardInterrupt
            Within about 0.2 s of Ctrl-C; the population stays usable and continues to the same bits.
        """
        chosen = self._members(members)
        goal = self.epochs if until is None else not_negative(until, "until")
        deadline = math.inf if seconds is None else time.monotonic() + positive(seconds, "seconds")
        steps = np.rint(goal * self._steps_per_epoch[chosen]).astype(np.int64)
        before = self._residency.progress(chosen.tolist())
        goals = dict(zip(chosen.tolist(), steps, strict=True))
        for member in chosen[(before.step >= steps) | before.diverged].tolist():
            del goals[member]
        while goals and time.monotonic() < deadline:
            wave = self._residency.upload(list(goals), QUANTUM)
            ends = np.array([goals[member] for member in wave], np.int64)
            arrived = self._engine.train(self._residency.ids(wave), ends, evaluate=self._validated, seconds=QUANTUM)
            for member, there in zip(wave, arrived.tolist(), strict=True):
                if there:
                    del goals[member]

    @_in_turn
    def evaluate(
        self, members: Members, X: ArrayLike, y: ArrayLike, *, weights: Weights = "current"
    ) -> tuple[F64, F64]:
        """Loss and error, each of shape (n_members,).

        The error is the fraction misclassified, the mean squared error, or for ``quantile`` its loss.

        ``weights="best"`` evaluates the weights of the best validation so far.
        """
        chosen = self._members(members)
        split = self._split(X, y, names=("X", "y"))
        kind = self._weights_kind(weights, chosen)
        columns = {member: column for column, member in enumerate(chosen.tolist())}
        loss, error = np.empty(len(columns)), np.empty(len(columns))
        for wave in self._residency.waves(columns):
            at = [columns[member] for member in wave]
            loss[at], error[at] = self._engine.evaluate(self._residency.ids(wave), split, weights=kind)
        return loss, error

    @_in_turn
    def predict(self, member: int, X: ArrayLike, *, weights: Weights = "current") -> F32:
        """Raw outputs, float32, shape (n_rows, n_outputs): logits (one for ``logistic``) or predicted values.

        For an array on a GPU they are a CuPy array there.
        """
        (chosen,) = self._members(_single(member))
        kind = self._weights_kind(weights, np.array([chosen]))
        return self._engine.predict(self._resident(chosen), matrix(X, "X", self.n_inputs, self._backend), weights=kind)

    @_in_turn
    def progress(self, members: Members = None) -> TrainingProgress:
        """Steps, epochs, validation and training losses; arrays of shape (n_members,), see `TrainingProgress`."""
        return self._residency.progress(self._members(members).tolist())

    @_in_turn
    def state(self, member: int) -> dict[str, NDArray[np.generic]]:
        """The whole state of a member as arrays: `load_state` continues from it to the same bits."""
        (chosen,) = self._members(_single(member))
        return self._engine.export_state(self._resident(chosen))

    @_in_turn
    def load_state(self, member: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Overwrite a member by the `state` of one with the same architecture, data and seed."""
        (chosen,) = self._members(_single(member))
        identity = self._resident(chosen)
        _same_shapes(self._engine.export_state(identity), state)
        self._engine.import_state(identity, state)

    @_in_turn
    def weights(
        self, member: int, *, weights: Weights = "current", array: Literal["numpy", "cupy"] = "numpy"
    ) -> list[tuple[F32, ...]]:
        """Copies of [(weights (n_in, n_out), bias (n_out,)), ...], the first layer first.

        ``array="cupy"``: CuPy arrays on the member's GPU, with ``backend="cuda"``.
        """
        if array not in ("numpy", "cupy"):
            raise InputError(f"`array` must be 'numpy' or 'cupy'; got {array!r}.")
        (chosen,) = self._members(_single(member))
        kind = self._weights_kind(weights, np.array([chosen]))
        identity = self._resident(chosen)
        state = self._engine.export_state(identity)
        averaged = self.architectures[chosen].weight_average > 0.0
        layers = layered(state, "best." if kind == "best" else "average." if averaged else "")
        if array == "numpy":
            return layers
        if not isinstance(self._engine, HandsOut):
            raise InputError(
                f"`array='cupy'` needs backend='cuda'; this population's is {self.backend!r}. Use array='numpy'."
            )
        flat = iter(self._engine.to_device(identity, [array for layer in layers for array in layer]))
        return [tuple(islice(flat, len(layer))) for layer in layers]

    def _resident(self, member: int) -> int:
        """The engine's id of a member, which is uploaded first if need be."""
        return int(self._residency.ids(self._residency.upload([int(member)]))[0])

    def _split(self, X: ArrayLike, y: ArrayLike, names: tuple[str, str]) -> Split:
        return split(X, y, self.loss, self.n_inputs, self.n_outputs, names, self._backend)

    def _members(self, members: Members) -> I64:
        if members is None:
            return np.arange(len(self), dtype=np.int64)
        chosen = np.atleast_1d(np.asarray(members))
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise InputError(f"`members` must be whole numbers, or None for all; got {members!r}.")
        outside = chosen[(chosen < 0) | (chosen >= len(self))]
        if outside.size:
            raise InputError(f"`members` must lie between 0 and {len(self) - 1}; got {outside[0]}.")
        if len(set(chosen.tolist())) < len(chosen):
            raise InputError(f"`members` must name each member once; got {members!r}.")
        return chosen.astype(np.int64)

    def _weights_kind(self, weights: str, chosen: I64) -> str:
        if weights not in ("current", "best"):
            raise InputError(f"`weights` must be 'current' or 'best'; got {weights!r}.")
        if weights == "best":
            none = chosen[self._residency.progress(chosen.tolist()).best_step < 0]
            if none.size:
                remedy = "Train it first." if self._validated else "Give `validation` to the population."
                raise InputError(f"`weights='best'` needs a validation; member {none[0]} has none. {remedy}")
        return weights


def steps_per_epoch(architecture: Architecture, n_rows: int) -> int:
    """Optimiser steps of one pass over the rows, the last short batch included."""
    return -(-n_rows // architecture.batch_size)


def _architectures(architectures: Sequence[Architecture]) -> tuple[Architecture, ...]:
    if isinstance(architectures, Architecture) or not isinstance(architectures, Iterable):
        raise InputError(f"`architectures` must be a sequence of Architecture; got {type(architectures).__name__}.")
    listed = tuple(architectures)
    if not listed:
        raise InputError("`architectures` must name at least one network; got none.")
    for one in listed:
        if not isinstance(one, Architecture):
            raise InputError(f"`architectures` must hold Architecture objects; got {one!r}.")
    return listed


def _seeds(seed: int, seeds: Sequence[int] | None, n: int) -> list[int]:
    if seeds is None:
        key = _seed(seed, "seed")
        return [member_seed(key, i) for i in range(n)]
    listed = [_seed(s, "seeds") for s in seeds]
    if len(listed) != n:
        raise InputError(f"`seeds` must hold one seed per architecture ({n}); got {len(listed)}.")
    return listed


def _seed(seed: Any, name: str) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise InputError(f"`{name}` must be whole numbers from 0 to 2**64 - 1; got {seed!r}.")
    return int(seed)


def _pair(validation: Any) -> tuple[ArrayLike, ArrayLike]:
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise InputError(f"`validation` must be a pair (X, y) or None; got {type(validation).__name__}.")
    return validation[0], validation[1]


def _single(member: Any) -> int:
    if isinstance(member, bool) or not isinstance(member, (int, np.integer)):
        raise InputError(f"`member` must be one whole number; got {member!r}.")
    return int(member)


def _same_shapes(own: Mapping[str, NDArray[np.generic]], state: Mapping[str, NDArray[np.generic]]) -> None:
    required = {name for name in own if not name.startswith("best.")}
    missing = sorted(required - set(state))
    if missing:
        raise InputError(f"`state` must come from `Population.state`; {missing[0]!r} is missing.")
    for name, array in state.items():
        mine = own.get(name, own.get(name.removeprefix("best.")))
        if mine is None or np.shape(array) != mine.shape:
            shape = None if mine is None else mine.shape
            raise InputError(
                f"`state` must belong to the same architecture and data: {name!r} must have shape {shape}; "
                f"got {np.shape(array)}."
            )
