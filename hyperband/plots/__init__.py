"""Pictures that teach: what was tried, what was dropped, when, and what it was worth. Drawn by matplotlib."""

from hyperband.plots.bracket_table import brackets
from hyperband.plots.comparison import compare
from hyperband.plots.importance import Importance, parameter_importance
from hyperband.plots.of_result import Plots
from hyperband.plots.spend import Progress, progress, regret

__all__ = ["Importance", "Plots", "Progress", "brackets", "compare", "parameter_importance", "progress", "regret"]
