"""What the parameters of a configuration mean for a network."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hyperband.engine.architecture import Architecture
from hyperband.errors import InputError

_FIELDS = tuple(f.name for f in fields(Architecture))
_WIDTHS = tuple(f"width_{i}" for i in range(1, 9))

#: Every name that a space of networks may use.
PARAMETERS = (*_FIELDS, "view", "n_layers", "width", *_WIDTHS, "sgd_learning_rate")

#: What may change while a network continues: it says how steps are taken, not what the network or its optimiser holds.
CHANGEABLE = (
    "learning_rate",
    "sgd_learning_rate",
    "dropout",
    "weight_decay",
    "label_smoothing",
    "clip_norm",
    "beta1",
    "beta2",
    "epsilon",
    "bias_rate",
    "first_layer_rate",
    "scale_rate",
    "embedding_rate",
    "dropout_schedule",
    "decay_schedule",
)


def to_architecture(configuration: Mapping[str, Any]) -> Architecture:
    """The network that a configuration describes.

    Parameters
    ----------
    configuration : mapping of name to value
        Fields of `Architecture` by their own names, and

        * the hidden layers, in one of three ways: ``widths`` (a list); ``width_1``, ``width_2``, ... (units of layer 1,
          2, ...; the first ``n_layers`` of them, or all that are there); or ``width`` and ``n_layers`` (1 when absent),
          all layers alike;
        * ``sgd_learning_rate``: the learning rate when the optimizer is sgd, whose good rates are larger.

    Returns
    -------
    Architecture
        What is not named has its default.

    Raises
    ------
    InputError
        When a name is unknown, layers are described in two ways or left out, or a value breaks a rule of
        `Architecture`.

    Examples
    --------
    >>> to_architecture({"n_layers": 2, "width_1": 32, "width_2": 16, "activation": "tanh"}).widths
    (32, 16)
    """
    for name in configuration:
        if name not in PARAMETERS:
            close = difflib.get_close_matches(name, PARAMETERS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(
                f"Parameters of a network must be among {', '.join(PARAMETERS)}; got {name!r}.{hint} "
                "`hyperband.minimize` searches over anything else."
            )
    settings = {name: value for name, value in configuration.items() if name in _FIELDS}
    widths = _widths(configuration)
    if widths is not None:
        settings["widths"] = widths
    if "sgd_learning_rate" in configuration:
        if settings.get("optimizer") != "sgd":
            raise InputError(
                f"`sgd_learning_rate` is for the optimizer sgd; got {settings.get('optimizer', 'adam')!r}. "
                'Add the condition When("sgd_learning_rate", "optimizer", ["sgd"]).'
            )
        if "learning_rate" in settings:
            raise InputError("Only one of `learning_rate` and `sgd_learning_rate` must be active; got both.")
        settings["learning_rate"] = configuration["sgd_learning_rate"]
    return Architecture(**settings)


def _widths(configuration: Mapping[str, Any]) -> list[int] | None:
    each = [name for name in _WIDTHS if name in configuration]
    ways = [bool(each), "width" in configuration, "widths" in configuration]
    if sum(ways) > 1 or ("widths" in configuration and "n_layers" in configuration):
        raise InputError(
            "Hidden layers must be described in one way: `widths`, `width` with `n_layers`, or `width_1`, `width_2`, "
            f"...; got {', '.join(sorted(n for n in configuration if n.startswith('width') or n == 'n_layers'))}."
        )
    if "widths" in configuration:
        return None
    if "width" in configuration:
        return [configuration["width"]] * _count(configuration.get("n_layers", 1))
    if not each:
        if "n_layers" not in configuration:
            return None
        return list(Architecture().widths) * _count(configuration["n_layers"])
    n = _count(configuration.get("n_layers", len(each)))
    missing = [name for name in _WIDTHS[:n] if name not in configuration]
    if missing:
        raise InputError(f"A network with {n} hidden layers needs {missing[0]!r}; it is absent.")
    return [configuration[name] for name in _WIDTHS[:n]]


def _count(n: Any) -> int:
    if isinstance(n, bool) or int(n) != n or not 0 <= n <= 8:
        raise InputError(f"`n_layers` must be a whole number from 0 to 8; got {n!r}.")
    return int(n)
