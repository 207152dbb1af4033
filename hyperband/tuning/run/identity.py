"""Which run a saved state belongs to: its settings, compared field by field when the state is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hyperband._common.checks import as_float
from hyperband.errors import InputError
from hyperband.tuning.plans import Plan
from hyperband.tuning.settings import difference, identity, write

if TYPE_CHECKING:
    from hyperband.space import Space
    from hyperband.tuning.samplers.base import Sampler
    from hyperband.tuning.schedulers.base import Scheduler, Slot


def run_identity(
    space: Space, seed: int, scheduler: Scheduler, sampler: Sampler, explored: Sequence[str] | None
) -> dict[str, Any]:
    """What a state says of its run: plain data, compared in this order."""
    return {
        "seed": seed,
        "space": space_identity(space),
        "scheduler": identity(scheduler),
        "sampler": identity(sampler),
        "explore": None if explored is None else list(explored),
        "plan": scheduler.plan().to_dict(),  # for schedulers of others, whose settings may not be known
    }


def space_identity(space: Space) -> dict[str, Any]:
    """The space as plain data, without what cannot be written: constraints that are functions, options of odd types."""
    try:
        return space.to_dict()
    except InputError:
        parameters = {name: _parameter_identity(parameter) for name, parameter in space.parameters.items()}
        constraints = [constraint for constraint in space.constraints if isinstance(constraint, str)]
        conditions = [condition.to_dict() for condition in space.conditions]
        return {"type": "Space", "parameters": parameters, "conditions": conditions, "constraints": constraints}


def _parameter_identity(parameter: Any) -> Any:
    found = {}
    for name, value in parameter.to_dict().items():
        try:
            found[name] = write(value, name)
        except InputError:
            continue  # it cannot be compared
    return found


def check_same(state: Mapping[str, Any], version: int, identity: Mapping[str, Any]) -> None:
    """`InputError` unless a saved state is of this version and of a run with this identity."""
    if not isinstance(state, Mapping):
        raise InputError(f"The state must be what `state_dict` gave; got {state!r}.")
    if state.get("version") != version:
        raise InputError(f"The state must be of version {version}; got {state.get('version')!r}.")
    missing = [name for name in identity if name not in state]
    if missing:
        raise InputError(f"The state must be what `state_dict` gave; got one without {', '.join(missing)}.")
    for name, mine in identity.items():
        found = difference(mine, state.get(name), name)
        if found is not None:
            where, ours, theirs = found
            raise InputError(
                f"The state must be of a run with the same `{where}` ({_in_short(ours)}); got {_in_short(theirs)}. "
                "Start the run with the settings that the state was saved under."
            )


def check_planned(slots: Iterable[Slot], plan: Plan) -> None:
    """`InputError` unless open jobs of a saved state are in rungs of the plan, at their resource."""
    for slot in slots:
        bracket = slot.bracket % len(plan.brackets) if plan.endless else slot.bracket
        rungs = plan.brackets[bracket].rungs if bracket < len(plan.brackets) else ()
        if slot.rung >= len(rungs) or as_float(rungs[slot.rung].r) != slot.resource:
            raise InputError(f"The state must have open jobs of the plan; got {list(slot)}. It was damaged.")


def _in_short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
