"""Which points are allowed: the constraints of a space, checked once and then applied to many points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError
from hyperband.space.conversion import checked, column
from hyperband.space.definition import Definition, Points
from hyperband.space.expression import Expression
from hyperband.space.rules import Constraint, Predicate


class CompiledConstraints:
    """The constraints of a space, ready to be applied to points.

    Parameters
    ----------
    space : Space, with its parameters and constraints

    Raises
    ------
    InputError
        When a constraint is neither a text nor a function, or an expression does not fit the space.

    Examples
    --------
    >>> from hyperband.space import Float, Space
    >>> space = Space({"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}, constraints=["x < y"])
    >>> CompiledConstraints(space).allowed(np.array([[0.2, 0.5], [0.7, 0.5]])).tolist()
    [True, False]
    """

    def __init__(self, space: Definition) -> None:
        self._space = space
        self._compiled = [self._compile(constraint) for constraint in space.constraints]

    def allowed(self, points: Points) -> NDArray[np.bool_]:
        """Which points satisfy all constraints, bool array of shape (n,).

        Raises
        ------
        InputError
            When a constraint that is a function raises an exception, or does not return one truth value a row.
        """
        good = np.ones(len(points), dtype=np.bool_)
        if self._compiled and len(points):
            points, space = checked(self._space, points), self._space
            columns = LazyColumns(space.names, lambda name: column(space, points, name), len(points))
            for constraint in self._compiled:
                good &= _holds(constraint, columns, lambda name: ~np.isnan(points[:, space.column_of(name)]))
        return good

    def _compile(self, constraint: Constraint) -> Expression | Predicate:
        if not isinstance(constraint, str):
            if not callable(constraint):
                raise InputError(f"A constraint must be a text or a function; got {constraint!r}.")
            return constraint
        expression = Expression(constraint)
        for name in expression.names:
            self._space.column_of(name, f"The constraint {constraint!r}")
        # One evaluation rejects an expression that computes with texts before the search begins.
        point = np.zeros((1, self._space.n_dimensions))
        expression({name: column(self._space, point, name) for name in expression.names})
        return expression


class LazyColumns(Mapping[str, NDArray[Any]]):
    """Columns of values, each decoded when it is first used; most constraints use few of them.

    Parameters
    ----------
    names : tuple of str, in the order of the columns
    decode : callable, from a name to its values, shape (n,)
    n : int, number of rows

    Examples
    --------
    >>> columns = LazyColumns(("x", "y"), lambda name: np.full(2, len(name)), 2)
    >>> list(columns), columns["x"].tolist()
    (['x', 'y'], [1, 1])
    """

    def __init__(self, names: tuple[str, ...], decode: Callable[[str], NDArray[Any]], n: int) -> None:
        self._names, self._decode, self.n = names, decode, n
        self._known: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._decode(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _holds(
    constraint: Expression | Predicate, columns: LazyColumns, active: Callable[[str], NDArray[np.bool_]]
) -> NDArray[np.bool_]:
    """Which rows satisfy the constraint, bool array of shape (n,).

    Parameters
    ----------
    constraint : Expression or callable
        An expression holds where one of its parameters is inactive. A callable receives ``columns`` and returns one
        truth value a row.
    columns : LazyColumns
    active : callable, from a name to the rows in which that parameter is active, bool array of shape (n,)

    Raises
    ------
    InputError
        When a callable raises an exception, or does not return one truth value a row.
    """
    if isinstance(constraint, Expression):
        applies: NDArray[np.bool_] = np.logical_and.reduce([active(name) for name in constraint.names])
        if applies.all():
            return constraint({name: columns[name] for name in constraint.names})
        held = ~applies
        held[applies] = constraint({name: columns[name][applies] for name in constraint.names})
        return held
    remedy = "It receives columns (arrays): write `lambda c: c['x'] < c['y']`, and & | ~ for and, or, not."
    try:
        answer = np.asarray(constraint(columns))
    except Exception as error:
        raise InputError(
            f"A constraint must return one truth value a row; {constraint!r} raised {type(error).__name__}: {error}. "
            f"{remedy}"
        ) from error
    if answer.shape != (columns.n,) or answer.dtype != np.bool_:
        raise InputError(
            f"A constraint must return {columns.n} truth values, one a row; got {answer.dtype} of shape "
            f"{answer.shape}. {remedy}"
        )
    return answer
