"""``hyperband plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from hyperband.cli.options import Duration, algorithm_options, algorithm_settings, given_algorithm, make_algorithm
from hyperband.cli.remarks import note, remarks
from hyperband.cli.table_input import (
    fields_of,
    make_table_options,
    prepare_input,
    read_input,
    table_input_options,
    target_option,
)
from hyperband.cli.wording import option_names
from hyperband.errors import InputError
from hyperband.evaluation.networks.compute import Compute

if TYPE_CHECKING:
    from hyperband.interface.estimate import SearchEstimate

COMPUTE = Compute()


@click.command("plan")
@click.argument("table", required=False)
@target_option
@algorithm_options
@click.option("--time", "seconds", type=Duration(), metavar="60s", help="Of TABLE: what a search does with this time.")
@table_input_options
@click.option("--backend", default=COMPUTE.backend, show_default=True, help="Of TABLE: what would train the networks.")
@click.option("--threads", type=int, default=COMPUTE.threads, help="Of TABLE.  [default: all processors]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of TABLE: that of the search.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, /, table: str | None, as_json: bool, **options: Any) -> None:
    """Show the brackets and rungs of a search before it runs; with TABLE also about how long it would train.

    A column per resource holds how many networks reach it; cost counts promoted networks from where they were paused.
    With TABLE a typical network trains for half a second, to measure the time of an epoch.
    """
    if options["algorithm"] == "grid":
        raise InputError(
            "--algorithm of a plan must be one that plans without the table; the size of a grid depends on its space. "
            "`hyperband search --algorithm grid` says how many networks it tries."
        )
    if table is None:
        _refuse_table_options(ctx)
        algorithm = make_algorithm(**algorithm_settings(options))
        plan, found = algorithm.plan(), None
        if algorithm.note is not None:
            note(algorithm.note)
    else:
        found = _estimate(table, options)
        plan = found.plan
    if as_json:
        import json

        more = {} if found is None else {"seconds": found.seconds, "epochs_per_second": found.speed}
        click.echo(json.dumps({**plan.to_dict(), **more}, indent=2))
        return
    click.echo(str(plan))
    if found is not None:
        click.echo(
            f"\nabout {_duration(found.seconds)} of training here: {found.speed:.3g} epochs of a network a second, "
            "on average over the space"
            + ("; the rest of the time is for views, validation and the ensemble" if options["seconds"] else "")
        )


def _estimate(table: str, options: dict[str, Any]) -> SearchEstimate:
    from hyperband.interface.estimate import estimate
    from hyperband.interface.search import Settings

    settings = Settings(
        algorithm=given_algorithm(options),
        seed=options["seed"],
        compute=Compute(**fields_of(Compute, options)),
        time_limit=options["seconds"],
    )
    settings.check()
    table_options, options = make_table_options(options), {**options, "resource": "epochs"}
    with remarks():
        return estimate(prepare_input(read_input(table, options), options, table_options), settings)


def _refuse_table_options(ctx: click.Context) -> None:
    """Options of a table are not overlooked where there is none."""
    known = ("table", "as_json", *algorithm_settings(ctx.params))
    for name, flag in option_names(ctx.command).items():
        if name not in known and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{flag} needs a TABLE; got none. Write `hyperband plan TABLE {flag} ...`.")


def _duration(seconds: float) -> str:
    """A time as people say it.

    Examples
    --------
    >>> _duration(0.4), _duration(75.0), _duration(7300.0)
    ('1 s', '75 s', '2.0 h')
    """
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
