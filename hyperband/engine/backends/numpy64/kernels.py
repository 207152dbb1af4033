"""Optimiser steps and evaluation of one member in float64."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import F32, HostSplit
from hyperband.engine.backends.numpy64 import network
from hyperband.engine.backends.numpy64.stage import Stage, behind
from hyperband.engine.backends.philox import RowOrder, dropout_mask
from hyperband.engine.backends.rates import average_shares, dropouts, learning_rates, weight_decays
from hyperband.engine.backends.state import MemberState
from hyperband.engine.parameters import Layers

A = NDArray[np.float64]

_CHUNK = 64  #: rows of an evaluation at a time
_SMALLEST = 1e-30  #: moments below it are stored as 0


class ReferenceKernels:
    """`hyperband.engine.backends.host.Kernels` in float64."""

    dtype = np.float64

    def __init__(self, loss: str, n_outputs: int) -> None:
        self._loss, self._n_outputs = loss, n_outputs

    def stride(self, width: int) -> int:
        return width

    def zeros(self, size: int) -> A:
        return np.zeros(size)

    def steps(self, state: MemberState, train: HostSplit, count: int) -> tuple[int, float]:
        a, seed = state.member.architecture, state.member.seed
        order = RowOrder.of(seed, state.rows, state.epoch)
        when = (a, state.member.total_steps, state.step, count)
        rates, dropped, decays = learning_rates(*when), dropouts(*when), weight_decays(*when)
        running, layers = state.running, _active(state, state.weights)
        shares = average_shares(a, state.step, count)
        averages = None if state.average is None else _active(state, state.average)
        for done in range(count):
            first = (state.position + done) * a.batch_size
            rows = order(np.arange(first, min(first + a.batch_size, state.rows)))
            x = train.x[rows, : state.inputs].astype(np.float64)
            weight = None if train.weight is None else train.weight[rows].astype(np.float64)
            step = state.step + done
            masks = None
            if a.dropout > 0.0:
                dropout = float(dropped[done])
                masks = [dropout_mask(seed, n, step, len(rows), w, dropout) for n, w in enumerate(a.widths)]
            with np.errstate(all="ignore"):  # a member that diverges is data, not a warning
                stage, inner = Stage.of(a, layers[0]), behind(a, layers)
                loss, found, by_inputs = network.gradients(
                    a.activation, inner, stage.inputs(x), train.y[rows], weight, self._loss, a.label_smoothing, masks
                )
                found[0] = (*found[0], *stage.gradients(x, by_inputs))
                if not math.isfinite(loss):
                    return done, running
                update(state, layers, clipped(found, a.clip_norm), float(rates[done]), step, float(decays[done]))
                if averages is not None:
                    average(averages, layers, float(shares[done]))
            running += loss * len(rows)
        return count, running

    def evaluate(self, state: MemberState, weights: NDArray[Any], split: HostSplit) -> tuple[float, float]:
        loss = error = total = 0.0
        with np.errstate(all="ignore"):
            for first in range(0, len(split.x), _CHUNK):
                part = slice(first, first + _CHUNK)
                z, y = self._outputs(state, weights, split.x[part]), split.y[part]
                share = np.ones(len(z)) if split.weight is None else split.weight[part].astype(np.float64)
                loss += float((share * network.row_losses(self._loss, z, y)[0]).sum())
                error += float(network.row_errors(self._loss, z, y).sum())
                total += float(share.sum())
        return loss / total, error / len(split.x)

    def outputs(self, state: MemberState, weights: NDArray[Any], x: F32) -> F32:
        with np.errstate(all="ignore"):
            return self._outputs(state, weights, x).astype(np.float32)

    def _outputs(self, state: MemberState, weights: NDArray[Any], x: F32) -> A:
        layers, columns = _active(state, weights), state.inputs or state.layout.dims[0]
        a = state.member.architecture
        rows = Stage.of(a, layers[0]).inputs(x[:, :columns].astype(np.float64))
        return network.forward(a.activation, behind(a, layers), rows)


def _active(state: MemberState, numbers: NDArray[Any]) -> Layers:
    """The parameters layer by layer, without those of columns that this member does not see."""
    layers = state.layout.layers(numbers)
    if state.inputs:
        first = zip(state.layout.parameters, layers[0], strict=False)
        layers[0] = tuple(view[: state.inputs] if parameter.over_inputs else view for parameter, view in first)
    return layers


def clipped(gradients: Layers, clip_norm: float) -> Layers:
    """The gradients, scaled down to the Euclidean norm ``clip_norm`` when it is > 0 and they are longer."""
    if clip_norm <= 0.0:
        return gradients
    norm = math.sqrt(sum(float(sum((g * g).sum() for g in layer)) for layer in gradients))
    if not norm > clip_norm:
        return gradients
    return [tuple(g * (clip_norm / norm) for g in layer) for layer in gradients]


def update(state: MemberState, layers: Layers, gradients: Layers, rate: float, step: int, decay: float) -> None:
    """One optimiser step in place, with each parameter's learning-rate factor; ``decay`` acts on those that decay."""
    a = state.member.architecture
    first = _active(state, state.m) if state.m is not None else layers
    second = _active(state, state.v) if state.v is not None else layers
    listed = (chain.from_iterable(each) for each in (layers, first, second, gradients))
    for parameter, w, m, v, g in zip(state.layout.parameters, *listed, strict=True):
        factor = parameter.kind.rate_factor(a, parameter.layer)
        _update_one(a, w, m, v, g, rate * factor, step + 1, decay if parameter.kind.decay else 0.0)


def average(averages: Layers, layers: Layers, share: float) -> None:
    """Moves the averages by ``share`` of the way to the parameters, in place."""
    for mean, now in zip(chain.from_iterable(averages), chain.from_iterable(layers), strict=True):
        mean += share * (now - mean)


def _update_one(a: Architecture, w: A, m: A, v: A, g: A, rate: float, t: int, decay: float) -> None:
    if a.optimizer == "adamw":
        w *= 1.0 - rate * decay
    else:
        g = g + decay * w
    if a.optimizer == "sgd":
        if a.momentum == 0.0:
            w -= rate * g
            return
        m[...] = _flushed(a.momentum * m + g)
        w -= rate * (g + a.momentum * m if a.nesterov else m)
        return
    v[...] = _flushed(a.beta2 * v + (1.0 - a.beta2) * g * g)
    if a.optimizer == "rmsprop":
        u = g / (np.sqrt(v) + a.epsilon)
        if a.momentum > 0.0:
            m[...] = _flushed(a.momentum * m + u)
            u = m
        w -= rate * u
        return
    m[...] = _flushed(a.beta1 * m + (1.0 - a.beta1) * g)
    w -= rate / (1.0 - a.beta1**t) * m / (np.sqrt(v) / math.sqrt(1.0 - a.beta2**t) + a.epsilon)


def _flushed(x: A) -> A:
    return np.where(np.abs(x) < _SMALLEST, 0.0, x)
