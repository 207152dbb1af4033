"""Promotion in asynchronous brackets, whose rungs grow without limit."""

from hyperband.tuning.schedulers.async_rungs.table import AsyncRungs

__all__ = ["AsyncRungs"]
