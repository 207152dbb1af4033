"""A warning where a table for a model holds other categories than its training did."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from hyperband.tables.columns import first_values
from hyperband.tables.data_warning import DataWarning
from hyperband.tables.preprocess import Preprocessing, text_column
from hyperband.tables.table import Table


def warn_of_unseen_levels(preprocessings: Sequence[Preprocessing], table: Table) -> None:
    """A `DataWarning` for each column of categories most of whose values are levels that training has not seen.

    Parameters
    ----------
    preprocessings : the views of a model
    table : Table, as they read it
    """
    known = {name: levels for view in reversed(preprocessings) for name, levels in view.levels.items()}
    for name, levels in known.items():
        texts = text_column(table, name, slice(None)).drop_nulls()
        unseen = texts.filter(~texts.is_in(levels))
        if 2 * unseen.len() > texts.len():
            warnings.warn(
                f"Column {name!r}: {unseen.len() / texts.len():.0%} of its values were not there in training, for "
                f"instance {first_values(unseen)}; they count as rare ones.",
                DataWarning,
                stacklevel=4,
            )
