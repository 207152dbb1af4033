"""Runs of other contenders that were measured by another harness of the same protocol, as lines of ours.

Its lines have ``set``, ``contender``, ``budget``, ``seed``, ``threads``, ``n_train``, ``n_test``, ``at``, ``fit_s``,
``predict_s``, ``own_cores``, ``other_cores``, ``machine``, ``info``, and ``acc`` with ``logloss``, or ``rmse`` with
``r2``. Lines without a metric are failures and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy import runs
from benchmarks.accuracy.runs import DISTURBED, Record

#: Its names of contenders that have the same settings here. Others keep theirs, behind "peers: ", and are not reported.
NAMES = {
    "lgbm_tuned": "lightgbm-tuned",
    "catboost": "catboost",
    "realmlp": "realmlp-td",
    "realmlp_s": "realmlp-td-s",
    "optuna_mlp_2p": "optuna-mlp",
    "skmlp": "sklearn-mlp",
}
#: Contenders that it measured in a slower form only: they count until the better form has run.
WEAKER = {"optuna_mlp": "optuna-mlp"}
METRICS = {"acc": "accuracy", "logloss": "log_loss", "rmse": "rmse", "r2": "r2"}
ABOUT = {"n_configs": "networks", "n_epochs": "epochs", "iterations": "trees", "best_iter": "trees"}


def line(record: Record, source: str) -> dict[str, Any]:
    """A line of its file as a line of ours."""
    name = record["contender"]
    info = record.get("info", {})
    others = record.get("other_cores")
    metrics = {ours: record[theirs] for theirs, ours in METRICS.items() if theirs in record}
    validation = {}
    if "best_val" in info and "accuracy" in metrics:
        validation = {"accuracy": info["best_val"]}
    return {
        "set": record["set"],
        "contender": {**WEAKER, **NAMES}.get(name, f"peers: {name}"),
        "seed": record.get("seed", 0),
        "budget": float(record["budget"]),
        "unit": "seconds",
        "commit": None,
        "machine": record.get("machine", "unknown"),
        "source": f"{source}: {name}",
        "date": record.get("at"),
        "n_train": record.get("n_train"),
        "n_test": record.get("n_test"),
        "threads": record.get("threads"),
        "seconds": record["fit_s"],
        "predict_seconds": record.get("predict_s"),
        "own_cores": record.get("own_cores"),
        "other_cores": others,
        "disturbed": others is not None and others > DISTURBED,
        "metrics": metrics,
        "validation": validation,
        "optimism": {name: value - metrics[name] for name, value in validation.items()},
        "about": {ABOUT.get(name, name): value for name, value in info.items() if name != "curve"},
    }


def take_in(file: Path, into: Path) -> tuple[int, int]:
    """Append the lines that are not there yet; how many were new, and how many were there already.

    They go before everything that was measured here, so that a run of the same kind here is the one that counts.
    """
    there = runs.read(into)
    lines = [line(record, file.name) for record in runs.read(file) if "fit_s" in record and _has_metric(record)]
    new = [found for found in lines if found not in there]
    _rewrite(into, [*new, *there])
    return len(new), len(lines) - len(new)


def _has_metric(record: Record) -> bool:
    return any(name in record for name in METRICS)


def _rewrite(file: Path, records: Sequence[Record]) -> None:
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    for record in records:
        runs.append(part, record)
    if records:
        part.replace(file)
