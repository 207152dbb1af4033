"""Views: the ways in which networks of one population may see a table, and which of them make sense for a table."""

from __future__ import annotations

from dataclasses import dataclass

from hyperband.tables.number_encoders import LEAST_BINS, N_COSINES


@dataclass(frozen=True, slots=True)
class View:
    """One way to see a table: a treatment of numbers, and one of categories.

    Parameters
    ----------
    name : str
    numbers : {"standard", "quantile", "robust", "bins", "fourier"}
        "standard" and "quantile" are scalings of `hyperband.tables.standard_scaling`, the others encoders of
        `hyperband.tables.number_encoders`.
    encodes_categories : bool
        Whether two levels become -1 and 1, and many levels target means besides one-hot columns
        (`hyperband.tables.fit_categories`); otherwise every level has a one-hot column.
    width : int, features of one number, at least
    selects : bool
        Whether columns that say nothing about the target are ignored (`hyperband.tables.column_selection`).
    """

    name: str
    numbers: str
    encodes_categories: bool
    width: int = 1
    selects: bool = False


DEFAULT_VIEW = "standard"

#: Each view and its reason. "standard": one-hot levels and standardised numbers, the least assumption. "robust":
#: outliers cannot rule the scale, the best single scaling in the ablation of RealMLP. "quantile": differs most from
#: "robust" where tails are heavy, which makes it worth a place in an ensemble. "bins": a step or a bend at a value is
#: one weight, as in the splits of trees. "fourier": what alternates along a number, such as positions on a board.
#: "selected": a network learns from few rows only if few of its inputs are noise.
VIEWS = {
    view.name: view
    for view in (
        View(DEFAULT_VIEW, "standard", False),
        View("robust", "robust", True),
        View("quantile", "quantile", True),
        View("bins", "bins", True, LEAST_BINS),
        View("fourier", "fourier", True, 1 + N_COSINES),
        View("selected", "robust", True, selects=True),
        View("selected bins", "bins", True, LEAST_BINS, selects=True),
    )
}

#: A view with more features of numbers than this is left out: its first layer would take most of the time of an epoch.
WIDEST = 1024
#: The view "quantile" is left out with more numbers than this, and with more values of them: ranks take four times as
#: long as any other treatment (11 s for 26 million values), which a short search has better uses for.
MOST_RANKED = 1 << 23
#: A view with more values of numbers than this is left out: 1 GiB, whatever memory there is, so that views do not
#: depend on the machine.
MOST_VALUES = 1 << 28


def sensible_views(
    n_numbers: int, n_rows: int, categories_differ: bool, scaling: str, relevant: int = 0
) -> tuple[str, ...]:
    """The views that make sense for a table, the default one first.

    Parameters
    ----------
    n_numbers : int, columns of numbers with more than two values
    n_rows : int, rows of the table
    categories_differ : bool
        Whether views that encode categories have other features for some column: one of two values, or of many levels.
    scaling : str
        As in `hyperband.tables.TableOptions`; whoever chooses it has chosen the view.
    relevant : int
        Columns that say something about the target, where most do not; else 0.

    Examples
    --------
    >>> sensible_views(8, 10_000, False, "auto")
    ('standard', 'robust', 'quantile', 'bins', 'fourier')
    >>> sensible_views(784, 10_000, False, "auto"), sensible_views(3000, 200, False, "auto")
    (('standard', 'robust', 'quantile'), ('standard', 'robust'))
    >>> sensible_views(30, 1_000_000, False, "auto")
    ('standard', 'robust')
    >>> sensible_views(0, 10_000, True, "auto"), sensible_views(8, 10_000, True, "quantile")
    (('standard', 'robust'), ('standard',))
    """
    if scaling != "auto":
        return (DEFAULT_VIEW,)
    most = min(WIDEST, MOST_VALUES // max(1, n_rows))

    def sensible(view: View) -> bool:
        if view.selects and not relevant:
            return False
        if n_numbers == 0:
            return view.name in (DEFAULT_VIEW, "selected") or (view.name == "robust" and categories_differ)
        numbers = min(n_numbers, relevant) if view.selects else n_numbers
        if view.numbers == "quantile":
            return numbers <= WIDEST and numbers * n_rows <= MOST_RANKED
        return view.width == 1 or view.width * numbers <= most

    return tuple(name for name, view in VIEWS.items() if sensible(view))
