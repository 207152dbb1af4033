"""Asynchronous brackets: who goes on when rungs grow for ever."""

from hyperband.ladders.table import Ladders

__all__ = ["Ladders"]
