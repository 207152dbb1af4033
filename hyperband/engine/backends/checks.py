"""Checks of what callers hand to a backend: splits, ids, targets. Errors name rule, value and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import F32, I64, PRECISIONS, EngineSettings, HostSplit, Member, Split
from hyperband.engine.backends.device_array import DeviceMatrix, to_host
from hyperband.engine.losses import parse
from hyperband.engine.parameters import TABLE, Layers, embedded_numbers, kinds, output_width, shapes, shapes_of
from hyperband.errors import BackendUnavailable, InputError

#: of arrays for compiled code: read-only ones would be another type to Numba, hence copied
_PLAIN: tuple[Literal["C", "A", "W"], ...] = ("C", "A", "W")

#: Remedy where members do not fit.
FEWER = "Train fewer or smaller networks at a time."


def check_precision(precision: str) -> str:
    """A known precision."""
    if precision not in PRECISIONS:
        raise InputError(f"`precision` must be one of {', '.join(PRECISIONS)}; got {precision!r}.")
    return precision


def refuse(backend: str, settings: EngineSettings, allowed: tuple[str, ...]) -> None:
    """For a backend with only the ``allowed`` precisions, and without a device."""
    precision = check_precision(settings.precision)
    if precision not in allowed:
        where = {
            "bf16": "backend='native' on a processor with AMX or AVX512_BF16, or backend='cuda'",
            "tf32": "backend='cuda'",
        }[precision]
        raise BackendUnavailable(
            f"Backend {backend!r} has no {precision} products. Use precision='float32', or {where}."
        )
    if check_bytes(settings.device_memory, "device_memory") is not None:
        raise InputError(f"`device_memory` is for backend='cuda', but the backend is {backend!r}. Leave it out.")


def check_bytes(value: int | None, name: str) -> int | None:
    """Bytes, at least one, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"`{name}` must be a whole number of bytes, at least 1, or None; got {value!r}.")
    return int(value)


def check_problem(loss: str, n_outputs: int) -> None:
    """A known loss, and as many outputs as it can have."""
    least, most = {"cross_entropy": (2, 65536), "logistic": (1, 1)}.get(parse(loss).name, (1, 65536))
    if not least <= n_outputs <= most:
        rule = "1" if most == 1 else f"a whole number from {least} to {most}"
        raise InputError(f"`n_outputs` must be {rule} for loss {loss}; got {n_outputs!r}.")


def check_inputs(x: Any, n_inputs: int | None, what: str) -> F32:
    """Rows as a C-contiguous float32 matrix of finite numbers."""
    array = check_matrix(x, n_inputs, what)
    if not np.isfinite(array).all():
        raise InputError(f"{what} must be finite; got NaN or infinity. Impute or drop those rows.")
    return array


def check_matrix(x: Any, n_inputs: int | None, what: str) -> F32:
    """Rows as a C-contiguous float32 matrix; whether the numbers are finite is for the caller to check."""
    if isinstance(x, DeviceMatrix):
        raise InputError(f"{what} lies on a GPU, which this backend does not read. {to_host(what)}.")
    array = np.asarray(x)
    if array.ndim != 2 or array.dtype != np.float32:
        raise InputError(f"{what} must be a float32 matrix (n_rows, n_inputs); got {array.dtype} of {array.shape}.")
    check_columns(array.shape[1], n_inputs, what)
    if array.shape[1] < 1:
        raise InputError(f"{what} must have at least one column; got none.")
    return np.require(array, requirements=_PLAIN)


def check_columns(n: int, n_inputs: int | None, what: str) -> None:
    """As many columns as in training, where that is known."""
    if n_inputs is not None and n != n_inputs:
        raise InputError(f"{what} must have {n_inputs} columns, as in training; got {n}.")


def check_split(split: Split, n_inputs: int | None, loss: str, n_outputs: int, what: str) -> HostSplit:
    """The split with contiguous arrays of the dtypes that `Split` promises."""
    x = check_inputs(split.x, n_inputs, f"{what}.x")
    if len(x) == 0:
        raise InputError(f"{what} must have at least one row; got none.")
    return HostSplit(x, *check_answers(split, len(x), loss, n_outputs, what), split.numbers)


def check_numbers(split: Split, n_inputs: int) -> int:
    """How many columns of the training split are numbers."""
    if split.numbers is None:
        return n_inputs
    return whole_number(split.numbers, "numbers", 0, n_inputs)


def check_all_seen(architectures: Iterable[Architecture], inputs: int, n_inputs: int) -> None:
    """Networks that embed numbers see all columns: components of hidden ones would lie between those of others."""
    if inputs < n_inputs and any(a.number_embedding != "none" for a in architectures):
        raise InputError(
            f"A network with `number_embedding` must see all {n_inputs} columns; got inputs {inputs}. "
            "Use number_embedding='none', or another resource than columns."
        )


def check_answers(
    split: Split, n_rows: int, loss: str, n_outputs: int, what: str
) -> tuple[NDArray[np.generic], F32 | None]:
    """Targets and weights of the split's rows, on the host or on a device."""
    weight = split.weight
    if weight is not None:
        weight = np.require(weight, np.float32, _PLAIN)
        if weight.shape != (n_rows,) or not np.isfinite(weight).all() or weight.min() < 0.0 or weight.sum() <= 0.0:
            raise InputError(
                f"{what}.weight must be {n_rows} finite numbers >= 0, not all 0; got shape {weight.shape}."
            )
    return _targets(np.asarray(split.y), n_rows, loss, n_outputs, f"{what}.y"), weight


def _targets(y: NDArray[Any], n_rows: int, loss: str, n_outputs: int, what: str) -> NDArray[np.generic]:
    if parse(loss).regression:
        if y.shape != (n_rows, n_outputs) or y.dtype.kind != "f" or not np.isfinite(y).all():
            raise InputError(
                f"{what} must be finite float32 numbers of shape {(n_rows, n_outputs)}; got {y.dtype} of {y.shape}."
            )
        return np.require(y, np.float32, _PLAIN)
    if y.shape != (n_rows,) or y.dtype.kind not in "iu":
        raise InputError(f"{what} must be {n_rows} whole class numbers (int32); got {y.dtype} of {y.shape}.")
    classes = max(2, n_outputs)
    if y.min() < 0 or y.max() >= classes:
        raise InputError(f"{what} must hold class numbers from 0 to {classes - 1}; got {y.min()} to {y.max()}.")
    return np.require(y, np.int32, _PLAIN)


def check_member(member: Member) -> None:
    """A seed of 64 bits and a schedule of at least one step."""
    if not isinstance(member.architecture, Architecture):
        raise InputError(f"`architecture` must be an Architecture; got {type(member.architecture).__name__}.")
    if not 0 <= member.seed < 2**64:
        raise InputError(f"`seed` must lie in [0, 2**64); got {member.seed!r}.")
    if not 1 <= member.total_steps < 2**62:
        raise InputError(f"`total_steps` must be at least 1; got {member.total_steps!r}.")


def check_kinds(architecture: Architecture, *means: str) -> None:
    """Only parameters that this backend trains in this precision; see ``not_with`` of the parameter table."""
    for kind in TABLE:
        for used in means:
            if used in kind.not_with and kind.layers(architecture):
                remedy = "precision='float32'" if used in PRECISIONS else "another backend, such as 'numba'"
                raise InputError(
                    f"A network with the parameter {kind.name!r} cannot be trained with {used!r}. Use {remedy}."
                )


def check_ids(members: Any) -> I64:
    """Member ids as a flat int64 array without repetitions."""
    ids = np.asarray(members)
    if ids.size == 0:
        return np.zeros(0, np.int64)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise InputError(f"`members` must be a flat array of whole numbers; got {ids.dtype} of shape {ids.shape}.")
    ids = ids.astype(np.int64)
    if len(set(ids.tolist())) != len(ids):  # np.unique would import numpy.ma first, for longer than training starts
        raise InputError("`members` must name each member once; got repetitions.")
    return ids


def check_until(until_step: Any, n_members: int) -> I64:
    """One step target a member; a single number stands for all."""
    until = np.asarray(until_step)
    if until.dtype.kind not in "iu" and until.size:
        raise InputError(f"`until_step` must hold whole numbers; got {until.dtype}.")
    if until.shape not in ((), (n_members,)):
        raise InputError(f"`until_step` must hold one number a member ({n_members}); got shape {until.shape}.")
    if until.size and until.min() < 0:
        raise InputError(f"`until_step` must be at least 0; got {until.min()}.")
    return np.broadcast_to(until, (n_members,)).astype(np.int64)


def check_range(value: int | None, most: int, name: str) -> int:
    """``value`` in 1..most; None stands for ``most``."""
    if value is None:
        return most
    return whole_number(value, name, 1, most)


def check_layers(architecture: Architecture, weights: Any, n_inputs: int) -> Layers:
    """The parameters of a network from outside, shapes checked against the architecture."""
    layers = [tuple(np.asarray(array) for array in layer) for layer in weights]
    if len(layers) != len(architecture.widths) + 1:
        raise InputError(
            f"`weights` must hold {len(architecture.widths) + 1} layers for this architecture; got {len(layers)}."
        )
    outputs = max(1, output_width(architecture, layers))
    expected = shapes(architecture, n_inputs, outputs, embedded_numbers(architecture, layers))
    for number, (must, found) in enumerate(zip(expected, shapes_of(layers), strict=True)):
        if found != must:
            names = " and ".join(kind.name for kind in kinds(architecture, number))
            raise InputError(f"`weights`, layer {number}, must hold {names} of the shapes {must}; got {found}.")
    return layers
