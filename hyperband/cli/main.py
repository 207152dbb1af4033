"""The command ``hyperband``: a group whose commands are loaded when they are called."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import IO, Any

import click

from hyperband.cli.source_tree import source_tree
from hyperband.errors import HyperbandError

#: command -> one line of help; the module ``hyperband.cli.<command>`` holds the click command ``command``
COMMANDS = {
    "search": "Find the best network for a table.",
    "space": "Show the search space of a table, to be edited.",
    "plan": "Show the brackets and rungs of a search before it runs.",
    "predict": "Predict a table with a model that a search wrote.",
    "evaluate": "Compare what a model predicts with a target that is known.",
    "model": "Show the target, networks and columns of a model.",
    "distil": "Train one network that predicts what a model of many predicts.",
    "info": "Show backends, instruction set, threads, and why.",
    "bench": "Time the engine against other ways to train the same networks.",
}

#: Where the context keeps the words that the command was called with.
ARGUMENTS = "hyperband.arguments"

#: Exit codes beside 0.
USAGE, INTERRUPTED = 2, 130


#: Characters of an error; of longer ones the middle is left out, since the remedy comes last.
LONGEST = 300
#: Shows the traceback of an error, wherever it stands in a command.
DEBUG = "--debug"


class _Refusal(click.ClickException):
    """An error as one line on stderr."""

    exit_code = USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {shortened(self.format_message())}", err=True)


class _Group(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # of stdout, on a full disk for instance: those of files are `InputError`
            with suppress(OSError):  # stderr may be on the same disk
                click.echo(f"error: {_reason(error)}", err=True)
            try:
                sys.stdout.flush()
            except OSError:
                sys.stdout = None  # Python would try once more to write what is left, and complain
            sys.exit(USAGE)

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **others: Any) -> click.Context:
        given = list(args)  # parsing takes the list apart
        end = args.index("--") if "--" in args else len(args)
        debug = DEBUG in args[:end]
        args = [word for word in args[:end] if word != DEBUG] + args[end:]
        try:
            ctx = super().make_context(info_name, args, *more, **others)
        except click.NoSuchOption as error:
            raise _Refusal(_usage(error)) from error
        ctx.meta[ARGUMENTS], ctx.meta[DEBUG] = given, debug
        return ctx

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name != "bench" or source_tree() is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"hyperband.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(self.list_commands(ctx))}."
            raise _Refusal(f"No such command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):  # from the table: no command needs to be imported for the help
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _Refusal(_usage(error)) from error
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)
        except (OSError, click.ClickException, click.exceptions.Exit, click.Abort):  # the end of --help is one too
            raise
        except Exception as error:
            if ctx.meta[DEBUG]:
                click.echo(traceback.format_exc(), err=True)
            raise _Refusal(self._told(ctx, error)) from error

    def _told(self, ctx: click.Context, error: Exception) -> str:
        """What is said of an error: ours in the words of the command, of any other its kind too."""
        if isinstance(error, HyperbandError):
            return self._in_options(ctx, " ".join(str(error).split()))
        kind = "Memory" if isinstance(error, MemoryError) else type(error).__name__
        said = " ".join(str(error).split()[:60])
        return f"{kind}: {said or 'no more is known'}. Nobody expected this; {DEBUG} shows where it happened."

    def _in_options(self, ctx: click.Context, text: str) -> str:
        from hyperband.cli.wording import with_options

        command = self.get_command(ctx, ctx.invoked_subcommand or "")
        return text if command is None else with_options(text, command)


def shortened(text: str) -> str:
    """A message of at most `LONGEST` characters, with its beginning and its end.

    Examples
    --------
    >>> len(shortened("rule " * 100 + "remedy")), shortened("rule " * 100 + "remedy")[-7:]
    (300, ' remedy')
    """
    if len(text) <= LONGEST:
        return text
    end = LONGEST // 3
    return f"{text[: LONGEST - end - 5]} ... {text[-end:]}"


def _usage(error: click.UsageError) -> str:
    """What is wrong with the words of a call, and where they are explained."""
    called = "hyperband" if error.ctx is None else error.ctx.command_path
    if isinstance(error, click.NoSuchOption):
        near = f" Did you mean {error.possibilities[0]}?" if error.possibilities else ""
        said = f"No such option {error.option_name!r}.{near}"
    else:
        said = " ".join(error.format_message().split())
    return f"{said} See {called} --help."


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{str(error.filename)!r} must be usable; it is not: {reason}."
    return f"The standard output must be writable; it is not: {reason}."


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from hyperband._common.version import VERSION

        click.echo(f"hyperband {VERSION}")
        ctx.exit()


@click.group(
    "hyperband",
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, 2 an error (one line on stderr; --debug: its traceback), 130 interrupted by Ctrl-C.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Train hundreds of different small networks at once and let Hyperband find the best one for a table.

    \b
    hyperband search sklearn:digits
    hyperband search adult.csv --target income --test 0.2
    """
