"""From a table to float32 rows: reading, splits, preprocessing. Submodules are imported on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.tables.options import TableOptions as TableOptions
    from hyperband.tables.preparation import prepare as prepare
    from hyperband.tables.prepared import Prepared as Prepared
    from hyperband.tables.prepared_table import PreparedTable as PreparedTable
    from hyperband.tables.prepared_table import prepare_table as prepare_table
    from hyperband.tables.preprocess import Preprocessing as Preprocessing
    from hyperband.tables.splitters import GroupSplit as GroupSplit
    from hyperband.tables.splitters import KFold as KFold
    from hyperband.tables.splitters import TimeSplit as TimeSplit
    from hyperband.tables.table import Table as Table
    from hyperband.tables.table import as_table as as_table
    from hyperband.tables.table import resolve_target as resolve_target
    from hyperband.tables.table_fingerprint import fingerprint as fingerprint
    from hyperband.tables.target import Target as Target
    from hyperband.tables.typed_file import read_table as read_table

_MODULE = {
    "TableOptions": "options",
    "GroupSplit": "splitters",
    "KFold": "splitters",
    "TimeSplit": "splitters",
    "Prepared": "prepared",
    "PreparedTable": "prepared_table",
    "prepare_table": "prepared_table",
    "prepare": "preparation",
    "Preprocessing": "preprocess",
    "read_table": "typed_file",
    "Table": "table",
    "as_table": "table",
    "resolve_target": "table",
    "fingerprint": "table_fingerprint",
    "Target": "target",
}

__all__ = [
    "GroupSplit",
    "KFold",
    "Prepared",
    "PreparedTable",
    "Preprocessing",
    "Table",
    "TableOptions",
    "Target",
    "TimeSplit",
    "as_table",
    "fingerprint",
    "prepare",
    "prepare_table",
    "read_table",
    "resolve_target",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value
