"""The networks of the default search in PyTorch, with ingredients that the engine does not have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.optional import needed
from hyperband.engine.architecture import Architecture

F32 = NDArray[np.float32]

#: Numbers of an embedded category, and the columns of one category above which it is embedded.
EMBEDDING, MOST_ONE_HOT = 8, 8
MEMBERS = 4


@dataclass(frozen=True)
class Variant:
    """What a network has besides the recipe.

    Parameters
    ----------
    normalised : bool, layer normalisation before each activation
    residual : bool, hidden layers after the first add to their input, which is normalised
    from_data : bool
        First weights and biases by 1,024 training rows: pre-activations of deviation 1, a bias that puts the bend of
        each unit among the rows (Holzmueller et al. 2024, "Better by default").
    embedded : bool, one-hot columns of more than `MOST_ONE_HOT` levels become `EMBEDDING` learned combinations of them
    members : int, of BatchEnsemble (TabM, Gorishniy et al. 2025), which share all hidden matrices; 1: a plain network
    """

    normalised: bool = False
    residual: bool = False
    from_data: bool = False
    embedded: bool = False
    members: int = 1


def predictions(
    variant: Variant,
    recipe: Architecture,
    x: F32,
    y: NDArray[Any],
    x_new: F32,
    groups: Sequence[Sequence[int]],
    *,
    n_outputs: int,
    epochs: int,
    seed: int,
) -> F32:
    """Probabilities, or standardised values, of new rows by a network that was trained on (x, y).

    Parameters
    ----------
    recipe : Architecture
        A configuration of the default space: its widths, which are alike, rates, decay, dropout, label smoothing and
        batch size. Activation and schedules are those of the default configuration, and inputs are scaled.
    x, x_new : float32, shapes (n_rows, n_features) and (n_new, n_features)
    y : class numbers, shape (n_rows,), or standardised values, shape (n_rows, 1)
    groups : one-hot columns, a category each
    n_outputs : int, of a classification; 0 for a regression on one value

    Returns
    -------
    float32 array, shape (n_new, n_outputs), or (n_new, 1) for a regression

    Raises
    ------
    Unavailable
        When PyTorch is not installed.
    """
    torch = needed("torch", "torch")
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    rows, new = torch.tensor(x), torch.tensor(x_new)
    targets = torch.tensor(y).long() if n_outputs else torch.tensor(y).reshape(-1, 1)
    large = [list(group) for group in groups if len(group) > MOST_ONE_HOT] if variant.embedded else []
    network = _network(torch, variant, recipe.widths, x.shape[1], max(1, n_outputs), large)
    if variant.from_data:
        network.from_data(rows[:1024])
    parameters = dict(network.named_parameters())
    decaying = {name for name in parameters if name.startswith("matrices.")}
    optimiser = torch.optim.AdamW(
        [{"params": p, "lr": 0.0, "decays": n in decaying, "factor": recipe.scale_rate if n == "scale" else 1.0}
         for n, p in parameters.items()], betas=(recipe.beta1, recipe.beta2), weight_decay=0.0,
    )  # fmt: skip
    batch, step = recipe.batch_size, 0
    steps = epochs * math.ceil(len(x) / batch)
    for _ in range(epochs):
        network.train()
        shuffled = torch.tensor(order.permutation(len(x)))
        for start in range(0, len(x), batch):
            t, take = step / steps, shuffled[start : start + batch]
            rate = recipe.learning_rate * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t))) / 2  # coslog4
            falling = (1 + math.cos(math.pi * (max(1.0, 2 * t) - 1))) / 2  # flat_cos
            network.dropout = recipe.dropout * falling
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]
                group["weight_decay"] = recipe.weight_decay * falling if group["decays"] else 0.0
            outputs = network(rows[take])
            goal = targets[take].repeat(variant.members, *[1] * (targets.dim() - 1))
            if n_outputs:
                loss = torch.nn.functional.cross_entropy(
                    outputs.flatten(0, 1), goal, label_smoothing=recipe.label_smoothing
                )
            else:
                loss = ((outputs.flatten(0, 1) - goal) ** 2).mean()
            optimiser.zero_grad()
            (loss * variant.members).backward()  # each member has the gradient of a network alone
            optimiser.step()
            step += 1
    network.eval()
    with torch.no_grad():
        parts = [network(new[i : i + 4096]) for i in range(0, len(new), 4096)]
        found: F32 = torch.cat([(p.softmax(-1) if n_outputs else p).mean(0) for p in parts]).numpy()
    return found


def _network(
    torch: Any,
    variant: Variant,
    widths: Sequence[int],
    n_inputs: int,
    n_outputs: int,
    large: Sequence[Sequence[int]],
) -> Any:
    nn, k, width, layers = torch.nn, variant.members, widths[0], range(len(widths))

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        """Outputs have the shape (members, rows, outputs)."""

        def __init__(self) -> None:
            super().__init__()
            self.dropout = 0.0
            embedded = {column for group in large for column in group}
            self.plain = [column for column in range(n_inputs) if column not in embedded]
            self.embeddings = nn.ParameterList([nn.Parameter(torch.randn(len(g), EMBEDDING)) for g in large])
            inputs = len(self.plain) + EMBEDDING * len(large)
            sizes = [inputs, *widths]
            self.scale = nn.Parameter(torch.ones(inputs))
            he = [torch.randn(a, b) * math.sqrt(2 / a) for a, b in pairwise(sizes)]
            self.matrices = nn.ParameterList([nn.Parameter(matrix) for matrix in he])
            self.biases = nn.ParameterList([nn.Parameter(torch.zeros(k, 1, width)) for _ in layers])
            signs = torch.randint(0, 2, (k, 1, inputs)).float() * 2 - 1
            first, others = [signs], [torch.ones(k, 1, width) for _ in layers[1:]]
            self.before = nn.ParameterList([nn.Parameter(r) for r in first + others]) if k > 1 else None
            self.after = nn.ParameterList([nn.Parameter(torch.ones(k, 1, width)) for _ in layers])
            self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in layers])
            self.output = nn.Parameter(torch.zeros(k, width, n_outputs))
            self.output_bias = nn.Parameter(torch.zeros(k, 1, n_outputs))

        def inputs(self, x: Any) -> Any:
            parts = [x[:, self.plain], *(x[:, list(g)] @ e for g, e in zip(large, self.embeddings, strict=True))]
            return (torch.cat(parts, 1) * self.scale)[None].expand(k, -1, -1)

        def layer(self, i: int, h: Any) -> Any:
            if self.before is None:
                return h @ self.matrices[i] + self.biases[i]
            return (h * self.before[i]) @ self.matrices[i] * self.after[i] + self.biases[i]

        def forward(self, x: Any) -> Any:
            h = self.inputs(x)
            for i in layers:
                adds = variant.residual and i > 0
                z = self.layer(i, self.norms[i](h) if adds else h)
                if variant.normalised:
                    z = self.norms[i](z)
                a = nn.functional.dropout(nn.functional.mish(z), self.dropout, self.training)
                h = h + a if adds else a
            return h @ self.output + self.output_bias

        @torch.no_grad()  # type: ignore[untyped-decorator]
        def from_data(self, x: Any) -> None:
            h = self.inputs(x)
            for i in layers:
                self.matrices[i] /= (h @ self.matrices[i]).std(dim=(0, 1)) + 1e-6
                z = (h @ self.matrices[i])[0]
                some, shares = torch.randint(0, len(z), (6, width)), -torch.log(torch.rand(6, width))
                self.biases[i][:] = -(z.gather(0, some) * shares / shares.sum(0)).sum(0)
                h = nn.functional.mish(h @ self.matrices[i] + self.biases[i])

    return Network()
