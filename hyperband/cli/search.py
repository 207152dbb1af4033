"""``hyperband search``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.options import ALGORITHMS, OPTIONS, Duration, Size, algorithm_options, make_algorithm, takes
from hyperband.cli.remarks import note, remarks
from hyperband.engine.backends.base import PRECISIONS
from hyperband.errors import HyperbandError, InputError
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.ensemble import SIZE
from hyperband.evaluation.networks.training import DEFAULT_EPOCHS, RANKINGS, RESOURCES, Training
from hyperband.tables.options import MISSING_TARGETS, SCALINGS, TASKS, VALIDATION, TableOptions
from hyperband.tables.validation import AUTO

if TYPE_CHECKING:  # the rest is imported when it is used: the help is shown at once
    from hyperband.interface.network_result import NetworkSearchResult
    from hyperband.interface.search import Settings
    from hyperband.model import Model
    from hyperband.tables import GroupSplit, PreparedTable, TimeSplit
    from hyperband.tuning.algorithms import Algorithm

#: Defaults of the options are those of the records.
TABLE, TRAINING, COMPUTE = TableOptions(), Training(), Compute()

#: Choices of --refit, as `Training` has them.
REFIT: dict[str, bool | str] = {AUTO: AUTO, "yes": True, "no": False}

#: Interrupted by Ctrl-C, as shells count it: 128 + SIGINT.
INTERRUPTED = 130


def _choice(choices: Sequence[str], default: str | None) -> dict[str, Any]:
    return {"type": click.Choice(choices), "default": default, "show_default": True}


@click.command("search")
@click.argument("table")
@click.option("--target", multiple=True, metavar="COLUMN", help="Column to predict; repeat it for several outputs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="hyperband-out",
    show_default=True,
    metavar="FOLDER",
    help="Folder for the model and the results; made when it is not there.",
)
@algorithm_options
@click.option(
    "--resource",
    **_choice(RESOURCES, TRAINING.resource),
    help="What networks get more of when they are promoted.",
)
@click.option(
    "--epochs",
    type=float,
    default=TRAINING.epochs,
    help=f"Passes over the rows at the maximal resource; for --resource rows, features.  [default: {DEFAULT_EPOCHS}]",
)
@click.option(
    "--loss",
    default=TRAINING.loss,
    show_default=True,
    metavar="NAME",
    help="What networks minimise.  auto: cross-entropy or mse; for values also huber:1.0 and quantile:0.9.",
)
@click.option(
    "--rank-by",
    **_choice(RANKINGS, TRAINING.rank_by),
    help="What networks are ranked by: they differ where rows or classes are weighted.",
)
@click.option("--test", metavar="FILE|FRACTION", help="Rows that the search never sees, to evaluate its model.")
@click.option(
    "--validation",
    metavar="FILE|FRACTION|K|auto",
    default=AUTO,
    show_default=True,
    help="Rows that rank the networks: a file, a fraction, or K folds, each of which validates once.  auto: folds on "
    "small tables, a tenth to a fifth of the rows on others.",
)
@click.option("--group", metavar="COLUMN", help="Rows with the same value here are never in both parts of a split.")
@click.option("--time-column", metavar="COLUMN", help="The last rows by this column validate.")
@click.option(
    "--metric",
    metavar="NAME",
    help="What the ensemble is chosen by: accuracy, balanced_accuracy, log_loss, auc, f1, rmse, mae, r2, quantile:0.9, "
    "or a scorer of scikit-learn.  [default: accuracy, rmse, or the quantile loss that is minimised]",
)
@click.option(
    "--ensemble",
    type=int,
    default=SIZE,
    show_default=True,
    help="Networks that the model may average; 1: the single best.",
)
@click.option(
    "--refit",
    **_choice(tuple(REFIT), AUTO),
    help="Train the networks of the model once more, on all rows but the test rows.  auto: where rows were held out.",
)
@click.option("--task", **_choice(("auto", *TASKS), TABLE.task), help="auto: by the values of the target.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Column not to use; repeatable.")
@click.option("--categorical", multiple=True, metavar="COLUMN", help="Column whose numbers are categories; repeatable.")
@click.option(
    "--numeric", multiple=True, metavar="COLUMN", help="Column that holds numbers, whatever else is there; repeatable."
)
@click.option("--scaling", **_choice(SCALINGS, TABLE.scaling), help="Of columns of numbers.")
@click.option(
    "--class-weight",
    **_choice(("none", "balanced"), TABLE.class_weight or "none"),
    help="balanced: rare classes count as much as frequent ones.",
)
@click.option("--sample-weight", metavar="COLUMN", help="Column that says how much a row counts.")
@click.option(
    "--missing-target",
    **_choice(MISSING_TARGETS, TABLE.missing_target),
    help="What to do with rows that have no target.",
)
@click.option(
    "--na-values", multiple=True, metavar="TEXT", help="Text that means a missing value, instead of NA, ? and the like."
)
@click.option("--keep-na", is_flag=True, help="Only empty fields are missing: NA is a text.")
@click.option("--header/--no-header", default=None, help="Whether line one names the columns.  [default: detected]")
@click.option(
    "--backend",
    default=COMPUTE.backend,
    show_default=True,
    metavar="NAME",
    help="auto, cuda, cuda:1, native, numba or numpy.",
)
@click.option(
    "--threads", type=int, default=COMPUTE.threads, help="No result depends on it.  [default: all processors]"
)
@click.option(
    "--precision",
    **_choice(PRECISIONS, COMPUTE.precision),
    help="Of the factors of products in training; bf16 is faster where the processor has it, both are on GPUs.",
)
@click.option(
    "--memory-limit",
    type=Size(),
    metavar="4G",
    help="Memory that networks may take; the others wait on disk.  [default: 80 % of what is free]",
)
@click.option(
    "--device-memory",
    type=Size(),
    metavar="4G",
    help="Memory of each GPU that data and networks may take.  [default: 80 % of what is free there]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of splits, configurations and networks.")
@click.option("--time", "seconds", type=Duration(), metavar="60s", help="Use this time, and no more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--quiet", is_flag=True, help="Show neither progress nor notes.")
def command(table: str, out: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Find the best networks for TABLE: csv, tsv (also .gz), parquet, arff, or sklearn:digits and the like.

    The model is an ensemble of the networks that were trained. Ctrl-C stops within a second, and the best so far is
    written all the same (exit code 130). Results go to stdout and progress to stderr; FOLDER gets model.hyperband,
    trials.csv, result.json and, of the test rows, test_predictions.csv.
    """
    from hyperband._common.files import prepare_folder, remove_if_empty

    started = time.monotonic()
    settings, table_options = _settings(options, quiet), _table_options(options)
    settings.check()  # before anything is read or made
    is_new = prepare_folder(out)
    try:
        with remarks(quiet):
            prepared = _prepare(table, options, table_options)
        if not quiet:
            _say(prepared)
        with remarks(quiet):
            result = _search(prepared, options, settings, started)
        if result.model is None:
            _fail(result)
        _write(result, prepared, table, out, options, as_json)
    except BaseException:
        if is_new:
            remove_if_empty(out)
        raise
    if result.interrupted:
        if not quiet:
            click.echo("interrupted: this is the best so far", err=True)
        sys.exit(INTERRUPTED)


def _say(prepared: PreparedTable) -> None:
    """What was decided about the table, on stderr."""
    from hyperband.cli.columns import column_lines

    for text in prepared.notes:
        note(text)
    for line in column_lines([prepared.dataset(prepared.views[0]).preprocessing]):
        click.echo(line, err=True)


def _settings(options: dict[str, Any], quiet: bool) -> Settings:
    from hyperband.interface.search import Settings

    return Settings(
        algorithm=_algorithm(options),
        seed=options["seed"],
        training=Training(**{**_fields_of(Training, options), "refit": REFIT[options["refit"]]}),
        compute=Compute(**_fields_of(Compute, options)),
        metric=options["metric"],
        ensemble=options["ensemble"],
        time_limit=options["seconds"],
        progress=not quiet,
    )


def _algorithm(options: dict[str, Any]) -> Algorithm | None:
    """None where no option of an algorithm is given: the search plans itself."""
    chosen = _algorithm_settings(options)
    return None if all(value is None for value in chosen.values()) else make_algorithm(**chosen)


def _table_options(options: dict[str, Any]) -> TableOptions:
    given = _fields_of(TableOptions, options)
    if given["class_weight"] == "none":
        given["class_weight"] = None
    if options["keep_na"] and given["na_values"]:
        raise InputError(f"Only one of --keep-na and --na-values must be given; got both, {given['na_values']!r}.")
    if not options["keep_na"]:
        given["na_values"] = given["na_values"] or None
    return TableOptions(**given)


def _fields_of(kind: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options that are fields of a record; fields that are no options keep their defaults."""
    return {field.name: options[field.name] for field in fields(kind) if field.name in options}


def _algorithm_settings(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("algorithm", *OPTIONS)}


def _prepare(table: str, options: dict[str, Any], table_options: TableOptions) -> PreparedTable:
    from hyperband.interface.defaults import validation_for
    from hyperband.tables import as_table, prepare_table

    header = options["header"]

    def held_out(value: str | None) -> Any:
        if value is None or value == AUTO:
            return value
        try:
            return int(value) if value.isdecimal() else float(value)
        except ValueError:
            return as_table(value, header=header)

    target = list(options["target"])
    validation = validation_for(options["resource"], options["validation"])
    return prepare_table(
        as_table(table, header=header),
        target=target[0] if len(target) == 1 else target or None,
        validation=_splitter(options) or (validation if isinstance(validation, float) else held_out(validation)),
        test=held_out(options["test"]),
        seed=options["seed"],
        options=table_options,
    )


def _splitter(options: dict[str, Any]) -> GroupSplit | TimeSplit | None:
    """By groups or by time, where a column is named for it."""
    from hyperband.tables import GroupSplit, TimeSplit

    group, time_column, validation = options["group"], options["time_column"], options["validation"]
    if group is None and time_column is None:
        return None
    if group is not None and time_column is not None:
        raise InputError(f"Only one of --group and --time-column must be given; got {group!r} and {time_column!r}.")
    if group is not None:
        return GroupSplit(group, int(validation) if validation.isdecimal() else _fraction(validation))
    return TimeSplit(time_column, _fraction(validation))


def _fraction(validation: str) -> float:
    from hyperband.tables.holdout import check_fraction

    return VALIDATION if validation == AUTO else check_fraction(validation, "validation")


def _search(
    prepared: PreparedTable, options: dict[str, Any], settings: Settings, started: float
) -> NetworkSearchResult:
    from hyperband.interface.defaults import resource_range
    from hyperband.interface.search import search_prepared

    chosen = _algorithm_settings(options)
    resource = settings.training.resource
    if settings.algorithm is not None and chosen["max_resource"] is None and resource != "epochs":
        least, chosen["max_resource"] = resource_range(resource, prepared)
        if chosen["min_resource"] is None and takes(chosen["algorithm"] or ALGORITHMS[0], "min_resource"):
            chosen["min_resource"] = least
        settings = replace(settings, algorithm=make_algorithm(**chosen))
    return search_prepared(prepared, settings, started)


def _fail(result: NetworkSearchResult) -> None:
    if result.interrupted:
        raise KeyboardInterrupt  # before any network was evaluated: there is nothing to write
    if result.stopped == "time":
        raise InputError("--time must leave time to evaluate one network; none was evaluated. Give it longer.")
    raise HyperbandError(
        "No network reached a finite loss: all diverged. Look for extreme values in the table, or use "
        "--scaling quantile."
    )


def _write(
    result: NetworkSearchResult, prepared: PreparedTable, table: str, out: Path, options: dict[str, Any], as_json: bool
) -> None:
    from hyperband._common.files import write_text
    from hyperband.cli.report import as_text, predict_command, to_json, trials_csv

    model = out / "model.hyperband"
    assert result.model is not None  # looked at before
    how = predict_command(model, table, out / "predictions.csv", options["header"])
    test = _test_predictions(result.model, prepared, options["backend"])
    tested = None if test is None else out / "test_predictions.csv"
    report, trials = to_json(result, prepared, str(model), how, tested), trials_csv(result)
    shown = report if as_json else as_text(result, prepared, str(model), how, tested)
    result.model.save(model)  # from here on nothing but writing can fail
    write_text(out / "trials.csv", trials)
    if tested is not None and test is not None:
        write_text(tested, test)
    write_text(out / "result.json", report + "\n")
    click.echo(shown)


def _test_predictions(model: Model, prepared: PreparedTable, backend: str) -> str | None:
    """A line a test row: its number in its table, counted from 0, its target, and what is predicted."""
    from hyperband.cli.predictions import predictions_csv

    part = prepared.rows_for_test()
    if part is None:
        return None
    names = model.target.names
    known = {names[0]: part.values} if len(names) == 1 else dict(zip(names, part.values.T, strict=True))
    return predictions_csv(model, part.table, backend, {"row": part.numbers, **known})
