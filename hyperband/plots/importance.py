"""Parameter importance: how much worse a forest predicts unseen trials when one parameter is shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.checks import whole_number
from hyperband._common.philox import uniform
from hyperband.errors import InputError
from hyperband.plots.canvas import canvas
from hyperband.plots.column_bars import ROW, ShuffledColumns, bars, column_height, draw_columns, stacked
from hyperband.plots.plotted_result import PlottedResult, points_of, space_of
from hyperband.plots.style import COLUMN, SMALL, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

#: Fewest trials with a finite loss; with fewer, too few are left to validate a forest on.
LEAST = 12
#: Most evaluations that a forest is fitted to, and its number of trees.
_ROWS, _TREES = 2000, 100
#: Purposes of random draws, different from those of the search.
_SPLIT, _SHUFFLE = 101, 102


@dataclass(frozen=True, slots=True)
class Importance:
    """How much of the losses each parameter explains.

    Parameters
    ----------
    names : tuple of str, the parameters, most important first
    mean : float64 array, shape (n_parameters,)
        Share of the variance of the loss ranks of unseen trials that depends on a parameter, alone or together with
        others: half of the R² that is lost when its values are shuffled among these trials. It is averaged over the
        repeats and can fall below 0 by chance.
    deviation : float64 array, shape (n_parameters,), standard deviation over the repeats
    explained : float
        R² of the forest on unseen trials, averaged over the repeats. Near or below 0, the forest has learnt nothing and
        the importances are meaningless.
    n_trials : int, number of trials with a finite loss
    """

    names: tuple[str, ...]
    mean: F64
    deviation: F64
    explained: float
    n_trials: int


def parameter_importance(result: PlottedResult, *, repeats: int = 10, seed: int = 0) -> Importance:
    """Permutation importance of the parameters (Breiman 2001, "Random forests", section 10, on unseen trials).

    ``repeats`` times, a random forest of scikit-learn is fitted to two thirds of the trials and predicts the others,
    once as they are and once with each parameter shuffled. It predicts *ranks* of losses, so that one diverged trial
    does not outweigh all others. It is fitted to *all* evaluations, with the resource as an additional input, so that
    losses at low rungs count without being mistaken for losses at the top; the resource itself is not ranked. All
    evaluations of a trial are on the same side of the split. An inactive parameter has a value of its own, outside its
    range. Failed evaluations are left out.

    Parameters
    ----------
    result : SearchResult
    repeats : int >= 2
    seed : int >= 0, key of the splits, forests and shuffles

    Raises
    ------
    InputError
        When fewer than 12 trials have a finite loss, all losses are equal, or the space of the result is not known.

    Notes
    -----
    Shuffling a parameter costs its variance twice, because it is no longer explained and because a wrong value adds as
    much again; hence the half (Gregorutti, Michel, Saint-Pierre 2017, "Correlation and variable importance in random
    forests", for sums of independent terms). The rest up to 1 belongs to the resource or is not explained.

    Two parameters that carry the same information share their importance. A parameter that matters only where nothing
    was tried has none: the importances describe the trials, not the space.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0), "useless": hb.Float(0.0, 1.0)})
    >>> result = hb.minimize(lambda c, resource: (c["x"] - 0.5) ** 2, space, hb.RandomSearch(n=40))
    >>> parameter_importance(result, repeats=3).names
    ('x', 'useless')
    """
    repeats = whole_number(repeats, "repeats", 2)
    seed = whole_number(seed, "seed", 0)
    names = space_of(result).names
    inputs, ranks, trials = _evaluations(result, seed)
    known = np.unique(trials)
    drops, explained = np.zeros((repeats, len(names))), np.zeros(repeats)
    for k in range(repeats):
        order = known[np.argsort(uniform(seed, _SPLIT, known, 1, k)[:, 0], kind="stable")]
        unseen = np.isin(trials, order[: len(known) // 3])
        forest = _forest(inputs[~unseen], ranks[~unseen], (seed + k) % 2**32)
        explained[k], drops[k] = _dropped(forest, inputs[unseen], ranks[unseen], (seed, k))
    mean, deviation = drops.mean(axis=0), drops.std(axis=0, ddof=1)
    first = np.argsort(-mean, kind="stable")
    ordered = tuple(names[index] for index in first)
    return Importance(ordered, mean[first], deviation[first], float(explained.mean()), len(known))


def _evaluations(result: PlottedResult, seed: int) -> tuple[F64, F64, NDArray[np.int64]]:
    """Inputs (the parameters, then the resource), ranks of losses in [0, 1], and trials, one row an evaluation."""
    rows = np.flatnonzero(np.isfinite(result.trials["loss"]))
    n = len(np.unique(result.trials["trial"][rows]))
    if n < LEAST:
        raise InputError(
            f"Importances need at least {LEAST} trials with a finite loss; got {n}. Search longer, or look at "
            "`result.plot.parallel()`."
        )
    if len(rows) > _ROWS:
        chosen = np.argsort(uniform(seed, _SPLIT, rows, 1, 2**31)[:, 0], kind="stable")[:_ROWS]
        rows = np.sort(rows[chosen])
    losses = np.asarray(result.trials["loss"])[rows]
    different, ranks = np.unique(losses, return_inverse=True)
    if len(different) == 1:
        raise InputError(f"Importances need losses that differ; all are {losses[0]:g}.")
    points = points_of(result, rows)
    points = space_of(result).canonical(points)
    resource = np.log(np.asarray(result.trials["resource"], dtype=np.float64)[rows])
    inputs = np.column_stack([np.where(np.isnan(points), -1.0, points), resource])
    return inputs, ranks / (len(different) - 1), np.asarray(result.trials["trial"])[rows]


def _forest(inputs: F64, ranks: F64, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, max_features=0.7, random_state=seed)
    return forest.fit(inputs, ranks)


def _dropped(forest: Any, inputs: F64, ranks: F64, key: tuple[int, int]) -> tuple[float, F64]:
    """R² on these rows, and half of what it loses by shuffling each parameter; the last input, the resource, stays."""
    n, spread = len(inputs), float(((ranks - ranks.mean()) ** 2).sum()) or 1.0

    def explained(rows: F64) -> float:
        return 1.0 - float(((forest.predict(rows) - ranks) ** 2).sum()) / spread

    whole = explained(inputs)
    drops = np.zeros(inputs.shape[1] - 1)
    seed, repeat = key
    for column in range(len(drops)):
        shuffled = inputs.copy()
        order = np.argsort(uniform(seed, _SHUFFLE, np.arange(n), 1, repeat * 2**16 + column)[:, 0], kind="stable")
        shuffled[:, column] = inputs[order, column]
        drops[column] = (whole - explained(shuffled)) / 2
    return whole, drops


def importance(
    result: PlottedResult,
    *,
    columns: ShuffledColumns | None = None,
    ax: Axes | None = None,
    style: str = "light",
) -> Axes:
    """Draws ``result.plot.importance``; see `hyperband.plots.Plots.importance`."""
    found = parameter_importance(result)
    high = 0.95 + ROW * len(found.names)
    if columns is None:
        with canvas(ax, style, (COLUMN, high)) as (ax, look):
            _draw(ax, look, found)
        return ax
    other = column_height(columns)
    with canvas(ax, style, (COLUMN, high + other)) as (ax, look):
        ax.set_axis_off()
        upper, lower = stacked(ax, look, (high, other))
        _draw(upper, look, found)
        draw_columns(lower, look, columns)
    return ax


def _draw(ax: Axes, look: Style, found: Importance) -> None:
    """The bars of the parameters, with what their lengths are shares of."""
    bars(ax, look, found.names, found.mean, found.mean - found.deviation, found.mean + found.deviation)
    ax.set_xlabel("share of the variance of loss ranks\non unseen trials (mean ± 1 s.d.)", fontsize=SMALL)
    explained = f"{found.explained:.2f}".replace("-", "−")
    title = f"all and the resource explain {explained}\n(R² of a forest, {found.n_trials} trials)"
    ax.set_title(title, fontsize=SMALL)
