"""`Plots`, the pictures of one result, as ``result.plot``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hyperband.plots import bracket_table, curves, importance, incumbent_curves, landscape, parallel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hyperband.plots.column_bars import ShuffledColumns
    from hyperband.plots.plotted_result import PlottedResult
    from hyperband.plots.surface import Loss


@dataclass(frozen=True, slots=True)
class Plots:
    """The pictures of one result; each method draws one and returns its Axes.

    Parameters
    ----------
    result : SearchResult

    Notes
    -----
    ``style`` is "light" or "dark". With ``ax``, a picture is drawn on these Axes, and their figure gets the background
    of the style. Without it, the picture gets a new figure as wide as one column of a paper (3.35 inches, text of 5 to
    8 points) at 200 dots per inch. The new figure is independent of pyplot: it need not be closed, and neither pyplot's
    current figure nor matplotlib's settings change. A notebook shows the picture when the Axes are the last line of a
    cell, and ``ax.figure.savefig("name.pdf")`` writes it to a file. To show it in a window, pass ``ax=pyplot.gca()``.

    Each level of resource has the same colour in all pictures of a result. The best trial is a star or a thick line,
    and failed trials are crosses. Every method raises `InputError` when a name or a style is unknown, and ImportError
    when matplotlib is not installed.

    Examples
    --------
    >>> import hyperband as hb
    >>> space = hb.Space({"x": hb.Float(0.0, 1.0), "rate": hb.Float(1e-4, 1.0, log=True)})
    >>> result = hb.minimize(lambda c, resource: c["x"] / resource, space, hb.Hyperband(9), unit="epochs")
    >>> ax = result.plot.landscape("x", "rate", style="dark")
    >>> ax.get_xlabel(), ax.get_yscale()
    ('x', 'log')
    """

    result: PlottedResult

    def landscape(
        self,
        x: str,
        y: str,
        *,
        loss: Loss | None = None,
        numbers: str = "order",
        cmap: Any = None,
        ax: Axes | None = None,
        style: str = "light",
    ) -> Axes:
        """The loss over two parameters as a heat map, red where it is small, with the trials at their values.

        The colour of a trial's mark is the resource at which it was last evaluated: it was dropped there, or received
        the whole resource. Trials have their numbers, in their marks or beside them; where marks or other numbers would
        hide some, the trials that received the most resource have them.

        Parameters
        ----------
        x, y : str, names of two parameters
        loss : callable, optional
            The known ``loss(configuration)``, from which the heat map is computed with the other parameters at the
            values of the best trial. None fits extremely randomised trees of scikit-learn to the last losses of the
            trials over x and y. The label of the colour scale states which it is, and where losses of unlike resource
            are fitted together; with fewer than 5 losses there is no heat map.
        numbers : {"order", "discarded"}
            "order": the numbers of the trials, from 0 in the order in which configurations were drawn. "discarded":
            from 1 in the order in which trials were dropped: bracket by bracket, rung by rung, the largest loss first.
            Those that were never dropped come last in their bracket, the best of them at the end.
        cmap : colour map of matplotlib or its name, optional
            Instead of that of the style; its first colour is that of the smallest loss: "RdYlBu", "viridis".
        ax, style : see `Plots`

        Raises
        ------
        InputError
            Also when x and y are the same, ``loss`` is finite nowhere, the space of the result is not known, matplotlib
            has no such colour map, or ``numbers="discarded"`` and the plan drops no trials.
        """
        return landscape.landscape(self.result, x, y, loss=loss, numbers=numbers, cmap=cmap, ax=ax, style=style)

    def curves(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """Losses over resource, one panel a bracket; a line ends in a mark where its trial was dropped.

        The losses are those measured at each resource, so that curves can rise. The loss of a network in ``trials`` is
        the smallest up to its resource; its curve may end above that.

        A cross marks a trial that failed: at its last finite loss, or on the lower border where it had none. A number
        in the corner counts the losses beyond the scale. Several panels are insets of the returned Axes, in
        ``ax.child_axes``.

        Raises
        ------
        InputError
            Also when the result has no evaluation.
        """
        return curves.curves(self.result, ax=ax, style=style)

    def brackets(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """The brackets of the plan as a diagram; `hyperband.plots.brackets` draws a plan without a result."""
        return bracket_table.brackets(self.result.plan, unit=self.result.unit, ax=ax, style=style)

    def parallel(self, *, ax: Axes | None = None, style: str = "light") -> Axes:
        """Parallel coordinates: one axis a parameter, one line a trial, coloured by the rank of its last loss.

        A line passes below the axis of a parameter that is inactive in its configuration.

        Raises
        ------
        InputError
            Also when the result has no evaluation, or its space is not known.
        """
        return parallel.parallel(self.result, ax=ax, style=style)

    def importance(
        self, *, columns: ShuffledColumns | None = None, ax: Axes | None = None, style: str = "light"
    ) -> Axes:
        """How much of the losses each parameter explains; `hyperband.plots.parameter_importance` gives the numbers.

        A share is that of the variance of the ranks of the losses of trials that the forest has not seen. With
        ``columns``, such as ``result.model.importance("test.csv")``, a second panel shows how much the model's loss
        rises without each column of the table; both are insets of the returned Axes, in ``ax.child_axes``.
        `hyperband.plots.column_importance` draws the second alone.

        Raises
        ------
        InputError
            Also when fewer than 12 trials have a finite loss, all losses are equal, or the space is not known.
        """
        return importance.importance(self.result, columns=columns, ax=ax, style=style)

    def regret(
        self,
        optimum: float | None = None,
        *,
        x: str = "cost",
        at_full: bool = False,
        log: bool | None = None,
        log_x: bool = False,
        ax: Axes | None = None,
        style: str = "light",
    ) -> Axes:
        """The incumbent's loss, or with ``optimum`` its regret, over the cost.

        `hyperband.plots.regret` has the parameters, and draws several results on one pair of axes.
        """
        return incumbent_curves.regret(
            {"": self.result}, optimum, x=x, at_full=at_full, log=log, log_x=log_x, ax=ax, style=style
        )
