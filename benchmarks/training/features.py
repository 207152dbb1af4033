"""What each feature costs: percent of the FMA peak of one processor with it, beside the same networks without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.common import records
from benchmarks.common.records import json_option
from benchmarks.training.rates import gflops, needed_peak, table
from hyperband.engine.architecture import ACTIVATIONS, Architecture

BASE = Architecture(widths=[64, 64], activation="relu", optimizer="adam", batch_size=64)
#: networks as for tables
_TABLE: dict[str, Any] = {"widths": [256] * 3, "batch_size": 256, "activation": "silu"}
_COLUMNS: dict[str, Any] = {"n_inputs": 32}
#: name -> (settings that differ, parts of the problem that differ: loss, rows, inputs, outputs)
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "base: 64-64-64-10, relu, adam, batch 64": ({}, {}),
    **{a: ({"activation": a}, {}) for a in ACTIVATIONS if a != "relu"},
    "sgd": ({"optimizer": "sgd"}, {}),
    "sgd, Nesterov momentum": ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True}, {}),
    "rmsprop": ({"optimizer": "rmsprop"}, {}),
    "adamw, weight decay": ({"optimizer": "adamw", "weight_decay": 0.1}, {}),
    "dropout": ({"dropout": 0.2}, {}),
    "clipping": ({"clip_norm": 1.0}, {}),
    "cosine schedule with warm-up": ({"schedule": "cosine", "warmup": 0.1}, {}),
    "coslog4 schedule": ({"schedule": "coslog4"}, {}),
    "dropout and decay on flat_cos": (
        {"dropout": 0.2, "weight_decay": 0.1, "dropout_schedule": "flat_cos", "decay_schedule": "flat_cos"},
        {},
    ),
    "parametric activation": ({"parametric_activation": True}, {}),
    "parametric activation, mish": ({"parametric_activation": True, "activation": "mish"}, {}),
    "moving average of the weights": ({"weight_average": 0.99}, {}),
    "label smoothing": ({"label_smoothing": 0.1}, {}),
    "rates of biases and first layer": ({"bias_rate": 0.1, "first_layer_rate": 2.0}, {}),
    "scaling layer": ({"input_scaling": True}, {}),
    "numbers embedded, cosine": ({"number_embedding": "cosine"}, {}),
    "numbers embedded, pbld": ({"number_embedding": "pbld"}, {}),
    "3 x 256, 32 inputs, batch 256, silu": (_TABLE, _COLUMNS),
    "the same, scaling layer": ({**_TABLE, "input_scaling": True}, _COLUMNS),
    "the same, cosine": ({**_TABLE, "number_embedding": "cosine"}, _COLUMNS),
    "the same, pbld": ({**_TABLE, "number_embedding": "pbld"}, _COLUMNS),
    "dropout, clipping, adamw, gelu": (
        {"dropout": 0.2, "clip_norm": 1.0, "optimizer": "adamw", "weight_decay": 0.1, "activation": "gelu"},
        {},
    ),
    "logistic": ({}, {"loss": "logistic", "n_outputs": 1}),
    "mean squared error, 1 output": ({}, {"loss": "mse", "n_outputs": 1}),
    "Huber loss, 1 output": ({}, {"loss": "huber", "n_outputs": 1}),
    "quantile loss, 1 output": ({}, {"loss": "quantile:0.9", "n_outputs": 1}),
    "1,000 classes": ({}, {"n_outputs": 1000}),
    "2,000 inputs": ({}, {"n_inputs": 2000}),
    "widths 65, 33": ({"widths": [65, 33]}, {}),
    "no hidden layer": ({"widths": []}, {}),
    "8 hidden layers": ({"widths": [64] * 8}, {}),
    "batch 1": ({"batch_size": 1}, {"n_rows": 256}),
    "batch 13": ({"batch_size": 13}, {}),
    "batch 4,096": ({"batch_size": 4096}, {"n_rows": 8192}),
    "a short last batch": ({}, {"n_rows": 64 * 15 + 1}),
}


@click.command("features")
@click.option("--seconds", default=0.5, show_default=True, help="For each case.")
@json_option
def main(seconds: float, json_file: Path | None) -> None:
    """See `benchmarks.__main__`."""
    peak = needed_peak()
    found = []
    click.echo(f"{'':<42}{'GFLOP/s':>9}{'% of peak':>11}{'of the base':>13}")
    for name, (settings, problem) in CASES.items():
        shape = {"loss": "cross_entropy", "n_rows": 1024, "n_inputs": 64, "n_outputs": 10, **problem}
        data = table(**shape)
        rate = gflops([replace(BASE, **settings)] * 4, data, shape["loss"], shape["n_outputs"], seconds=seconds)
        found.append({"case": name, "gflops": rate, "of_peak": rate * 1e9 / peak})
        base = found[0]["gflops"]
        click.echo(f"{name:<42}{rate:>9.1f}{100e9 * rate / peak:>11.1f}{rate / base:>13.2f}")
    records.write(json_file, {"peak": peak, "records": found})
