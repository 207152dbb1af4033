"""The trained network with its preprocessing, and its file."""

from __future__ import annotations

from hyperband.model.predictor import Model

__all__ = ["Model"]
