"""Batches of proposals: what a sampler has been told when it proposes does not depend on the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hyperband._common.checks import whole_number
from hyperband.tuning.run.evaluation_log import EvaluationLog
from hyperband.tuning.schedulers.base import Slot

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Proposer


class ProposalBatches:
    """New trials of a synchronous run in batches; the sampler proposes a batch from the results at its beginning.

    A batch begins when every trial before it was evaluated at least once, and ends after ``size`` trials or with its
    rung. As brackets run one after another, what was told by then does not depend on the order of arrival.

    Parameters
    ----------
    size : int, trials of a batch; 0: no batches
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._rung: tuple[int, int] | None = None  # bracket and rung of the batch
        self._left = 0  # of this batch, still to be proposed
        self._known = 0  # evaluations that the sampler was told

    def ready(self, slot: Slot, unevaluated: bool) -> bool:
        """Whether a new batch begins with this trial now; ``unevaluated``: some trial before it has no loss yet."""
        if self._left and self._rung == (slot.bracket, slot.rung):
            return False
        self._left = 0
        if unevaluated:
            return False
        self._rung, self._left = (slot.bracket, slot.rung), self.size
        return True

    def hand_over(self, log: EvaluationLog, proposer: Proposer) -> None:
        """Tell the sampler the results since the last batch began, in one fixed order."""
        results = [log.result(row) for row in range(self._known, len(log))]
        for r in sorted(results, key=lambda r: (r.bracket, r.rung, r.trial)):
            proposer.tell(r.trial, r.resource, r.objectives or r.loss)
        self._known = len(log)

    def take(self, slots: Sequence[Slot]) -> list[Slot]:
        """Those that belong to this batch."""
        return [slot for slot in slots[: self._left] if (slot.bracket, slot.rung) == self._rung]

    def proposed(self, n: int) -> None:
        """So many of the batch have their configuration."""
        self._left -= n if self.size else 0

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {"rung": self._rung, "left": self._left, "known": self._known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._rung = None if state["rung"] is None else (state["rung"][0], state["rung"][1])
        self._left, self._known = (whole_number(state[name], name, 0) for name in ("left", "known"))
