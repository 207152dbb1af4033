"""The default space of multi-layer perceptrons for a table."""

from __future__ import annotations

from typing import Any

from hyperband.space import Choice, Float, Int, Space, When

#: Widths of the hidden layers that the default space tries: for tables below and from 2,000 rows.
NARROW, WIDE = (16, 128), (32, 384)


def default_space(n_rows: int, n_inputs: int, n_outputs: int, loss: str) -> Space:
    """Networks worth trying on a table of this size.

    One to four hidden layers of one width (layers of unlike widths mostly add a bottleneck somewhere), piecewise-linear
    and smooth activations, adamw and sgd with rates of their own, batches from 32 to 512 rows (never more than an
    eighth of the table), dropout, weight decay, two schedules, clipping; label smoothing for ``cross_entropy``.

    Parameters
    ----------
    n_rows, n_inputs, n_outputs : int, of the training rows
    loss : {"cross_entropy", "logistic", "mse"}

    Examples
    --------
    >>> default_space(1000, 20, 10, "cross_entropy").names[:3]
    ('n_layers', 'width', 'activation')
    """
    narrowest, widest = WIDE if n_rows >= 2000 else NARROW
    batches = [b for b in (16, 32, 64, 128, 256, 512) if b * 8 <= n_rows and (b > 16 or n_rows < 5000)] or [16]
    parameters: dict[str, Any] = {
        "n_layers": Int(1, 4, default=2),
        "width": Int(narrowest, widest, log=True, default=64),
        "activation": Choice(["relu", "gelu", "silu", "tanh"]),
        "optimizer": Choice(["adamw", "sgd"]),
        "learning_rate": Float(3e-4, 1e-2, log=True, default=2e-3),
        "sgd_learning_rate": Float(3e-3, 3e-1, log=True, default=3e-2),
        "momentum": Float(0.5, 0.98, default=0.9),
        "weight_decay": Float(1e-6, 1e-1, log=True, default=1e-4),
        "batch_size": Choice(batches, ordered=True),
        "dropout": Choice([0.0, 0.1, 0.2, 0.35, 0.5], default=0.0, ordered=True),
        "schedule": Choice(["cosine", "exponential"]),
        "clip_norm": Choice([0.0, 1.0], default=0.0, ordered=True),
    }
    if loss == "cross_entropy":
        parameters["label_smoothing"] = Choice([0.0, 0.05], default=0.0, ordered=True)
    conditions = [
        When("learning_rate", "optimizer", ["adamw"]),
        When("sgd_learning_rate", "optimizer", ["sgd"]),
        When("momentum", "optimizer", ["sgd"]),
    ]
    return Space(parameters, conditions)
