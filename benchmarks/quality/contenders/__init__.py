"""Ways to search, one file a library; `ALL` in the order of the tables."""

from benchmarks.quality.contenders import ours
from benchmarks.quality.contenders.base import Contender, levels
from benchmarks.quality.contenders.dehb_package import Dehb
from benchmarks.quality.contenders.optuna_tpe import Optuna
from benchmarks.quality.contenders.smac3 import Smac

ALL: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        *map(ours.contender, ours.TABLE),
        Contender("Optuna TPE", lambda task, seed, n: Optuna(task, seed, pruned=False)),
        Contender("Optuna TPE + HyperbandPruner", lambda task, seed, n: Optuna(task, seed, pruned=True), 5, shown=True),
        Contender("SMAC3 multi-fidelity", lambda task, seed, n: Smac(task, seed), 3, 20, 1, shown=True),
        Contender("DEHB package", lambda task, seed, n: Dehb(task, seed), 10, shown=True),
    )
}

__all__ = ["ALL", "Contender", "levels"]
