"""How many workers call the objective, of which kind, and what happens when a call fails."""

from __future__ import annotations

import math
import os
from dataclasses import KW_ONLY, dataclass

from hyperband._common.checks import exact, whole_number
from hyperband.errors import InputError

EXECUTORS = ("threads", "processes")


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers of `hyperband.minimize`, with what ``workers=4`` leaves at its default.

    Parameters
    ----------
    n : int >= 1
        Evaluations at a time.
    executor : {"threads", "processes"}
        "threads" suit objectives that wait or compute outside of Python (NumPy, PyTorch, a simulator); one worker
        without a timeout is the caller's own thread. "processes" are spawned, once each, and give every worker its own
        interpreter: the objective must be at the top level of a module, and a script must call `hyperband.minimize`
        under ``if __name__ == "__main__":``. When a process dies, only the evaluation that it ran fails; a state stays
        in the process that holds it, and its trial continues there.
    timeout : float > 0, optional
        Seconds for one evaluation. A process that takes longer is killed with all that it has started. A thread cannot
        be killed: it is abandoned, another one replaces it, and its late answer is ignored.
    retries : int >= 0
        How often an evaluation that raised, took too long or lost its worker is tried again. The state that a failed
        call has left is not used: the trial continues from ``state_dir``, or restarts from zero (``state`` is None),
        which costs its whole resource.
    state_dir : path, optional
        States are also pickled there after every evaluation, one file a trial until the trial is dropped, so that they
        outlive their worker. Without it the states that a dead process held are lost: their trials are tried again
        (``retries``), or fail.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Workers(4, timeout=60, retries=1)
    Workers(n=4, executor='threads', timeout=60, retries=1, state_dir=None)
    """

    n: int = 1
    _: KW_ONLY
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
