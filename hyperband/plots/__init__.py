"""Pictures of a result, drawn by matplotlib: which configurations were tried, when they were dropped, their losses."""

from hyperband.plots.bracket_table import brackets
from hyperband.plots.column_bars import column_importance
from hyperband.plots.comparison import compare
from hyperband.plots.importance import Importance, parameter_importance
from hyperband.plots.incumbent_curves import IncumbentCurve, incumbent_curve, regret
from hyperband.plots.result_plots import Plots

__all__ = [
    "Importance",
    "IncumbentCurve",
    "Plots",
    "brackets",
    "column_importance",
    "compare",
    "incumbent_curve",
    "parameter_importance",
    "regret",
]
