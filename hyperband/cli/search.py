"""``hyperband search``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.options import Duration, Size, algorithm_options, make_algorithm, takes
from hyperband.cli.remarks import note, remarks
from hyperband.errors import HyperbandError, InputError

if TYPE_CHECKING:
    from hyperband.interface.search import NetworkSearchResult, Settings
    from hyperband.tables import Prepared

#: Interrupted by Ctrl-C, as shells count it: 128 + SIGINT.
INTERRUPTED = 130


@click.command("search")
@click.argument("table")
@click.option("--target", multiple=True, metavar="COLUMN", help="Column to predict; repeat it for several outputs.")
@click.option("--out", type=click.Path(path_type=Path), default="hyperband-out", show_default=True, metavar="FOLDER")
@algorithm_options
@click.option(
    "--resource",
    type=click.Choice(("epochs", "rows", "features")),
    default="epochs",
    show_default=True,
    help="What networks get more of when they go on.",
)
@click.option("--epochs", type=float, help="Passes at the maximal resource, for rows and features.  [default: 50]")
@click.option("--rank-by", type=click.Choice(("loss", "error")), default="loss", show_default=True)
@click.option("--test", metavar="FILE|FRACTION", help="Rows that the search never sees, to judge its result.")
@click.option("--validation", metavar="FILE|FRACTION", default="0.2", show_default=True, help="Rows to rank networks.")
@click.option("--task", type=click.Choice(("auto", "classification", "regression")), default="auto", show_default=True)
@click.option("--drop", multiple=True, metavar="COLUMN", help="Column not to use; repeatable.")
@click.option("--categorical", multiple=True, metavar="COLUMN", help="Column whose numbers are categories; repeatable.")
@click.option("--scaling", type=click.Choice(("auto", "standard", "quantile")), default="auto", show_default=True)
@click.option("--class-weight", type=click.Choice(("none", "balanced")), default="none", show_default=True)
@click.option("--sample-weight", metavar="COLUMN", help="Column that says how much a row counts.")
@click.option("--missing-target", type=click.Choice(("error", "drop")), default="error", show_default=True)
@click.option("--header/--no-header", default=None, help="Whether line one names the columns; else found out.")
@click.option(
    "--backend", default="auto", show_default=True, metavar="NAME", help="auto, cuda, cuda:1, native, numba or numpy."
)
@click.option("--threads", type=int, help="Default: every processor. No figure depends on it.")
@click.option(
    "--precision",
    type=click.Choice(("float32", "tf32", "bf16")),
    default="float32",
    show_default=True,
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
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--time", "time_limit", type=Duration(), metavar="60s", help="Stop after this time with the best so far.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--quiet", is_flag=True, help="No progress, no remarks.")
def command(table: str, out: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Find the best network for TABLE: csv, tsv (also .gz), parquet, arff, or sklearn:digits and the like.

    Ctrl-C stops within a second, and the best network so far is written all the same (exit code 130). Results go to
    stdout and progress to stderr; FOLDER gets model.hyperband, trials.csv and result.json.
    """
    from hyperband._common.files import prepare_folder, remove_if_empty

    settings = _settings(options, quiet)
    _early(options, settings)
    is_new = prepare_folder(out)
    try:
        with remarks(quiet):
            prepared = _prepare(table, options)
        for text in () if quiet else prepared.notes:
            note(text)
        result = _search(prepared, options, settings)
        if result.best is None:
            _nothing(result)
        _hand_over(result, prepared, table, out, options["header"], as_json)
    except BaseException:
        if is_new:
            remove_if_empty(out)
        raise
    if result.interrupted:
        if not quiet:
            click.echo("interrupted: this is the best so far", err=True)
        sys.exit(INTERRUPTED)


def _settings(options: dict[str, Any], quiet: bool) -> Settings:
    from hyperband.interface.search import Settings

    names = ("backend", "seed", "resource", "epochs", "rank_by", "time_limit", "threads", "precision")
    limits = ("memory_limit", "device_memory")
    return Settings(**{name: options[name] for name in names + limits}, progress=not quiet)


def _algorithm_settings(options: dict[str, Any]) -> dict[str, Any]:
    names = ("algorithm", "max_resource", "min_resource", "eta", "n", "repetitions", "interval")
    return {name: options[name] for name in names}


def _early(options: dict[str, Any], settings: Settings) -> None:
    """Refuse wrong settings before anything is read or made."""
    from hyperband.interface.search import check

    check(settings, make_algorithm(**_algorithm_settings(options)))


def _prepare(table: str, options: dict[str, Any]) -> Prepared:
    from hyperband.tables import prepare, read_table

    header = options["header"]

    def held_out(value: str | None) -> Any:
        if value is None:
            return None
        try:
            return float(value)
        except ValueError:
            return read_table(value, header=header)

    target = list(options["target"])
    return prepare(
        read_table(table, header=header),
        target=target[0] if len(target) == 1 else target or None,
        task=options["task"],
        validation=held_out(options["validation"]),
        test=held_out(options["test"]),
        seed=options["seed"],
        scaling=options["scaling"],
        class_weight=None if options["class_weight"] == "none" else options["class_weight"],
        sample_weight=options["sample_weight"],
        drop=options["drop"],
        categorical=options["categorical"],
        missing_target=options["missing_target"],
    )


def _search(prepared: Prepared, options: dict[str, Any], settings: Settings) -> NetworkSearchResult:
    from hyperband.interface.search import resource_range, search_prepared

    chosen = _algorithm_settings(options)
    if chosen["max_resource"] is None and settings.resource != "epochs":
        least, chosen["max_resource"] = resource_range(settings.resource, prepared)
        if chosen["min_resource"] is None and takes(chosen["algorithm"], "min_resource"):
            chosen["min_resource"] = least
    return search_prepared(prepared, make_algorithm(**chosen), None, settings)


def _nothing(result: NetworkSearchResult) -> None:
    if result.interrupted:
        raise KeyboardInterrupt  # before any network was judged: nothing to hand over
    if result.stopped == "time":
        raise InputError("--time must leave time to judge one network; none was judged. Give it longer.")
    raise HyperbandError(
        "No network reached a finite loss: every one diverged. Look for extreme values in the table, or use "
        "--scaling quantile."
    )


def _hand_over(
    result: NetworkSearchResult, prepared: Prepared, table: str, out: Path, header: bool | None, as_json: bool
) -> None:
    from hyperband._common.files import write_text
    from hyperband.cli.report import as_text, predict_command, to_json, trials_csv

    model = out / "model.hyperband"
    assert result.best is not None  # looked at before
    how = predict_command(model, table, out / "predictions.csv", header)
    report, trials = to_json(result, prepared, str(model), how), trials_csv(result)
    shown = report if as_json else as_text(result, prepared, str(model), how)
    result.best.network.save(model)  # from here on nothing but writing can fail
    write_text(out / "trials.csv", trials)
    write_text(out / "result.json", report + "\n")
    click.echo(shown)
