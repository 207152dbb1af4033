"""A hundred thousand configurations of thirteen parameters, seven of them conditional, beside other libraries.

Libraries that are slower by orders of magnitude draw fewer; the times compared are those of one configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

import hyperband as hb
from benchmarks.common import records
from benchmarks.common.records import json_option
from benchmarks.common.timing import take_turns
from hyperband.space import Points
from hyperband.tuning.samplers import RandomSampler

WIDTHS = ("width_1", "width_2", "width_3", "width_4")
#: parameter -> what it depends on, with the values for which it exists
WHEN: dict[str, tuple[str, list[Any]]] = {
    "momentum": ("optimizer", ["sgd", "rmsprop"]),
    "beta2": ("optimizer", ["adam"]),
    "width_2": ("n_layers", [2, 3, 4]),
    "width_3": ("n_layers", [3, 4]),
    "width_4": ("n_layers", [4]),
    "warmup": ("schedule", ["cosine"]),
    "dropout": ("regularised", [True]),
}
SPACE = hb.Space(
    {
        "optimizer": hb.Choice(["adam", "sgd", "rmsprop"]),
        "learning_rate": hb.Float(1e-5, 1.0, log=True),
        "momentum": hb.Float(0.0, 0.99),
        "beta2": hb.Float(0.9, 0.9999),
        "n_layers": hb.Int(1, 4),
        **{name: hb.Int(8, 1024, log=True) for name in WIDTHS},
        "schedule": hb.Choice(["none", "cosine"]),
        "warmup": hb.Int(0, 20),
        "regularised": hb.Choice([True, False]),
        "dropout": hb.Float(0.0, 0.5),
    },
    conditions=[hb.When(name, parent, values) for name, (parent, values) in WHEN.items()],
)


@dataclass(frozen=True)
class Contender:
    """``draw(n)`` gives n configurations, ``read`` makes dicts of them, which is not timed."""

    name: str
    n: int
    draw: Callable[[int], Any]
    read: Callable[[Any], Sequence[Mapping[str, Any]]] = list


def points(n: int) -> Points:
    """``n`` random points that obey conditions and constraints."""
    return RandomSampler().start(SPACE, seed=0).propose(range(n))


def columns(n: int) -> dict[str, Any]:
    """The same as a column of values for each parameter."""
    return SPACE.columns(points(n))


def rows_of(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Columns as configurations."""
    lists = {name: values.tolist() for name, values in found.items()}
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return [{name: value for name, value in row.items() if value is not None and value == value} for row in rows]


def configspace() -> Contender:
    """``ConfigurationSpace.sample_configuration``."""
    import ConfigSpace as cs

    makes = {"float": cs.Float, "int": cs.Integer}
    axes: dict[str, Any] = {}
    for name, parameter in SPACE.parameters.items():
        p = parameter.to_dict()
        if p["type"] == "choice":
            axes[name] = cs.Categorical(name, p["options"])
        else:
            axes[name] = makes[p["type"]](name, (p["low"], p["high"]), log=p["log"])
    space = cs.ConfigurationSpace(seed=0)
    space.add(*axes.values())
    space.add(*(cs.InCondition(axes[name], axes[parent], values) for name, (parent, values) in WHEN.items()))
    return Contender("ConfigSpace", 10_000, space.sample_configuration, lambda found: [dict(c) for c in found])


def optuna() -> Contender:
    """``Study.ask`` with the random sampler, parameters suggested one after the other."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def suggest(trial: Any, name: str) -> Any:
        p = SPACE.parameters[name].to_dict()
        if p["type"] == "choice":
            return trial.suggest_categorical(name, p["options"])
        return getattr(trial, f"suggest_{p['type']}")(name, p["low"], p["high"], log=p["log"])

    def draw(n: int) -> list[dict[str, Any]]:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(n):
            trial = study.ask()
            found: dict[str, Any] = {}
            for name in sorted(SPACE.names, key=lambda name: name in WHEN):  # parents first
                parent, values = WHEN.get(name, (name, []))
                if parent == name or found[parent] in values:
                    found[name] = suggest(trial, name)
        return [trial.params for trial in study.get_trials(deepcopy=False)]

    return Contender("Optuna RandomSampler", 1_000, draw)


def scikit_learn() -> Contender:
    """``ParameterSampler``, which has no conditions: every parameter of every configuration."""
    from scipy.stats import loguniform, randint, uniform
    from sklearn.model_selection import ParameterSampler

    axes: dict[str, Any] = {}
    for name, parameter in SPACE.parameters.items():
        p = parameter.to_dict()
        if p["type"] == "choice":
            axes[name] = p["options"]
        elif p["log"]:
            axes[name] = loguniform(p["low"], p["high"])
        elif p["type"] == "int":
            axes[name] = randint(p["low"], p["high"] + 1)
        else:
            axes[name] = uniform(p["low"], p["high"] - p["low"])
    return Contender("scikit-learn ParameterSampler", 1_000, lambda n: list(ParameterSampler(axes, n, random_state=0)))


OURS = (
    Contender("hyperband, points", 100_000, points, SPACE.decode),
    Contender("hyperband, columns", 100_000, columns, rows_of),
    Contender("hyperband, dicts", 100_000, lambda n: SPACE.decode(points(n))),
)
OTHERS: tuple[Callable[[], Contender], ...] = (configspace, optuna, scikit_learn)


def check(contender: Contender, n: int) -> None:
    """Check that names occur exactly where conditions say, and every option and half of an axis often enough.

    Raises
    ------
    click.ClickException
        When they are not.
    """
    found = contender.read(contender.draw(n))
    if len(found) != n:
        raise click.ClickException(f"{contender.name} drew {len(found)} configurations instead of {n}.")
    conditional = not contender.name.startswith("scikit-learn")
    for c in found:
        expected = {
            name for name in SPACE.names if not conditional or name not in WHEN or c.get(WHEN[name][0]) in WHEN[name][1]
        }
        if set(c) != expected:
            raise click.ClickException(f"{contender.name} drew {c}, where {sorted(expected)} should have values.")
    for name, parameter in SPACE.parameters.items():
        values = [c[name] for c in found if name in c]
        if contender.name.startswith("scikit-learn") and parameter.to_dict()["type"] == "int":
            values = [int(value) for value in values]  # its logarithmic axes have no integers
        u = parameter.encode(values)
        if not 0.4 < float((u < 0.5).mean()) < 0.6 and parameter.n_values != 3:
            raise click.ClickException(f"{contender.name} drew {name} unevenly: {(u < 0.5).mean():.3f} in one half.")


@click.command("spaces")
@click.option("--n", default=None, type=click.IntRange(min=500), help="Configurations of each.  [default: its own]")
@click.option("--turns", default=7, show_default=True, type=click.IntRange(min=1))
@json_option
def main(n: int | None, turns: int, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    contenders = list(OURS)
    for make in OTHERS:
        try:
            contenders.append(make())
        except ImportError as reason:
            click.echo(f"{make.__name__}: left out, {reason}")
    for contender in contenders:
        check(contender, 2_000)
    counts = {contender.name: n or contender.n for contender in contenders}
    work = {c.name: lambda c=c: c.draw(counts[c.name]) for c in contenders}
    seconds = take_turns(work, turns)
    found: list[dict[str, Any]] = [
        {"name": name, "n": counts[name], "seconds": median(taken), "each": median(taken) / counts[name]}
        for name, taken in seconds.items()
    ]
    least = found[1]["each"]
    click.echo(f"{'':<32}{'drawn':>9}{'seconds':>10}{'µs each':>10}{'times':>9}")
    for r in found:
        click.echo(f"{r['name']:<32}{r['n']:>9}{r['seconds']:>10.4f}{1e6 * r['each']:>10.2f}{r['each'] / least:>9.1f}")
    records.write(json_file, {"records": found, "seconds": seconds})
