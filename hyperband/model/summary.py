"""A model in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hyperband._common.counted import counted
from hyperband.model.member import MemberNetwork

if TYPE_CHECKING:
    from hyperband.tables.preprocess import Preprocessing
    from hyperband.tables.target import Target


def summary_lines(
    target: Target, views: Sequence[Preprocessing], members: Sequence[MemberNetwork], provenance: Mapping[str, Any]
) -> list[str]:
    """Target, networks, features and, as far as that is known, how a model was made: five lines at most."""
    from hyperband.tables.columns import first_names

    lines = [f"Model: {target.task} of {first_names(list(target.names))}"]
    if target.classes:
        lines.append(f"classes: {first_names([str(label) for label in target.classes])}")
    found = provenance.get("ensemble")
    ensemble = found if isinstance(found, Mapping) else {}  # a file may hold anything there
    networks = counted(len(members), "network")
    chosen = ensemble.get("members")
    if isinstance(chosen, Sequence) and "distilled" not in provenance:
        trials = {member.get("trial") for member in chosen if isinstance(member, Mapping)}
        networks += f" of {counted(len(trials), 'trial')}"
    lines.append(f"networks: {networks}")
    used = {column for view in views for column in view.used}
    of_view: dict[str, set[int]] = {}  # of folds, whose rows differ, a view may have several numbers
    for view in views:
        of_view.setdefault(view.view, set()).add(view.n_features)
    seen = ", ".join(f"{_range(numbers)} in view {name}" for name, numbers in of_view.items())
    lines.append(f"features: {len(used)} of {counted(views[0].n_inputs, 'column')} as {seen}")
    if made := _origin(provenance, ensemble):
        lines.append(f"made: {', '.join(made)}")
    return [lines[0], *("  " + " ".join(line.split()) for line in lines[1:])]  # labels may hold line feeds


def _origin(provenance: Mapping[str, Any], ensemble: Mapping[str, Any]) -> list[str]:
    parts = []
    distilled = provenance.get("distilled")
    if isinstance(distilled, Mapping) and isinstance(n_members := distilled.get("members"), int):
        parts.append(f"distilled from {counted(n_members, 'network')}")
    if isinstance(score := ensemble.get("cross_score"), float):
        parts.append(f"validation {ensemble.get('metric')!s:.40} {score:.4f}")
    elif isinstance(loss := provenance.get("loss"), float):
        parts.append(f"validation loss {loss:.4g}")
    if isinstance(resource := provenance.get("resource"), (int, float)) and "unit" in provenance:
        parts.append(f"best after {resource:g} {provenance['unit']!s:.40}")
    if isinstance(seed := provenance.get("seed"), int):
        parts.append(f"seed {seed}")
    return parts


def _range(numbers: set[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least} to {most}"
