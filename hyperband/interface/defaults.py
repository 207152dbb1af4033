"""What a search uses where its caller says nothing: the space, the resource, the validation rows, the refit."""

from __future__ import annotations

from typing import Any

from hyperband.engine.network_space import default_space
from hyperband.space import Choice, Float, Int, Space
from hyperband.tables import PreparedTable
from hyperband.tables.options import VALIDATION
from hyperband.tables.validation import AUTO
from hyperband.tables.views import VIEWS
from hyperband.tuning.algorithms import Algorithm

#: The least resource of the default Hyperband is the largest one divided by this.
SPREAD = 81

#: The part of the time that may be spent on finding columns of noise.
SELECTION_PART = 0.25

#: The default space of grids: two points on each axis of `default_space` are more networks than anyone trains.
GRID_SPACE = Space(
    {
        "n_layers": Int(1, 3),
        "width": Int(16, 128, log=True),
        "learning_rate": Float(1e-3, 2e-2, log=True),
        "activation": Choice(["relu", "tanh"]),
    }
)


def validation_for(resource: str, validation: Any) -> Any:
    """What "auto" means: columns are counted in one data set, so for resource "features" it is a hold-out."""
    automatic = isinstance(validation, str) and validation == AUTO
    return VALIDATION if automatic and resource == "features" else validation


def resource_range(resource: str, table: PreparedTable) -> tuple[int, int]:
    """Least and largest resource of the default algorithm on this table, for resource "rows" and "features"."""
    n_rows, n_features = table.dataset(table.views[0]).x_train.shape
    largest = n_rows if resource == "rows" else n_features
    return max(1, largest // SPREAD), largest


def space_for(
    table: PreparedTable, resource: str, algorithm: Algorithm | None = None, seconds: float | None = None
) -> Space:
    """The space of a search of which no other is given; of a grid `GRID_SPACE`.

    Where finding the columns of noise in all folds would take more than `SELECTION_PART` of the ``seconds`` that there
    are, it has no views that leave them out.
    """
    if algorithm is not None and algorithm.small_space:
        return GRID_SPACE
    data = table.dataset(table.views[0])
    n_rows, n_features = data.x_train.shape
    if resource == "features":  # columns are counted in one view, and a network that embeds them sees all
        return default_space(n_rows, n_features, data.n_outputs, data.loss)
    views = table.views
    if seconds is not None and table.selection_seconds * (table.n_folds - 1) > SELECTION_PART * seconds:
        views = tuple(view for view in views if not VIEWS[view].selects)
    return default_space(n_rows, n_features, data.n_outputs, data.loss, views=views, n_numbers=data.n_numbers)


def refit_trials(refit: Any, table: PreparedTable, size: int) -> int:
    """The trials of an ensemble of this size that are trained again on all rows, at most.

    "auto": all where a part of the rows was held out. Folds have trained on every row already, and rows that were
    given apart are not trained on unless it is asked for.
    """
    if isinstance(refit, str):
        refit = table.is_hold_out
    if isinstance(refit, bool):
        return size if refit else 0
    return int(refit)
