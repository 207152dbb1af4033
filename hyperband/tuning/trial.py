"""A job to do, the result of one evaluation, and losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from hyperband.errors import InputError

#: A loss in JSON.
Written: TypeAlias = float | list[float] | None

#: What is minimised: one number, or one for each of several objectives.
Loss: TypeAlias = float | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """Train trial ``trial`` until it has ``resource``, and report its loss.

    Parameters
    ----------
    trial : int
        Identity of the configuration within the run: 0, 1, 2, ... in the order of creation.
    bracket, rung : int
        Where in the schedule this evaluation belongs; rung 0 has the least resource.
    configuration : Mapping[str, Any]
        Parameter values; inactive parameters (see `hyperband.space.When`) are absent.
    resource : float
        Cumulative resource after this job, in the unit of the objective (int when it is whole).
    previous : float
        What the trial already has, 0 for a new one. Only ``resource - previous`` is trained.
    parent : int or None
        The trial starts as a copy of what trial ``parent`` has when this job is submitted (population-based training).
    """

    trial: int
    bracket: int
    rung: int
    configuration: Mapping[str, Any]
    resource: float
    previous: float = 0
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one `Job`.

    Parameters
    ----------
    loss : float
        What is minimised. NaN or infinite when the trial failed: it ranks last and is never promoted. Of several
        objectives the first.
    metrics : Mapping[str, float]
        Further figures, reported but not used for ranking.
    cost : float or None
        Spent on this job alone, in units of resource unless the objective says otherwise. None: the resource that the
        job added.
    objectives : tuple of float
        All objectives, each minimised, ``loss`` first; empty when there is only one.
    """

    trial: int
    bracket: int
    rung: int
    resource: float
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    cost: float | None = None
    objectives: tuple[float, ...] = ()


def is_finite(loss: Loss) -> bool:
    """Whether a trial with this loss may be promoted: no objective is NaN or infinite.

    Examples
    --------
    >>> is_finite(0.5), is_finite((0.5, math.nan)), is_finite(math.inf)
    (True, False, False)
    """
    return all(map(math.isfinite, loss)) if isinstance(loss, tuple) else math.isfinite(loss)


def check_objectives(loss: Loss, other: Loss | None) -> None:
    """Refuse a loss with other objectives than one that was told before.

    Raises
    ------
    InputError
        When one is a tuple of another length than the other, or no tuple.
    """
    if other is not None and np.shape(loss) != np.shape(other):
        raise InputError(f"All losses must have the same number of objectives; got {loss!r} after {other!r}.")


def write_loss(loss: Loss) -> Written:
    """A loss as plain data; None for a trial that failed.

    Examples
    --------
    >>> write_loss(0.5), write_loss((0.5, 2.0)), write_loss((0.5, math.nan))
    (0.5, [0.5, 2.0], None)
    """
    if not is_finite(loss):
        return None
    return list(map(float, loss)) if isinstance(loss, tuple) else float(loss)


def read_loss(written: Written) -> Loss:
    """Inverse of `write_loss`; NaN for a trial that failed."""
    if written is None:
        return math.nan
    return tuple(map(float, written)) if isinstance(written, list) else float(written)
