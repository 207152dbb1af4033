"""Trained networks with their preprocessing, as one ensemble, and its file."""

from __future__ import annotations

from hyperband.model.importance import ColumnImportance
from hyperband.model.member import MemberNetwork
from hyperband.model.predictor import Model

__all__ = ["ColumnImportance", "MemberNetwork", "Model"]
