"""One network: its layers, activation, optimiser and training settings, as a frozen record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hyperband._common.checks import whole_number
from hyperband.engine import parameters
from hyperband.errors import InputError

ACTIVATIONS = ("identity", "relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "step", "selu", "mish")
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "cosine", "exponential", "coslog4", "flat_cos")
#: Of dropout and of weight decay.
FACTOR_SCHEDULES = ("constant", "flat_cos")
INITS = ("auto", "he", "glorot", "lecun")
NUMBER_EMBEDDINGS = ("none", "pbld", "cosine")


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything about a multi-layer perceptron except its data and its seed.

    Parameters
    ----------
    widths : sequence of int
        Units of the hidden layers, 0 to 8 layers of 1 to 1024 units. Empty: a linear model.
    activation : {"identity", "relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "step", "selu", "mish"}
        Of all hidden layers. ``step`` is the classical perceptron's, trained by the straight-through estimator.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"}
    learning_rate : float > 0
    batch_size : int, 1 to 4096; the last, shorter batch of an epoch is trained too
    dropout : float in [0, 1), of every hidden layer's output
    weight_decay : float >= 0, of weights, not of biases; decoupled for ``adamw``, added to the gradient otherwise
    label_smoothing : float in [0, 1)
    momentum, nesterov : of ``sgd``; momentum also of ``rmsprop``; in [0, 1)
    beta1, beta2, epsilon : of ``adam`` and ``adamw``; ``beta2`` and ``epsilon`` also of ``rmsprop``
    schedule : {"constant", "cosine", "exponential", "coslog4", "flat_cos"}
        Of the learning rate over the steps at the maximal resource, after a linear warm-up over the fraction
        ``warmup`` of them. ``cosine`` and ``exponential`` go down to ``final_rate`` times ``learning_rate``.
        ``coslog4`` has four waves between 0 and ``learning_rate``, each twice as long as the one before it;
        ``flat_cos`` is constant in the first half, then goes down to 0 (both: Holzmueller et al. 2024, RealMLP).
    clip_norm : float >= 0, largest Euclidean norm of the whole gradient; 0 switches clipping off
    init : {"auto", "he", "glorot", "lecun"}
        "auto": He for relu, leaky_relu, gelu, silu, mish; Glorot for tanh and sigmoid; LeCun for identity, step and
        selu and for the output layer.
    bias_rate, first_layer_rate : float > 0
        Factors of the learning rate, of all biases and of the first layer's weights. They leave the gradient alone;
        decoupled weight decay goes by the weights' own rate.
    input_scaling : bool
        Whether each input of the first layer is multiplied by a number of its own, which is learned: 1 in a new
        network, without weight decay, with ``scale_rate`` times the learning rate. The scaling layer of RealMLP
        (Holzmueller et al. 2024, "Better by default").
    scale_rate : float > 0, factor of the learning rate of these numbers
    number_embedding : {"none", "pbld", "cosine"}
        What each column of numbers becomes: itself and ``embedding_size - 1`` learned components behind the columns of
        the data. "pbld": ``mixing @ cos(2 pi frequency x + phase) + shift``, with ``embedding_frequencies`` waves a
        column (Holzmueller et al. 2024, "Better by default"). "cosine":
        ``amplitude * cos(2 pi frequency x + phase)``, a wave a component. ``input_scaling`` acts on all of them.
    embedding_size : int, 2 to 32, numbers that a column becomes
    embedding_frequencies : int, 1 to 64, waves of a column, of "pbld"
    frequency_scale : float > 0, standard deviation of the frequencies of a new network, in waves per unit
    embedding_rate : float > 0, factor of the learning rate of all parameters of the embedding; they have no decay
    dropout_schedule, decay_schedule : {"constant", "flat_cos"}
        Factor of ``dropout`` and of ``weight_decay``, over the same steps as ``schedule``.
    zero_output : bool, whether the weights of the output layer start at 0, so that the first outputs are 0
    parametric_activation : bool
        Whether hidden layers compute ``z + alpha * (act(z) - z)``. The weights ``alpha``, one a unit, start at 1 and
        are learned with a tenth of the learning rate, without weight decay.
    weight_average : float in [0, 1), 0: off
        Decay of an exponential moving average of all parameters, taken after every step. It is what is validated, kept
        as the best weights and used for predictions; training goes on with the parameters themselves.

    Raises
    ------
    InputError
        When a value breaks one of these rules.

    Examples
    --------
    >>> Architecture(widths=[64, 32], activation="tanh").widths
    (64, 32)
    """

    widths: Sequence[int] = (64,)
    activation: str = "relu"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 64
    dropout: float = 0.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    schedule: str = "constant"
    warmup: float = 0.0
    final_rate: float = 0.01
    clip_norm: float = 0.0
    init: str = "auto"
    bias_rate: float = 1.0
    first_layer_rate: float = 1.0
    input_scaling: bool = False
    scale_rate: float = 6.0
    number_embedding: str = "none"
    embedding_size: int = 4
    embedding_frequencies: int = 16
    frequency_scale: float = 0.1
    embedding_rate: float = 0.1
    dropout_schedule: str = "constant"
    decay_schedule: str = "constant"
    zero_output: bool = False
    parametric_activation: bool = False
    weight_average: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(whole_number(w, "widths", 1, 1024) for w in self.widths))
        if len(self.widths) > 8:
            raise InputError(f"`widths` must list at most 8 hidden layers; got {len(self.widths)}.")
        for name, (least, most) in _WHOLE.items():
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least, most))
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"`{name}` must be one of {', '.join(allowed)}; got {getattr(self, name)!r}.")
        for name, (low, high, low_open, high_open) in _RANGES.items():
            value = float(getattr(self, name))
            inside = (value > low if low_open else value >= low) and (value < high if high_open else value <= high)
            if not (math.isfinite(value) and inside):
                rule = f"{'(' if low_open else '['}{low:g}, {high:g}{')' if high_open else ']'}"
                raise InputError(f"`{name}` must lie in {rule}; got {getattr(self, name)!r}.")
            object.__setattr__(self, name, value)
        for name in ("nesterov", "input_scaling", "zero_output", "parametric_activation"):
            object.__setattr__(self, name, bool(getattr(self, name)))
        if self.nesterov and self.momentum == 0.0:
            raise InputError("`nesterov` needs `momentum` > 0; got momentum 0. Set momentum, for instance to 0.9.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; ``Architecture(**d)`` reads it back."""
        return {**asdict(self), "widths": list(self.widths)}

    def n_parameters(self, n_inputs: int, n_outputs: int, numbers: int | None = None) -> int:
        """Numbers that this network learns between ``n_inputs`` columns and ``n_outputs`` outputs.

        The first ``numbers`` columns are numbers; None: all of them.
        """
        return parameters.n_parameters(self, n_inputs, n_outputs, numbers)


#: Of each field with a choice its values, numbered in C++ in this order.
CHOICES = {
    "activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES, "init": INITS,
    "number_embedding": NUMBER_EMBEDDINGS, "dropout_schedule": FACTOR_SCHEDULES, "decay_schedule": FACTOR_SCHEDULES,
}  # fmt: skip

#: name -> (least, most)
_WHOLE = {"batch_size": (1, 4096), "embedding_size": (2, 32), "embedding_frequencies": (1, 64)}

#: name -> (low, high, low is excluded, high is excluded)
_RANGES = {
    "learning_rate": (0.0, 1e6, True, False),
    "dropout": (0.0, 1.0, False, True),
    "weight_decay": (0.0, 1e6, False, False),
    "label_smoothing": (0.0, 1.0, False, True),
    "momentum": (0.0, 1.0, False, True),
    "beta1": (0.0, 1.0, False, True),
    "beta2": (0.0, 1.0, False, True),
    "epsilon": (0.0, 1.0, True, False),
    "warmup": (0.0, 1.0, False, True),
    "final_rate": (0.0, 1.0, True, False),
    "clip_norm": (0.0, 1e30, False, False),
    "bias_rate": (0.0, 1e3, True, False),
    "first_layer_rate": (0.0, 1e3, True, False),
    "scale_rate": (0.0, 1e3, True, False),
    "frequency_scale": (0.0, 1e3, True, False),
    "embedding_rate": (0.0, 1e3, True, False),
    "weight_average": (0.0, 1.0, False, True),
}
