"""What a search prints at its end: for people, and as one JSON object."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperband._common.counted import counted
from hyperband.engine.architecture import Architecture
from hyperband.tables.column_table import column_table
from hyperband.tables.columns import first_names
from hyperband.tables.preprocess import Preprocessing
from hyperband.tables.views import VIEWS
from hyperband.tuning.settings import Settings

if TYPE_CHECKING:
    from hyperband.interface.network_result import NetworkSearchResult
    from hyperband.tables import PreparedTable
    from hyperband.tuning.run.run import Incumbent

#: Rows of the table of the best.
TOP = 10


def predict_command(model: Path, table: str, out: Path, header: bool | None) -> str:
    """The command that predicts ``table`` with ``model``, quoted for a shell."""
    flags = [] if header is None else ["--header" if header else "--no-header"]
    return shlex.join(["hyperband", "predict", str(model), table, "--out", str(out), *flags])


def main_metric(task: str) -> str:
    """The metric that is shown first."""
    return "accuracy" if task == "classification" else "rmse"


def as_text(
    result: NetworkSearchResult, prepared: PreparedTable, model: str, command: str, tested: Path | None = None
) -> str:
    """The report for people; ``tested`` is the file of predictions for the test rows."""
    lines = [
        f"{counted(result.n_evaluations, 'evaluation')} of {counted(result.n_configurations, 'network')}, "
        f"{result.cost:,.6g} {result.unit}, "
        f"{result.seconds:.1f} s" + ("" if result.stopped == "finished" else f" ({result.stopped})"),
        *(["only one network was tried, and compared with none"] if result.n_configurations == 1 else []),
        *(
            [f"{n} of {result.n_evaluations} evaluations diverged: NaN or an infinite loss"]
            if (n := len(result.not_finite))
            else []
        ),
        *_best_network(result),
        *_ensemble(result),
    ]
    if result.best is not None:
        lines += ["", "hyperparameters of the best network"]
        architecture = result.best.network.members[0].architecture
        view = ("view", result.best.network.preprocessings[0].view)
        lines += [f"  {name:<16} {_show(value)}" for name, value in (view, *_hyperparameters(architecture))]
        lines += ["", f"the {min(TOP, result.n_configurations)} best", *_top(result, prepared)]
    lines += ["", f"model written to {model}"]
    lines += [] if tested is None else [f"predictions for the test rows in {tested}"]
    lines += ["predict with", f"  {command}"]
    return "\n".join(lines)


def _best_network(result: NetworkSearchResult) -> list[str]:
    """The single network with the smallest loss, where an evaluation was finished."""
    best = result.best
    if best is None:
        return []
    architecture, target = best.network.members[0].architecture, best.network.target
    n_inputs = best.network.preprocessings[0].n_features
    dims = (n_inputs, *architecture.widths, target.n_outputs)
    parameters = architecture.n_parameters(n_inputs, target.n_outputs)
    lines = [
        "",
        f"best network   trial {best.trial}, bracket {best.bracket}, after {best.resource:g} of "
        f"{float(result.plan.brackets[best.bracket].rungs[-1].r):g} {result.unit}",
        f"architecture   {' -> '.join(map(str, dims))}, {architecture.activation}, {parameters:,} parameters",
        *_columns(best.network.preprocessings[0]),
        f"validation     loss {best.loss:.4f}, {_figures(best.metrics)}",
    ]
    if result.test_of_best is not None:
        lines.append(f"test           loss {result.test_of_best['loss']:.4f}, {_figures(result.test_of_best)}")
    return lines


def _columns(preprocessing: Preprocessing) -> list[str]:
    """Which columns a view uses that leaves out those of noise."""
    if not VIEWS[preprocessing.view].selects:
        return []
    used = preprocessing.used
    return [f"columns        {len(used)} of {preprocessing.n_inputs}: {first_names(used)}"]


def _ensemble(result: NetworkSearchResult) -> list[str]:
    """The model, where it is more than the best network."""
    ensemble, model = result.ensemble, result.model
    if ensemble is None or model is None:
        return []
    trials = len({member.trial for member in ensemble.members})
    again = len({member.trial for member in ensemble.members if member.refit})
    lines = [
        "",
        f"model          {counted(len(model.members), 'network')} of {counted(trials, 'trial')}"
        + (f", {'all' if again == trials else again} trained again on all rows" if again else ""),
        f"validation     {ensemble.metric} {ensemble.score:.4f} on the rows that chose it, "
        f"{ensemble.cross_score:.4f} on others, {ensemble.single:.4f} of the best alone",
    ]
    if ensemble.temperature != 1.0:
        lines.append(f"temperature    {ensemble.temperature:.3f}")
    if result.test is not None:
        lines.append(f"test           loss {result.test['loss']:.4f}, {_figures(result.test, ensemble.metric)}")
    return lines


def to_json(
    result: NetworkSearchResult,
    prepared: PreparedTable,
    model: str,
    command: str,
    tested: Path | None = None,
    record: Mapping[str, Any] | None = None,
) -> str:
    """The report for machines: one JSON object, non-finite numbers as null; ``record``: more keys of it."""
    best = result.best
    report = {
        "best": None if best is None else _best(best, prepared.task),
        "ensemble": None if result.ensemble is None else result.ensemble.to_dict(),
        "test": result.test,
        "test_of_best": result.test_of_best,
        "model": model,
        "predict": command,
        "test_predictions": None if tested is None else str(tested),
        "target": list(prepared.target.names),
        "task": prepared.task,
        "unit": result.unit,
        "stopped": result.stopped,
        "seconds": round(result.seconds, 3),
        "n_configurations": result.n_configurations,
        "n_evaluations": result.n_evaluations,
        "n_not_finite": len(result.not_finite),
        "cost": result.cost,
        "plan": result.plan.to_dict(),
        "algorithm": _settings(result.algorithm),
        "training": _settings(result.training),
        "notes": list(result.notes),
        "columns": [] if result.model is None else [asdict(use) for use in column_table(result.model.preprocessings)],
        **(record or {}),
    }
    return json.dumps(plain(report), indent=2, allow_nan=False)


def _settings(part: object) -> dict[str, Any] | None:
    return part.to_dict() if isinstance(part, Settings) else None


def trials_csv(result: NetworkSearchResult) -> str:
    """Every evaluation as a line; values that csv has no type for become text."""
    import polars as pl

    table = result.trials.to_polars()
    nested = [name for name, kind in table.schema.items() if kind.is_nested() or kind == pl.Object]
    texts = [pl.Series(name, [None if v is None else str(v) for v in table[name].to_list()]) for name in nested]
    return table.with_columns(texts).write_csv()


def plain(value: Any) -> Any:
    """Plain data for JSON; NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _best(best: Incumbent, task: str) -> dict[str, Any]:
    name = main_metric(task)
    return {
        "trial": best.trial,
        "bracket": best.bracket,
        "rung": best.rung,
        "resource": best.resource,
        "loss": best.loss,
        "metric": best.metrics.get(name),
        "metric_name": name,
        "metrics": best.metrics,
        "configuration": best.configuration,
        "architecture": best.network.members[0].architecture.to_dict(),
    }


def _figures(metrics: Mapping[str, float], first: str = "") -> str:
    names = dict.fromkeys((first, "accuracy", "rmse", "mae", "r2", "ece"))
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in names if name in metrics)


def _hyperparameters(architecture: Architecture) -> list[tuple[str, Any]]:
    """Fields that differ from their default, and the three that are always shown."""
    usual, always = Architecture().to_dict(), ("optimizer", "learning_rate", "batch_size")
    fields = architecture.to_dict()
    return [
        (name, value)
        for name, value in fields.items()
        if name not in ("widths", "activation") and (name in always or value != usual[name])
    ]


def _top(result: NetworkSearchResult, prepared: PreparedTable) -> list[str]:
    trials, metric = result.trials, main_metric(prepared.task)
    loss = np.asarray(trials["loss"], dtype=np.float64)
    order = np.lexsort((trials["rung"], trials["trial"], np.where(np.isfinite(loss), loss, np.inf)))
    rows: list[list[str]] = []
    seen: set[int] = set()
    for row in order.tolist():
        trial = int(trials["trial"][row])
        if trial in seen or not math.isfinite(loss[row]) or len(rows) == TOP:
            continue
        seen.add(trial)
        network = summary(result.architecture(trial))
        if "view" in trials:
            network += f", {trials['view'][row]}"
        figure = f"{trials[metric][row]:.4f}" if metric in trials else ""
        cells = [str(len(rows) + 1), str(trial), str(trials["bracket"][row]), f"{trials['resource'][row]:g}"]
        rows.append([*cells, f"{loss[row]:.4f}", figure, network])
    return table(["", "trial", "bracket", result.unit, "loss", metric, "network"], rows)


def summary(architecture: Architecture) -> str:
    """One network in one line.

    Examples
    --------
    >>> summary(Architecture(widths=[64, 32], learning_rate=0.01))
    '64-32 relu adam lr 0.01 batch 64'
    """
    a = architecture
    parts = ["-".join(map(str, a.widths)) or "linear", a.activation if a.widths else "", a.optimizer]
    parts += [f"lr {a.learning_rate:.2g}", f"batch {a.batch_size}"]
    parts += [f"dropout {a.dropout:.2g}"] if a.dropout and a.widths else []
    return " ".join(part for part in parts if part)


def table(names: Sequence[str], rows: Sequence[Sequence[str]], *, left: bool = False) -> list[str]:
    """Lines of aligned columns; all but the last are aligned to the right, or to the left."""
    widths = [max(len(row[j]) for row in (names, *rows)) for j in range(len(names))]

    def line(row: Sequence[str]) -> str:
        pairs = zip(row[:-1], widths[:-1], strict=True)
        cells = [cell.ljust(width) if left else cell.rjust(width) for cell, width in pairs]
        return "  ".join([*cells, row[-1]]).rstrip()

    return [line(names), *map(line, rows)]


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
