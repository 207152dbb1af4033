"""Options that several commands share, and the algorithm that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from hyperband.errors import InputError
from hyperband.tuning import algorithms
from hyperband.tuning.algorithms import Algorithm

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]  # generic in the types of click 8.3, not in the class of older ones
else:
    _ParamType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])

_ALGORITHMS: dict[str, type[Any]] = {
    "hyperband": algorithms.Hyperband,
    "successive-halving": algorithms.SuccessiveHalving,
    "random": algorithms.RandomSearch,
    "grid": algorithms.GridSearch,
    "adaptive": algorithms.AdaptiveSearch,
    "asha": algorithms.ASHA,
    "async-hyperband": algorithms.AsyncHyperband,
    "pasha": algorithms.PASHA,
    "bohb": algorithms.BOHB,
    "dehb": algorithms.DEHB,
    "pbt": algorithms.PBT,
}
ALGORITHMS = tuple(_ALGORITHMS)

#: Settings of algorithms that are options; each algorithm takes those that it has.
OPTIONS = ("max_resource", "eta", "min_resource", "n", "repetitions", "interval")

#: Defaults that the algorithms share, for the help.
_DEFAULTS = {field.name: field.default for field in fields(algorithms.Hyperband)}


class Number(_ParamType):
    """A whole number where it is one, else a float: 81 stays 81."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        if isinstance(value, (int, float)):
            return value
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
        self.fail(f"{value!r} is not a number.", param, ctx)


class Duration(_ParamType):
    """Seconds from "90", "90s", "2m", "1h30m"."""

    name = "duration"
    _UNITS: ClassVar[dict[str, float]] = {"h": 3600.0, "m": 60.0, "s": 1.0}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
        if parts and "".join(number + unit for number, unit in parts) == text:
            seconds = sum(float(number) * self._UNITS[unit] for number, unit in parts)
        elif re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        else:
            self.fail(f"{value!r} is not a time. Write 60s, 5m or 1h30m.", param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} is not longer than 0 seconds.", param, ctx)
        return seconds


class Size(_ParamType):
    """Bytes from "4G", "500M", "64K" or plain "1000000"; K, M, G and T are powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?", str(value).strip().lower())
        if found is None:
            self.fail(f"{value!r} is not a size. Write 4G, 500M or a number of bytes.", param, ctx)
        size = int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))
        if size < 1:
            self.fail(f"{value!r} is not at least one byte.", param, ctx)
        return size


ENDLESS = "endless"


class Repetitions(_ParamType):
    """A whole number, or "endless"."""

    name = "repetitions"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value).strip().lower()
        if text == ENDLESS:
            return ENDLESS
        if not text.isdecimal() or int(text) < 1:
            self.fail(f"{value!r} is neither a whole number of at least 1 nor {ENDLESS}.", param, ctx)
        return int(text)


#: Points of a grid when --n is not given.
GRID_POINTS = 256


def algorithm_options(function: F) -> F:
    """The options that say which algorithm runs and how long."""
    for option in reversed(
        (
            click.option(
                "--algorithm",
                type=click.Choice(ALGORITHMS),
                help="How networks are chosen and promoted.  [default: hyperband; search without any of these options "
                "plans itself]",
            ),
            click.option(
                "--max-resource",
                type=Number(),
                help=f"The most that one network gets, such as epochs.  [default: {_DEFAULTS['max_resource']}]",
            ),
            click.option(
                "--min-resource",
                type=Number(),
                help=f"The least on which a network is ranked.  [default: {_DEFAULTS['min_resource']}]",
            ),
            click.option(
                "--eta",
                type=Number(),
                help=f"One in eta networks is promoted, with eta times the resource.  [default: {_DEFAULTS['eta']}]",
            ),
            click.option(
                "--n",
                "n",
                type=int,
                help="Networks to try, for algorithms that do not plan it themselves.  "
                f"[default: the algorithm's own; grid: at most {GRID_POINTS}]",
            ),
            click.option(
                "--repetitions",
                type=Repetitions(),
                metavar="N|endless",
                help=f"Times that all brackets are run; endless: until --time.  [default: {_DEFAULTS['repetitions']}]",
            ),
            click.option(
                "--interval",
                type=Number(),
                help="Resource between two rankings of pbt.  [default: a ninth of the most]",
            ),
        )
    ):
        function = option(function)
    return function


def make_algorithm(algorithm: str | None, **options: Any) -> Algorithm:
    """The algorithm that the options describe; options that it does not have are refused.

    Parameters
    ----------
    algorithm : one of `ALGORITHMS`; None: the first
    options : those of `OPTIONS`; None where not given

    Raises
    ------
    InputError
        When an option does not belong to the algorithm or breaks a rule.
    """
    settings = {name: value for name, value in options.items() if value is not None}
    algorithm = ALGORITHMS[0] if algorithm is None else algorithm
    for name in settings:
        if not takes(algorithm, name):
            known = ", ".join(_flag(other) for other in OPTIONS if takes(algorithm, other))
            raise InputError(f"{_flag(name)} does not belong to --algorithm {algorithm}, which takes {known}.")
    if settings.get("repetitions") == ENDLESS:
        settings["repetitions"] = None
    if algorithm == "grid":
        settings.setdefault("n", GRID_POINTS)
    made: Algorithm = _ALGORITHMS[algorithm](**settings)
    return made


def algorithm_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's options that `make_algorithm` takes."""
    return {name: options[name] for name in ("algorithm", *OPTIONS)}


def given_algorithm(options: dict[str, Any]) -> Algorithm | None:
    """The algorithm that a command's options describe; None where none of them is given: the search plans itself."""
    chosen = algorithm_settings(options)
    return None if all(value is None for value in chosen.values()) else make_algorithm(**chosen)


def takes(algorithm: str, option: str) -> bool:
    """Whether an algorithm has an option."""
    return option in {field.name for field in fields(_ALGORITHMS[algorithm])}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
