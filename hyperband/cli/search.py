"""``hyperband search``."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.options import (
    ALGORITHMS,
    Duration,
    Size,
    algorithm_options,
    algorithm_settings,
    given_algorithm,
    make_algorithm,
    takes,
)
from hyperband.cli.remarks import note, remarks, say
from hyperband.cli.stops import counted_stops
from hyperband.cli.table_input import (
    choice,
    fields_of,
    make_table_options,
    prepare_input,
    read_input,
    table_input_options,
    target_option,
)
from hyperband.engine.backends.base import PRECISIONS
from hyperband.errors import HyperbandError, InputError
from hyperband.evaluation.networks.compute import Compute
from hyperband.evaluation.networks.ensemble import SIZE
from hyperband.evaluation.networks.training import DEFAULT_EPOCHS, RANKINGS, RESOURCES, Training
from hyperband.tables.validation import AUTO

if TYPE_CHECKING:  # the rest is imported when it is used: the help is shown at once
    from hyperband.interface.network_result import NetworkSearchResult
    from hyperband.interface.search import Settings
    from hyperband.model import Model
    from hyperband.tables import PreparedTable, TableOptions

#: Defaults of the options are those of the records.
TRAINING, COMPUTE = Training(), Compute()

#: Choices of --refit, as `Training` has them.
REFIT: dict[str, bool | str] = {AUTO: AUTO, "yes": True, "no": False}

#: Interrupted by Ctrl-C, as shells count it: 128 + SIGINT.
INTERRUPTED = 130


@click.command("search")
@click.argument("table")
@target_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder for the model and the results; made when it is not there.  [default: hyperband-out; where that is "
    "there, hyperband-out-2 and so on]",
)
@click.option("--force", is_flag=True, help="Overwrite earlier results in FOLDER instead of moving them aside.")
@click.option(
    "--space",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What is searched, as `hyperband space` prints it, edited or not.  [default: a space for this table]",
)
@algorithm_options
@click.option(
    "--resource",
    **choice(RESOURCES, TRAINING.resource),
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
    **choice(RANKINGS, TRAINING.rank_by),
    help="What networks are ranked by: they differ where rows or classes are weighted.",
)
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
    **choice(tuple(REFIT), AUTO),
    help="Train the networks of the model once more, on all rows but the test rows.  auto: where rows were held out.",
)
@table_input_options
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
    **choice(PRECISIONS, COMPUTE.precision),
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
@click.pass_context
def command(
    ctx: click.Context, /, table: str, out: Path | None, force: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Find the best networks for TABLE: csv, tsv (also .gz), parquet, arff, or sklearn:digits and the like.

    The model is an ensemble of the networks that were trained. Ctrl-C or SIGTERM stops it, and the best so far is
    written all the same (exit code 130). Results go to stdout and progress to stderr; FOLDER gets model.hyperband,
    trials.csv, result.json and, of the test rows, test_predictions.csv.
    """
    from hyperband._common.files import remove_if_empty
    from hyperband.cli.record import search_record
    from hyperband.cli.results_folder import DEFAULT, claim_folder

    started = time.monotonic()
    settings, table_options = _settings(options, quiet), make_table_options(options)
    settings.check()  # before anything is read or made
    folder, is_new = claim_folder(out, force)
    with counted_stops() as stops:
        try:
            if out is None and folder != Path(DEFAULT) and not quiet:
                note(f"{DEFAULT} is there already: the results go to {folder}.")
            with remarks(quiet):
                prepared, fingerprints = _prepare(table, options, table_options)
            if not quiet:
                _say(prepared, named=bool(options["target"]))
            with remarks(quiet):
                result = _search(prepared, options, settings, started)
            stops.hand_over()
            if result.model is None:
                _fail(result)
            record = search_record(ctx, result, fingerprints)
            earlier = _write(result, prepared, table, folder, {**options, "force": force}, as_json, record)
            if earlier is not None and not quiet:
                note(f"the earlier results in {folder} are in {earlier} now.")
        except BaseException:
            if is_new:
                remove_if_empty(folder)
            raise
    if result.interrupted:
        if not quiet:
            say("interrupted: this is the best so far")
        sys.exit(INTERRUPTED)


def _prepare(table: str, options: dict[str, Any], table_options: TableOptions) -> tuple[PreparedTable, dict[str, str]]:
    """The table, and fingerprints of the files; what was read is not kept while the search runs."""
    given = read_input(table, options)
    return prepare_input(given, options, table_options), given.fingerprints()


def _say(prepared: PreparedTable, named: bool) -> None:
    """What was decided about the table, on stderr; ``named``: whether somebody named the target."""
    from hyperband.cli.columns import column_lines

    if not named:
        note(f"The target is {', '.join(prepared.target.names)}; --target names another column.")
    for text in prepared.notes:
        note(text)
    for line in column_lines([prepared.dataset(prepared.views[0]).preprocessing]):
        say(line)


def _settings(options: dict[str, Any], quiet: bool) -> Settings:
    from hyperband.cli.space import read_space
    from hyperband.interface.search import Settings

    return Settings(
        algorithm=given_algorithm(options),
        space=None if options["space"] is None else read_space(options["space"]),
        seed=options["seed"],
        training=Training(**{**fields_of(Training, options), "refit": REFIT[options["refit"]]}),
        compute=Compute(**fields_of(Compute, options)),
        metric=options["metric"],
        ensemble=options["ensemble"],
        time_limit=options["seconds"],
        progress=not quiet,
    )


def _search(
    prepared: PreparedTable, options: dict[str, Any], settings: Settings, started: float
) -> NetworkSearchResult:
    from hyperband.interface.defaults import resource_range
    from hyperband.interface.search import search_prepared

    chosen = algorithm_settings(options)
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
    result: NetworkSearchResult,
    prepared: PreparedTable,
    table: str,
    folder: Path,
    options: dict[str, Any],
    as_json: bool,
    record: Mapping[str, Any],
) -> Path | None:
    """Write and print the results; returns where earlier ones are now.

    Where they cannot be written, they are printed all the same, and a folder for temporary files is tried.
    """
    from hyperband.cli.report import as_text, predict_command, to_json, trials_csv
    from hyperband.cli.results_folder import MODEL, REPORT, TEST, TRIALS, write_results

    network = result.model
    assert network is not None  # looked at before
    test = _test_predictions(network, prepared, options["backend"])
    trials = trials_csv(result)

    def write_to(into: Path) -> tuple[str, Path | None]:
        """What is printed, and where earlier results are now; an `InputError` has the former as ``shown``."""
        model, tested = into / MODEL, None if test is None else into / TEST
        how = predict_command(model, table, into / "predictions.csv", options["header"])
        report = to_json(result, prepared, str(model), how, tested, record)
        shown = report if as_json else as_text(result, prepared, str(model), how, tested)
        texts = {TRIALS: trials, **({} if test is None else {TEST: test}), REPORT: report + "\n"}
        try:
            return shown, write_results(into, network, texts, options["force"])
        except InputError as error:
            raise _NotWritten(str(error), shown) from error

    try:
        shown, earlier = write_to(folder)
    except _NotWritten as error:
        try:
            other = Path(tempfile.mkdtemp(prefix="hyperband-"))
            shown, _ = write_to(other)
        except (OSError, _NotWritten):
            click.echo(error.shown)
            raise InputError(f"{error} They could not be written elsewhere either: only the report is above.") from None
        click.echo(shown)
        raise InputError(f"{error} The results are in {other} now.") from None
    click.echo(shown)
    return earlier


class _NotWritten(InputError):
    """Results that could not be written, with the report on them."""

    def __init__(self, text: str, shown: str) -> None:
        super().__init__(text)
        self.shown = shown


def _test_predictions(model: Model, prepared: PreparedTable, backend: str) -> str | None:
    """A line a test row: its number in its table, counted from 0, its target, and what is predicted."""
    from hyperband.cli.predictions import predictions

    part = prepared.rows_for_test()
    if part is None:
        return None
    names = model.target.names
    known = {names[0]: part.values} if len(names) == 1 else dict(zip(names, part.values.T, strict=True))
    first = {f"given_{name}" if name == "row" else name: values for name, values in known.items()}
    return predictions(model, part.table, backend, {"row": part.numbers, **first}).write_csv()
