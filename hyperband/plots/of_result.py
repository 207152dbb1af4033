"""``result.plot``: every picture of one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyperband.plots import bracket_table, curves, importance, landscape, parallel, spend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperband.plots.surface import Loss
    from hyperband.plots.trials import Searched


@dataclass(frozen=True, slots=True)
class Plots:
    """Pictures of one result; each method draws one and returns its Axes.

    Parameters
    ----------
    result : SearchResult

    Notes
    -----
    ``style`` is "light" or "dark". With ``ax`` a picture goes onto Axes of yours, and their figure takes on the
    background of the style; without, onto a figure of its own, one column of a paper wide (3.35 inches, text of 5 to 8
    points) at 200 dots an inch. Such a figure is not one of pyplot's: nothing has to be closed, and neither pyplot's
    current figure nor any setting of matplotlib changes. A notebook shows it when the Axes are the last line of a cell;
    ``ax.figure.savefig("name.pdf")`` writes it. For a window of pyplot, pass ``ax=pyplot.gca()``.

    Resources have one colour each in all pictures, lowest to highest; the best trial is a star or a thick line, failed
    ones are crosses. Every method raises `InputError` when a name or a style is unknown, and ImportError when
    matplotlib is not installed.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0), "rate": hb.Float(1e-4, 1.0, log=True)})
    >>> result = hb.minimize(lambda c, resource: c["x"] / resource, space, hb.Hyperband(9), unit="epochs")
    >>> ax = result.plot.landscape("x", "rate", style="dark")
    >>> ax.get_xlabel(), ax.get_yscale()
    ('x', 'log')
    """

    result: Searched

    def landscape(
        self, x: str, y: str, *, loss: Loss | None = None, ax: Axes | None = None, style: str = "light"
    ) -> Axes:
        """The loss over two parameters as a heat map, with the trials where they were tried.

        A trial's mark has the colour of the resource at which it was last judged: there it was dropped, or it had all.
        Numbers are those of the trials; where there is no room for all, the trials that went furthest have one.

        Parameters
        ----------
        x, y : str, names of two parameters
        loss : callable, optional
            ``loss(configuration)``: the heat map is computed, with the other parameters as the best trial has them.
            None: extremely randomised trees of scikit-learn are fitted to the last losses of the trials over x and y,
            and the legend says so; with fewer than 5 of them there is no heat map.
        ax, style : see `Plots`

        Raises
        ------
        InputError
            Also when x and y are the same, or ``loss`` is finite nowhere.
        """
        return landscape.landscape(self.result, x, y, loss=loss, ax=ax, style=style)

    def curves(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """Losses over resource, one panel a bracket; a line ends with a mark where its trial was dropped.

        A cross is a trial that failed: where its loss was last finite, on the lower border where it never was. Losses
        beyond the scale are counted in the corner. Several panels are insets of the Axes that are returned, in
        ``ax.child_axes``.
        """
        return curves.curves(self.result, ax=ax, style=style)

    def brackets(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """The table of the plan as a diagram; of a plan alone: `hyperband.plots.brackets`."""
        return bracket_table.brackets(self.result.plan, unit=self.result.unit, ax=ax, style=style)

    def parallel(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """An axis a parameter, a line a trial, coloured by the rank of its last loss; "off" where switched off."""
        return parallel.parallel(self.result, ax=ax, style=style)

    def importance(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """How much each parameter explains; the numbers are `hyperband.plots.parameter_importance`, with all rules.

        Raises
        ------
        InputError
            Also when fewer than 12 trials have a finite loss, or all losses are equal.
        """
        return importance.importance(self.result, ax=ax, style=style)

    def regret(
        self,
        optimum: float | None = None,
        *,
        x: str = "cost",
        at_full: bool = False,
        ax: Axes | None = None,
        style: str = "light",
    ) -> Axes:
        """The incumbent's loss, or regret, over spend; several results on one pair: `hyperband.plots.regret`."""
        return spend.regret({"": self.result}, optimum, x=x, at_full=at_full, ax=ax, style=style)
