"""The best evaluation, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Incumbent:
    """An evaluation that no other beats, and the configuration that gave it.

    ``network`` is the trained model, where the evaluator keeps one. ``objectives`` are all losses, where there are
    several.
    """

    trial: int
    configuration: Mapping[str, Any]
    loss: float
    resource: float
    bracket: int = 0
    rung: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    network: Any = None
    objectives: tuple[float, ...] = ()
