"""Options that several commands share, and the algorithm that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from hyperband.errors import InputError

if TYPE_CHECKING:
    from hyperband.tuning.algorithms import Algorithm

    _ParamType = click.ParamType[Any]  # generic in the types of click 8.3, not in the class of older ones
else:
    _ParamType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])

#: command line name -> (class in `hyperband.tuning.algorithms`, options beside --max-resource)
_ALGORITHMS = {
    "hyperband": ("Hyperband", ("eta", "min_resource", "repetitions")),
    "successive-halving": ("SuccessiveHalving", ("eta", "min_resource", "n", "repetitions")),
    "random": ("RandomSearch", ("n",)),
    "grid": ("GridSearch", ("n",)),
    "adaptive": ("AdaptiveSearch", ("n",)),
    "asha": ("ASHA", ("eta", "min_resource", "n")),
    "async-hyperband": ("AsyncHyperband", ("eta", "min_resource", "repetitions")),
    "pasha": ("PASHA", ("eta", "min_resource", "n")),
    "bohb": ("BOHB", ("eta", "min_resource", "repetitions")),
    "dehb": ("DEHB", ("eta", "min_resource", "repetitions")),
    "pbt": ("PBT", ("n", "interval")),
}
ALGORITHMS = tuple(_ALGORITHMS)


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


def algorithm_options(function: F) -> F:
    """The options that say which algorithm runs and how long."""
    for option in reversed(
        (
            click.option("--algorithm", type=click.Choice(ALGORITHMS), default="hyperband", show_default=True),
            click.option("--max-resource", type=Number(), help="Resource of the highest rung.  [default: 81]"),
            click.option("--min-resource", type=Number(), help="Least resource of a rung.  [default: 1]"),
            click.option("--eta", type=Number(), help="Of eta networks one goes on.  [default: 3]"),
            click.option("--n", "n", type=int, help="Networks to try (algorithms that do not plan it themselves)."),
            click.option(
                "--repetitions",
                type=Repetitions(),
                metavar="N|endless",
                help="Times that all brackets are run; endless: until --time.  [default: 1]",
            ),
            click.option("--interval", type=Number(), help="Resource between two rankings of pbt.  [default: a ninth]"),
        )
    ):
        function = option(function)
    return function


#: Points of a grid when --n is not given.
GRID_POINTS = 256


def make_algorithm(algorithm: str, **options: Any) -> Algorithm:
    """The algorithm that the options describe; options that it does not have are refused.

    Parameters
    ----------
    algorithm : one of `ALGORITHMS`
    options : max_resource, min_resource, eta, n, repetitions, interval; None where not given

    Raises
    ------
    InputError
        When an option does not belong to the algorithm or breaks a rule.
    """
    from hyperband.tuning import algorithms

    kind, own = _ALGORITHMS[algorithm]
    settings = {name: value for name, value in options.items() if value is not None}
    for name in settings:
        if name not in ("max_resource", *own):
            option = "--" + name.replace("_", "-")
            known = ", ".join("--" + other.replace("_", "-") for other in ("max_resource", *own))
            raise InputError(f"{option} does not belong to --algorithm {algorithm}, which takes {known}.")
    if settings.get("repetitions") == ENDLESS:
        settings["repetitions"] = None
    if algorithm == "grid":
        settings.setdefault("n", GRID_POINTS)
    made: Algorithm = getattr(algorithms, kind)(**settings)
    return made


def takes(algorithm: str, option: str) -> bool:
    """Whether an algorithm has an option."""
    return option in _ALGORITHMS[algorithm][1]
