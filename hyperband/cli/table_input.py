"""The options that say how the table of a search is read and split, and the table that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hyperband.errors import InputError
from hyperband.tables.options import MISSING_TARGETS, SCALINGS, TASKS, VALIDATION, TableOptions
from hyperband.tables.validation import AUTO

if TYPE_CHECKING:  # the rest is imported when it is used: the help is shown at once
    from hyperband.tables import GroupSplit, PreparedTable, Table, TimeSplit

F = TypeVar("F", bound=Callable[..., Any])

#: Defaults of the options are those of the record.
TABLE = TableOptions()


def choice(choices: Sequence[str], default: str | None) -> dict[str, Any]:
    """The settings of an option that is one of several words."""
    return {"type": click.Choice(choices), "default": default, "show_default": True}


target_option = click.option(
    "--target",
    multiple=True,
    metavar="COLUMN",
    help="Column to predict; repeat it for several outputs.  "
    "[default: the only column named target, class, label or y]",
)


def table_input_options(function: F) -> F:
    """The options of a table besides its target: which rows validate and test, and what its columns mean."""
    for option in reversed(
        (
            click.option(
                "--test", metavar="FILE|FRACTION", help="Rows that the search never sees, to evaluate its model."
            ),
            click.option(
                "--validation",
                metavar="FILE|FRACTION|K|auto",
                default=AUTO,
                show_default=True,
                help="Rows that rank the networks: a file, a fraction, or K folds, each of which validates once.  "
                "auto: folds on small tables, a tenth to a fifth of the rows on others.",
            ),
            click.option(
                "--group", metavar="COLUMN", help="Rows with the same value here are never in both parts of a split."
            ),
            click.option("--time-column", metavar="COLUMN", help="The last rows by this column validate."),
            click.option("--task", **choice(("auto", *TASKS), TABLE.task), help="auto: by the values of the target."),
            click.option("--drop", multiple=True, metavar="COLUMN", help="Column not to use; repeatable."),
            click.option(
                "--categorical",
                multiple=True,
                metavar="COLUMN",
                help="Column whose numbers are categories; repeatable.",
            ),
            click.option(
                "--numeric",
                multiple=True,
                metavar="COLUMN",
                help="Column that holds numbers, whatever else is there; repeatable.",
            ),
            click.option("--scaling", **choice(SCALINGS, TABLE.scaling), help="Of columns of numbers."),
            click.option(
                "--class-weight",
                **choice(("none", "balanced"), TABLE.class_weight or "none"),
                help="balanced: rare classes count as much as frequent ones.",
            ),
            click.option("--sample-weight", metavar="COLUMN", help="Column that says how much a row counts."),
            click.option(
                "--missing-target",
                **choice(MISSING_TARGETS, TABLE.missing_target),
                help="What to do with rows that have no target.",
            ),
            click.option(
                "--na-values",
                multiple=True,
                metavar="TEXT",
                help="Text that means a missing value, instead of NA, ? and the like.",
            ),
            click.option("--keep-na", is_flag=True, help="Only empty fields are missing: NA is a text."),
            click.option(
                "--header/--no-header", default=None, help="Whether line one names the columns.  [default: detected]"
            ),
        )
    ):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class TableInput:
    """What was read, before anything is split.

    Parameters
    ----------
    table : Table
    validation, test : Table where files were named, else what `prepare_table` takes
    """

    table: Table
    validation: Any
    test: Any

    def fingerprints(self) -> dict[str, str]:
        """Of the table, and of the files of rows to validate and test with."""
        from hyperband.tables import Table, fingerprint

        tables = {"table": self.table, "validation": self.validation, "test": self.test}
        return {name: fingerprint(table) for name, table in tables.items() if isinstance(table, Table)}


def make_table_options(options: dict[str, Any]) -> TableOptions:
    """The options of the table as their record; checked before any file is read."""
    given = fields_of(TableOptions, options)
    if given["class_weight"] == "none":
        given["class_weight"] = None
    if options["keep_na"] and given["na_values"]:
        raise InputError(f"Only one of --keep-na and --na-values must be given; got both, {given['na_values']!r}.")
    if not options["keep_na"]:
        given["na_values"] = given["na_values"] or None
    return TableOptions(**given)


def fields_of(kind: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options that are fields of a record; fields that are no options keep their defaults."""
    return {field.name: options[field.name] for field in fields(kind) if field.name in options}


def read_input(table: str, options: dict[str, Any]) -> TableInput:
    """The files that a command names.

    Raises
    ------
    DataError
        When one cannot be read.
    """
    from hyperband.interface.defaults import validation_for
    from hyperband.tables import as_table

    header = options["header"]

    def held_out(value: str | None) -> Any:
        if value is None or value == AUTO:
            return value
        try:
            return int(value) if value.isdecimal() else float(value)
        except ValueError:
            return as_table(value, header=header)

    whole = as_table(table, header=header)
    validation = validation_for(options["resource"], options["validation"])
    return TableInput(
        whole,
        _splitter(whole, options) or (validation if isinstance(validation, float) else held_out(validation)),
        held_out(options["test"]),
    )


def prepare_input(given: TableInput, options: dict[str, Any], table_options: TableOptions) -> PreparedTable:
    """The table with its folds and views; errors as `hyperband.tables.prepare_table`."""
    from hyperband.tables import prepare_table

    target = list(options["target"])
    return prepare_table(
        given.table,
        target=target[0] if len(target) == 1 else target or None,
        validation=given.validation,
        test=given.test,
        seed=options["seed"],
        options=table_options,
    )


def _splitter(table: Table, options: dict[str, Any]) -> GroupSplit | TimeSplit | None:
    """By groups or by time, where a column is named for it."""
    from hyperband.tables import GroupSplit, TimeSplit
    from hyperband.tables.table import resolve_columns

    group, time_column, validation = options["group"], options["time_column"], options["validation"]
    if group is None and time_column is None:
        return None
    if group is not None and time_column is not None:
        raise InputError(f"Only one of --group and --time-column must be given; got {group!r} and {time_column!r}.")
    if group is not None:
        resolve_columns(table, [group], "group")
        return GroupSplit(group, int(validation) if validation.isdecimal() else _fraction(validation))
    resolve_columns(table, [time_column], "time_column")
    return TimeSplit(time_column, _fraction(validation))


def _fraction(validation: str) -> float:
    from hyperband.tables.holdout import check_fraction

    return VALIDATION if validation == AUTO else check_fraction(validation, "validation")
