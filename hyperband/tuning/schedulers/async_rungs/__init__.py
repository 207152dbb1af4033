"""Asynchronous brackets: who goes on when rungs grow for ever."""

from hyperband.tuning.schedulers.async_rungs.table import Ladders

__all__ = ["Ladders"]
