"""How many workers, of which kind, and what happens when one fails."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from hyperband._common.checks import exact, whole_number
from hyperband.errors import InputError

EXECUTORS = ("threads", "processes")


@dataclass(frozen=True, slots=True)
class Workers:
    """Who calls the objective; every field is an argument of `hyperband.minimize`.

    Parameters
    ----------
    n : int >= 1
    executor : {"threads", "processes"}
        One thread without a timeout is the caller's own.
    timeout : float > 0, optional
        Seconds that one evaluation may take.
    retries : int >= 0
        How often an evaluation that failed is tried again.
    state_dir : path, optional
        States are also written there.
    """

    n: int = 1
    executor: str = "threads"
    timeout: float | None = None
    retries: int = 0
    state_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", whole_number(self.n, "workers"))
        object.__setattr__(self, "retries", whole_number(self.retries, "retries", 0))
        if self.executor not in EXECUTORS:
            raise InputError(f"`executor` must be one of {', '.join(EXECUTORS)}; got {self.executor!r}.")
        if self.timeout is not None and not (self.timeout == math.inf or exact(self.timeout, "timeout") > 0):
            raise InputError(f"`timeout` must be greater than 0 seconds; got {self.timeout!r}. Pass None for no limit.")
        if self.state_dir is not None and not isinstance(self.state_dir, str | os.PathLike):
            raise InputError(f"`state_dir` must be a path; got {self.state_dir!r}.")
