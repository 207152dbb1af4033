"""The default space of multi-layer perceptrons for a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hyperband.engine.architecture import Architecture
from hyperband.space import Choice, Float, Int, Space, When

#: Rows up to which a batch size is the default, and the batch size of larger tables: an epoch takes about as long with
#: small batches, and its many steps learn more; see benchmarks/RESULTS.md.
BATCHES = ((30_000, 64), (100_000, 128))
LARGEST_BATCH = 256

#: Numbers are not embedded where that would give the first layer more inputs than this: it would take most of the time.
WIDEST = 1024


def default_space(
    n_rows: int, n_inputs: int, n_outputs: int, loss: str, *, views: Sequence[str] = (), n_numbers: int = 0
) -> Space:
    """Networks worth trying on a table of this size.

    What is the same in all of them follows RealMLP (Holzmueller et al. 2024, "Better by default"): AdamW whose second
    moment decays by 0.95, the rate coslog4, dropout and weight decay that end with flat_cos, a scaling layer, an output
    layer that starts at 0. What is searched is what differs from table to table: how the table is shown (``view``),
    embeddings of numbers, depth, width, activation, rate, regularisation, and batch size. AdamW shrinks weights by rate
    * decay a step: a decay of 0.4 here is the 0.02 of RealMLP, whose rate is twenty times as large.

    Parameters
    ----------
    n_rows, n_inputs, n_outputs : int, of the training rows
    loss : str, of the networks
    views : names of the table's views; without them ``view`` is no parameter
    n_numbers : int, leading columns that are numbers; they are embedded where there are some, and not too many

    Examples
    --------
    >>> default_space(1000, 20, 10, "cross_entropy").names[:3]
    ('n_layers', 'width', 'activation')
    """
    usual = default_batch(n_rows)
    parameters: dict[str, Any] = {
        "n_layers": Int(2, 4, default=3),
        "width": Choice([128, 256, 384], default=256, ordered=True),
        "activation": Choice(["selu", "mish", "silu", "relu"], default="mish"),
        "learning_rate": Float(5e-4, 8e-3, log=True, default=2e-3),
        "weight_decay": Float(1e-2, 1.0, log=True, default=0.1),
        "batch_size": Choice([max(16, usual // 2), usual, 2 * usual], default=usual, ordered=True),
        "dropout": Choice([0.0, 0.1, 0.2, 0.35], default=0.1, ordered=True),
        **_CONSTANT,
    }
    conditions = []
    if loss in ("cross_entropy", "logistic"):
        parameters["label_smoothing"] = Choice([0.0, 0.1], default=0.1, ordered=True)
    if n_numbers and Architecture(widths=[]).embedding_size * n_numbers <= WIDEST:
        parameters["number_embedding"] = Choice(["none", "pbld", "cosine"], default="pbld")
        parameters["frequency_scale"] = Float(0.03, 3.0, log=True, default=0.3)
        conditions.append(When("frequency_scale", "number_embedding", ["pbld", "cosine"]))
    if len(views) > 1:
        parameters["view"] = Choice(list(views))
    return Space(parameters, conditions)


#: Parameters of one option: the same in every network, and written into every configuration.
_CONSTANT = {
    "optimizer": Choice(["adamw"]),
    "beta2": Choice([0.95]),
    "schedule": Choice(["coslog4"]),
    "dropout_schedule": Choice(["flat_cos"]),
    "decay_schedule": Choice(["flat_cos"]),
    "input_scaling": Choice([True]),
    "zero_output": Choice([True]),
}


def default_batch(n_rows: int) -> int:
    """Rows of a batch on a table of this size.

    Examples
    --------
    >>> default_batch(500), default_batch(50_000), default_batch(10**6)
    (64, 128, 256)
    """
    return next((batch for rows, batch in BATCHES if n_rows <= rows), LARGEST_BATCH)
