"""Options that several commands share, and the algorithm that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from hyperband.errors import InputError

if TYPE_CHECKING:
    from hyperband.algorithms import Algorithm

    _ParamType = click.ParamType[Any]  # generic in the types of click 8.3, not in the class of older ones
else:
    _ParamType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])

ALGORITHMS = ("hyperband", "successive-halving", "random", "grid", "adaptive")


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


def algorithm_options(function: F) -> F:
    """The options that say which algorithm runs and how long."""
    for option in reversed(
        (
            click.option("--algorithm", type=click.Choice(ALGORITHMS), default="hyperband", show_default=True),
            click.option("--max-resource", type=Number(), help="Resource of the highest rung.  [default: 81]"),
            click.option("--min-resource", type=Number(), help="Least resource of a rung.  [default: 1]"),
            click.option("--eta", type=Number(), help="Of eta networks one goes on.  [default: 3]"),
            click.option("--n", "n", type=int, help="Networks to try (all algorithms but hyperband)."),
        )
    ):
        function = option(function)
    return function


#: command line name -> which options it takes beside --max-resource
_TAKES = {
    "hyperband": ("eta", "min_resource"),
    "successive-halving": ("eta", "min_resource", "n"),
    "random": ("n",),
    "grid": ("n",),
    "adaptive": ("n",),
}

#: Points of a grid when --n is not given.
GRID_POINTS = 256


def make_algorithm(
    algorithm: str,
    max_resource: float | None = None,
    min_resource: float | None = None,
    eta: float | None = None,
    n: int | None = None,
) -> Algorithm:
    """The algorithm that the options describe; options that it does not have are refused.

    Raises
    ------
    InputError
        When an option does not belong to the algorithm or breaks a rule.
    """
    from hyperband import algorithms

    given = {"min_resource": min_resource, "eta": eta, "n": n}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in settings:
        if name not in _TAKES[algorithm]:
            option = "--" + name.replace("_", "-")
            takes = ", ".join("--" + other.replace("_", "-") for other in ("max_resource", *_TAKES[algorithm]))
            raise InputError(f"{option} does not belong to --algorithm {algorithm}, which takes {takes}.")
    if max_resource is not None:
        settings["max_resource"] = max_resource
    if algorithm == "grid":
        settings.setdefault("n", GRID_POINTS)
    kinds: dict[str, Callable[..., Algorithm]] = {
        "hyperband": algorithms.Hyperband,
        "successive-halving": algorithms.SuccessiveHalving,
        "random": algorithms.RandomSearch,
        "grid": algorithms.GridSearch,
        "adaptive": algorithms.AdaptiveSearch,
    }
    return kinds[algorithm](**settings)
