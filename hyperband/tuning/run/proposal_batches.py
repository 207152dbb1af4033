"""What a sampler that learns knows when it proposes: fixed by the schedule, never by who came first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hyperband._common.checks import whole_number
from hyperband.tuning.run.evaluation_log import Records
from hyperband.tuning.schedulers.base import Slot

if TYPE_CHECKING:
    from hyperband.tuning.samplers.base import Proposer


class Lots:
    """New trials of a synchronous run in lots: a lot is proposed with the results that were there when it began.

    A lot begins when every trial before it was judged at least once, and ends after ``size`` trials or with its rung.
    As brackets run one after another, what was told by then does not depend on the order of arrival.

    Parameters
    ----------
    size : int, trials of a lot; 0: no lots
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._place: tuple[int, int] | None = None  # bracket and rung of the lot
        self._left = 0  # of this lot, still to be proposed
        self._known = 0  # records that the sampler was told

    def ready(self, slot: Slot, unjudged: bool) -> bool:
        """Whether a new lot begins with this trial now."""
        if self._left and self._place == (slot.bracket, slot.rung):
            return False
        self._left = 0
        if unjudged:
            return False
        self._place, self._left = (slot.bracket, slot.rung), self.size
        return True

    def hand_over(self, records: Records, proposer: Proposer) -> None:
        """Tell the sampler what was told since the last lot began, in one fixed order."""
        results = [records.result(row) for row in range(self._known, len(records))]
        for r in sorted(results, key=lambda r: (r.bracket, r.rung, r.trial)):
            proposer.tell(r.trial, r.resource, r.objectives or r.loss)
        self._known = len(records)

    def take(self, slots: Sequence[Slot]) -> list[Slot]:
        """Those that belong to this lot."""
        return [slot for slot in slots[: self._left] if (slot.bracket, slot.rung) == self._place]

    def proposed(self, n: int) -> None:
        """So many of the lot have their configuration."""
        self._left -= n if self.size else 0

    def state_dict(self) -> dict[str, Any]:
        """Plain JSON-able data."""
        return {"place": self._place, "left": self._left, "known": self._known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self._place = None if state["place"] is None else (state["place"][0], state["place"][1])
        self._left, self._known = (whole_number(state[name], name, 0) for name in ("left", "known"))
