"""From a table to arrays ready for training: target, splits, preprocessing, weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hyperband.errors import DataError, InputError
from hyperband.tables.options import VALIDATION, TableOptions
from hyperband.tables.prepared import Prepared
from hyperband.tables.prepared_table import prepare_table


def prepare(
    X: Any,
    y: Any = None,
    *,
    target: str | int | Sequence[str | int] | None = None,
    validation: Any = VALIDATION,
    test: Any = None,
    seed: int = 0,
    options: TableOptions | None = None,
    **settings: Any,
) -> Prepared:
    """Training, validation and test rows of a table in its default view, preprocessed to float32.

    Parameters
    ----------
    X, y, target, test, seed, options : see `prepare_table`
    validation : as in `prepare_table`, whatever gives one fold
    settings : fields of `TableOptions` by name, instead of ``options``: ``prepare(X, y, drop=["id"])``

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        When an argument breaks a rule of `prepare_table`, or ``validation`` asks for several folds.
    InputError
        When there are both ``options`` and settings by name.
    InsufficientMemory
        When the rows do not fit in free memory.

    Examples
    --------
    >>> prepared = prepare("sklearn:iris", target="target")
    >>> prepared.x_train.shape, prepared.x_validation.shape, prepared.loss
    ((120, 4), (30, 4), 'cross_entropy')
    """
    if options is not None and settings:
        raise InputError(
            "Settings of the table must be in `options` or given by name, not both; got both, with "
            f"{', '.join(settings)}."
        )
    options = options or TableOptions(**settings)
    table = prepare_table(X, y, target=target, validation=validation, test=test, seed=seed, options=options)
    if table.n_folds > 1:
        raise DataError(
            f"`prepare` makes the rows of one fold; `validation` has {table.n_folds} folds. Use prepare_table(...): "
            "its `dataset` makes each of them."
        )
    return table.dataset(table.views[0], 0)
