"""Messages in the words of the command line: ``--target`` where Python says `target`."""

from __future__ import annotations

import re

import click

#: Arguments of Python that no option is named after -> the option, or the argument of the command.
OTHER_NAMES = {
    "X": "TABLE",
    "budget": "--time",
    "folds": "--validation",
    "fraction": "--validation",
    "time_limit": "--time",
    "y": "--target",
}
#: What a message says to both, in Python and on the command line -> what it says on the command line alone.
PHRASES = (
    (r"`budget` must have a limit", "The search must have a limit"),
    (r"Budget\(seconds=600\) \((--time 10m)\)", r"\1"),
    (r"Set max_resource of the algorithm", "Set --max-resource"),
    (r"header=False(?: \(--no-header\))?", "--no-header"),
    (r"na_values=\(\) \((--keep-na)\)", r"\1"),
    (r"(?:TableOptions\()?(?:drop|numeric)=\[[^\]]*\]\)?, (--)", r"\1"),
    (r", or be given as \(X, y\); it does neither", ", and it does not"),
)


def option_names(command: click.Command) -> dict[str, str]:
    """The options of a command by the arguments of Python that they are, and its arguments in capitals.

    Examples
    --------
    >>> from hyperband.cli.predict import command
    >>> names = option_names(command)
    >>> names["id"], names["table"], names["X"], "time_limit" in names
    ('--id', 'TABLE', 'TABLE', False)
    """
    names: dict[str, str] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            names[str(parameter.name)] = str(parameter.name).upper()
        else:
            option = max(parameter.opts, key=len)
            names |= {str(parameter.name): option, option.lstrip("-").replace("-", "_"): option}
    known = {*names.values()}
    return names | {name: option for name, option in OTHER_NAMES.items() if option in known and name not in names}


def with_options(text: str, command: click.Command) -> str:
    """A message of this package as it is said to who calls a command.

    Parameters
    ----------
    text : str
        `target` becomes ``--target``, and ``task='regression'`` becomes ``--task regression``, where the command has
        such an option.

    Examples
    --------
    >>> from hyperband.cli.plan import command
    >>> with_options("`max_resource` must be at least `min_resource` (9); got 3.", command)
    '--max-resource must be at least --min-resource (9); got 3.'
    """
    for phrase, instead in PHRASES:
        text = re.sub(phrase, instead, text)
    names = option_names(command)

    def option(found: re.Match[str]) -> str:
        return names.get(found[1], found[0])

    def setting(found: re.Match[str]) -> str:
        if not names.get(found[1], "").startswith("--"):
            return found[0]
        return f"{names[found[1]]} {found[2]}{(found[3] or '').replace(chr(39), '')}"

    text = re.sub(r"`(?:[Xy] of )?(\w+)`", option, text)
    return re.sub(r"\b(\w+)='([^']*)'((?: or '[^']*')+)?", setting, text)
