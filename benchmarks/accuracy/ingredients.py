"""What the ablation adds and leaves out: settings of `hyperband.search`, by name.

The name of a setting is an argument of `search` ("algorithm"), a field of one of its records ("training.rank_by"), a
parameter of the default space ("space.dropout"), which is then fixed at the value, or one of networks that the space
does not have ("also.bias_rate"), which gets the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import hyperband as hb
from hyperband.engine.network_space import PARAMETERS, default_space
from hyperband.tables import prepare_table

Settings = Mapping[str, Any]
RECORDS: Mapping[str, Any] = {"compute": hb.Compute, "training": hb.Training, "table": hb.TableOptions}


@dataclass(frozen=True)
class Ingredient:
    """Settings with it and without it; {} where that is the default."""

    on: Settings = field(default_factory=dict)
    off: Settings = field(default_factory=dict)


#: One line an ingredient.
INGREDIENTS: Mapping[str, Ingredient] = {
    "ensemble": Ingredient(off={"ensemble": 1}),
    "refit": Ingredient(off={"training.refit": False}),
    "folds": Ingredient(off={"validation": 0.2}),
    "ranked by the metric": Ingredient(off={"training.rank_by": "loss"}),
    "views": Ingredient(off={"space.view": "standard"}),
    "embeddings of numbers": Ingredient(off={"space.number_embedding": "none"}),
    "schedule coslog4": Ingredient(off={"space.schedule": "cosine"}),
    "beta2 0.95": Ingredient(off={"space.beta2": 0.999}),
    "scaling layer": Ingredient(off={"space.input_scaling": False}),
    "output layer from zero": Ingredient(off={"space.zero_output": False}),
    "smooth activations": Ingredient(off={"space.activation": "relu"}),
    "dropout": Ingredient(off={"space.dropout": 0.0}),
    "dropout with a schedule": Ingredient(off={"space.dropout_schedule": "constant"}),
    "weight decay": Ingredient(off={"space.weight_decay": 0.0}),
    "weight decay with a schedule": Ingredient(off={"space.decay_schedule": "constant"}),
    "label smoothing": Ingredient(off={"space.label_smoothing": 0.0}),
    "depth and width": Ingredient(off={"space.n_layers": 3, "space.width": 256}),
    "batch size": Ingredient(off={"space.batch_size": 256}),
}
#: Settings that the default search leaves out: everything plus each.
EXTRAS: Mapping[str, Settings] = {
    "parametric activation": {"also.parametric_activation": True},
    "average of weights": {"also.weight_average": 0.99},
    "bias rate 0.1": {"also.bias_rate": 0.1},
    "SELU": {"space.activation": "selu"},
}
EVERYTHING, PLAIN = "everything", "plain"


def variants(
    ingredients: Mapping[str, Ingredient] | None = None, extras: Mapping[str, Settings] | None = None
) -> dict[str, Settings]:
    """Everything, minus each ingredient, plus each extra; plain, plus each ingredient.

    Examples
    --------
    >>> found = variants({"a": Ingredient(on={"x": 1}), "b": Ingredient(off={"y": 0})}, {"c": {"z": 2}})
    >>> for name, settings in found.items():
    ...     print(name, settings)
    everything {'x': 1}
    everything minus a {}
    everything minus b {'x': 1, 'y': 0}
    everything plus c {'x': 1, 'z': 2}
    plain {'y': 0}
    plain plus a {'x': 1, 'y': 0}
    plain plus b {}
    """
    known = INGREDIENTS if ingredients is None else ingredients
    further = EXTRAS if extras is None else extras

    def together(with_: set[str]) -> Settings:
        found: dict[str, Any] = {}
        for name, ingredient in known.items():
            found |= ingredient.on if name in with_ else ingredient.off
        return found

    everyone = set(known)
    return {
        EVERYTHING: together(everyone),
        **{f"{EVERYTHING} minus {name}": together(everyone - {name}) for name in known},
        **{f"{EVERYTHING} plus {name}": {**together(everyone), **settings} for name, settings in further.items()},
        PLAIN: together(set()),
        **{f"{PLAIN} plus {name}": together({name}) for name in known},
    }


def arguments(settings: Settings, x: Any, y: Any, seed: int) -> dict[str, Any]:
    """Arguments of `hyperband.search` on this table.

    Raises
    ------
    ValueError
        When a name is none of those above.
    """
    found: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        room, dot, of_it = name.partition(".")
        if not dot:
            found[name] = value
        elif room in RECORDS or room in ("space", "also"):
            parts.setdefault(room, {})[of_it] = value
        else:
            raise ValueError(f"Settings must begin with one of {', '.join([*RECORDS, 'space', 'also'])}; got {name!r}.")
    values, more = parts.pop("space", {}), parts.pop("also", {})
    found |= {room: RECORDS[room](**fields) for room, fields in parts.items()}
    if values or more:
        space = fixed(searched_space(x, y, seed, found.get("table")), values)
        constants = {name: hb.Choice([value]) for name, value in more.items()}
        found["space"] = hb.Space({**space.parameters, **constants}, space.conditions, space.constraints)
    return found


def fixed(space: hb.Space, values: Mapping[str, Any]) -> hb.Space:
    """The space with parameters fixed; those that can then never be active are left out.

    A parameter that a network can have, but that this space has not, has its default and is no error.

    Examples
    --------
    >>> space = hb.Space(
    ...     {"optimizer": hb.Choice(["adamw", "sgd"]), "momentum": hb.Float(0.5, 0.9)},
    ...     conditions=[hb.When("momentum", "optimizer", "sgd")],
    ... )
    >>> fixed(space, {"optimizer": "adamw"}).names
    ('optimizer',)
    """
    known = {*space.names, *PARAMETERS}
    if unknown := [name for name in values if name not in known]:
        raise ValueError(f"Only parameters of networks ({', '.join(sorted(known))}) can be fixed; got {unknown}.")
    values = {name: value for name, value in values.items() if name in space.names}
    parameters: dict[str, Any] = {**space.parameters, **values}
    never: set[str] = set()
    for _ in space.names:  # whoever hangs on one that is left out is left out too
        never |= {
            rule.name
            for rule in space.conditions
            if rule.parent in never or (rule.parent in values and values[rule.parent] not in rule.values)
        }
    # a condition on a parent that is fixed at a value that allows it always holds
    conditions = [rule for rule in space.conditions if rule.name not in never and rule.parent not in values]
    kept = {name: parameter for name, parameter in parameters.items() if name not in never}
    return hb.Space(kept, conditions, space.constraints)


def searched_space(x: Any, y: Any, seed: int, options: hb.TableOptions | None = None) -> hb.Space:
    """The space in which `hyperband.search` looks when it is given none."""
    table = prepare_table(x, y, seed=seed, options=hb.TableOptions() if options is None else options)
    data = table.dataset(table.views[0])
    n_rows, n_features = data.x_train.shape
    return default_space(n_rows, n_features, data.n_outputs, data.loss, views=table.views, n_numbers=data.n_numbers)
