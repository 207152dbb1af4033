"""From a table to float32 rows: reading, splits, preprocessing. Submodules are imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.tables.options import TableOptions as TableOptions
    from hyperband.tables.preparation import prepare as prepare
    from hyperband.tables.prepared import Prepared as Prepared
    from hyperband.tables.preprocess import Preprocessing as Preprocessing
    from hyperband.tables.read import read_table as read_table
    from hyperband.tables.table import Table as Table
    from hyperband.tables.table import as_table as as_table
    from hyperband.tables.table import resolve_target as resolve_target
    from hyperband.tables.target import Target as Target

_MODULE = {
    "TableOptions": "options",
    "Prepared": "prepared",
    "prepare": "preparation",
    "Preprocessing": "preprocess",
    "read_table": "read",
    "Table": "table",
    "as_table": "table",
    "resolve_target": "table",
    "Target": "target",
}

__all__ = [
    "Prepared",
    "Preprocessing",
    "Table",
    "TableOptions",
    "Target",
    "as_table",
    "prepare",
    "read_table",
    "resolve_target",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value
