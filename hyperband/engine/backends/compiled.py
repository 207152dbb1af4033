"""What the engines of ``hyperband._core`` have in common: arguments are checked here, once, then passed to C++."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband import _core
from hyperband.engine.architecture import CHOICES, Architecture
from hyperband.engine.backends import checks
from hyperband.engine.backends.base import F32, F64, I64, Member, Split, TrainingProgress
from hyperband.engine.backends.device_array import DeviceMatrix, ReadsArrays
from hyperband.engine.backends.layout import Layout, has_average, has_first_moment, has_second_moment
from hyperband.engine.backends.state import MemberState, State, import_state
from hyperband.engine.backends.threads import thread_count
from hyperband.engine.losses import LOSSES, parse
from hyperband.engine.parameters import embedded_numbers, named, output_width
from hyperband.errors import InputError

#: Seconds that an engine works before Python checks for Ctrl-C.
QUANTUM = 0.1

#: Rows, on the host or at an address on a device: (pointer, n_rows, n_columns).
Rows = F32 | tuple[int, int, int]
#: Rows, targets and weights as an engine of `hyperband._core` takes them.
Triple = tuple[Rows, NDArray[Any], F32 | None]
#: What an engine of `hyperband._core` trains: (engine, members, steps until which, first rows, first columns).
CorePart = tuple[Any, list[int], list[int], int, int]
#: Architectures, likewise: see `packed`.
Records = NDArray[np.void]


class CompiledEngine:
    """`hyperband.engine.backends.base.Engine` over an engine of `hyperband._core`.

    Parameters
    ----------
    train, validation, loss, n_outputs : the problem, see `hyperband.engine.backends.base.Backend`
    make : callable
        Makes the engine from (x, y, weight, validation's (x, y, weight) or None, (number of the loss's name, its
        number), n_outputs, how many columns are numbers). It has the functions of csrc/bindings/members.hpp.
    arrays : ReadsArrays or None
        Of an engine that reads rows on a device; it keeps them there for as long as it lives.
    """

    def __init__(
        self, train: Split, validation: Split | None, loss: str, n_outputs: int, make: Callable[..., Any],
        arrays: ReadsArrays | None = None,
    ) -> None:  # fmt: skip
        self.means: tuple[str, ...] = ()  #: the backend and its precision, for checks of architectures
        checks.check_problem(loss, n_outputs)
        self._arrays = arrays
        self._loss, self._n_outputs = loss, n_outputs
        given = self._triple(train, None, "train")
        self._n_rows, self._n_inputs = given[0][1:] if isinstance(given[0], tuple) else given[0].shape
        held = None if validation is None else self._triple(validation, self._n_inputs, "validation")
        self._owners = [s.x for s in (train, validation) if s is not None and isinstance(s.x, DeviceMatrix)]
        self._numbers = checks.check_numbers(train, self._n_inputs)
        of = parse(loss)
        self._core = make(*given, held, (LOSSES.index(of.name), of.number), n_outputs, self._numbers)
        self._members: dict[int, Member] = {}

    def add(self, members: Sequence[Member]) -> I64:
        for member in members:
            checks.check_member(member)
            checks.check_kinds(member.architecture, *self.means)
        records = packed([m.architecture for m in members])
        self._require_memory(records)
        ids = self._core.add(records, [m.seed for m in members], [m.total_steps for m in members])
        self._members.update(zip(ids, members, strict=True))
        return np.array(ids, np.int64)

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
        given = self.checked_part(members, until_step, rows, inputs)
        while True:
            quantum = QUANTUM if seconds is None else max(0.0, seconds)
            arrived = np.array(self._core.train(*given[1:], evaluate, quantum), np.bool_)
            if seconds is not None or arrived.all():
                return arrived

    def checked_part(self, members: I64, until_step: I64, rows: int | None, inputs: int | None) -> CorePart:
        """Arguments of `train`, as ``hyperband._core`` takes them."""
        ids = self._listed(members)
        until = checks.check_until(until_step, len(ids)).tolist()
        n_rows = checks.check_range(rows, self._n_rows, "rows")
        n_inputs = checks.check_range(inputs, self._n_inputs, "inputs")
        checks.check_all_seen((self._members[i].architecture for i in ids), n_inputs, self._n_inputs)
        return self._core, ids, until, n_rows, n_inputs

    def progress(self, members: I64) -> TrainingProgress:
        counters, scores = self._core.progress(self._listed(members))
        step, epoch, best_step, diverged = counters.T
        loss, error, best_loss, best_error, train_loss = scores.T
        return TrainingProgress(
            step=step,
            epoch=epoch,
            loss=loss,
            error=error,
            best_loss=best_loss,
            best_error=best_error,
            best_step=best_step,
            train_loss=train_loss,
            diverged=diverged.astype(np.bool_),
        )

    def evaluate(self, members: I64, split: Split, *, weights: str = "current") -> tuple[F64, F64]:
        ids = self._listed(members)
        given = self._triple(split, self._n_inputs, "split")
        loss, error = self._core.evaluate(ids, *given, self._best(ids, weights))
        return loss, error

    def predict(self, member: int, x: F32 | DeviceMatrix, *, weights: str = "current") -> F32:
        ids = self._listed(np.array([member]))
        if isinstance(x, DeviceMatrix) and self._arrays is not None:
            there = self._admit(self._arrays, x, self._n_inputs, "x")
            return _outputs(
                self._core.predict_on_device, ids[0], there.address, self._n_outputs, self._best(ids, weights)
            )
        rows, best = checks.check_matrix(x, self._n_inputs, "x"), self._best(ids, weights)
        return _outputs(self._core.predict, ids[0], rows, best)

    def forget_best(self, members: I64) -> None:
        for member in self._listed(members):
            self._core.forget_best(member)

    def release(self, members: I64) -> None:
        for member in self._listed(members):
            self._core.release(member)
            del self._members[member]

    def export_state(self, member: int) -> State:
        state: State = self._core.export_state(self._listed(np.array([member]))[0])
        return state

    def import_state(self, member: int, state: Mapping[str, NDArray[np.generic]]) -> None:
        identity = self._listed(np.array([member]))[0]
        import_state(self._blank(self._members[identity]), state, self._n_rows)  # refuses what does not fit
        kinds = {"counters": np.int64, "scores": np.float64}  # all else float32; the reference hands over float64
        self._core.import_state(
            identity, {name: np.asarray(array, kinds.get(name, np.float32)) for name, array in state.items()}
        )

    def bytes_per_member(self, architecture: Architecture) -> int:
        return int(self._core.bytes_per_member(packed([architecture]))[0])

    def _require_memory(self, records: Records) -> None:
        """Refuses members that the engine cannot hold, before any of them is made."""

    def _triple(self, split: Split, n_inputs: int | None, what: str) -> Triple:
        if isinstance(split.x, DeviceMatrix) and self._arrays is not None:
            x = self._admit(self._arrays, split.x, n_inputs, f"{what}.x")
            return x.address, *checks.check_answers(split, x.shape[0], self._loss, self._n_outputs, what)
        host = checks.check_split(split, n_inputs, self._loss, self._n_outputs, what)
        return host.x, host.y, host.weight

    def _admit(self, arrays: ReadsArrays, x: DeviceMatrix, n_inputs: int | None, what: str) -> DeviceMatrix:
        checks.check_columns(x.shape[1], n_inputs, what)
        return arrays.admit(x, what)

    def _blank(self, member: Member) -> MemberState:
        layout = Layout.of(member.architecture, self._n_inputs, self._n_outputs, numbers=self._numbers)
        m = layout.zeros(np.float32) if has_first_moment(member.architecture) else None
        v = layout.zeros(np.float32) if has_second_moment(member.architecture) else None
        average = layout.zeros(np.float32) if has_average(member.architecture) else None
        return MemberState(member, layout, layout.zeros(np.float32), m, v, average)

    def _listed(self, members: I64) -> list[int]:
        ids: list[int] = checks.check_ids(members).tolist()
        for member in ids:
            if member not in self._members:
                raise InputError(f"`members` must name living members of this engine; got {member!r}.")
        return ids

    def _best(self, ids: list[int], weights: str) -> bool:
        if weights == "current":
            return False
        if weights != "best":
            raise InputError(f'`weights` must be "current" or "best"; got {weights!r}.')
        if (self.progress(np.array(ids, np.int64)).best_step < 0).any():
            raise InputError('`weights` = "best" needs a validated member; got one without a snapshot. Use "current".')
        return True


def forward(architecture: Architecture, weights: Sequence[tuple[F32, ...]], x: F32) -> F32:
    """Raw outputs of a network given by its weights, on the CPU; see `Backend.forward` of `engine.backends.base`."""
    rows = checks.check_matrix(x, None, "x")
    layers = checks.check_layers(architecture, weights, rows.shape[1])
    given = {name: np.ascontiguousarray(array, np.float32) for name, array in named(architecture, layers).items()}
    ends = rows.shape[1], output_width(architecture, layers), embedded_numbers(architecture, layers) or 0
    return _outputs(_core.forward, packed([architecture]), given, ends, rows, thread_count())


def _outputs(compute: Callable[..., F32], *arguments: Any) -> F32:
    """The engine finds numbers that are not finite, since it reads them all anyway."""
    try:
        return compute(*arguments)
    except ValueError as error:
        raise InputError(str(error)) from None


def packed(architectures: Sequence[Architecture]) -> Records:
    """Architectures as records of the C++ struct ``Architecture``, shape (n,), filled field by field.

    The struct, in csrc/core/architecture.hpp, names its fields as the dataclass does. It has ``n_hidden`` besides, the
    number of ``widths`` in use, and numbers instead of names: the position in ``ACTIVATIONS`` and its like.
    """
    records = np.zeros(len(architectures), _core.architecture_dtype())
    if not len(records):
        return records
    for field in records.dtype.names or ():
        if field == "n_hidden":
            records[field] = [len(a.widths) for a in architectures]
        elif field == "widths":
            records[field] = [(*a.widths, *_UNUSED[len(a.widths) :]) for a in architectures]
        else:
            values = map(attrgetter(field), architectures)
            number = _NUMBERS.get(field)
            records[field] = list(values) if number is None else [number[name] for name in values]
    return records


#: Widths of a network without hidden layers.
_UNUSED = (0,) * 8

#: Of each field with a choice: name -> number.
_NUMBERS = {field: {name: number for number, name in enumerate(names)} for field, names in CHOICES.items()}
