"""Rules between parameters: conditions (when one exists) and constraints (which combinations are allowed)."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError

Columns = Mapping[str, NDArray[Any]]
Predicate = Callable[[Columns], Any]
Constraint = str | Predicate


@dataclass(frozen=True, slots=True)
class When:
    """Parameter ``name`` exists only when ``parent`` exists and has one of ``values``.

    Several conditions on one parameter must all hold.

    Examples
    --------
    >>> When("momentum", "optimizer", ["sgd"]).values
    ('sgd',)
    """

    name: str
    parent: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        values = (self.values,) if isinstance(self.values, str | bytes) or not _iterable(self.values) else self.values
        object.__setattr__(self, "values", tuple(values))
        if not self.values:
            raise InputError(f"`values` of the condition on {self.name!r} must hold at least one value; got none.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"name": self.name, "parent": self.parent, "values": list(self.values)}


_ARITHMETIC: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A constraint in words: comparisons of parameters and numbers with + - * / **, joined by ``and``, ``or``, ``not``.

    Where a parameter that it names is switched off, the constraint holds. Nothing else of Python is understood, so a
    text from a file can do no harm.

    Examples
    --------
    >>> e = Expression("2 * x <= y")
    >>> e({"x": np.array([1.0, 3.0]), "y": np.array([2.0, 2.0])}).tolist()
    [True, False]
    """

    text: str

    def __post_init__(self) -> None:
        self._tree()

    def _tree(self) -> ast.expr:
        try:
            tree = ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise InputError(f"A constraint must read like 'x < y'; got {self.text!r}: {error.msg}.") from None
        _understand(tree, self.text)
        if not isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp):
            raise InputError(f"A constraint must compare something, like 'x < y'; got {self.text!r}.")
        return tree

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that it speaks of."""
        return tuple(sorted({node.id for node in ast.walk(self._tree()) if isinstance(node, ast.Name)}))

    def __call__(self, columns: Columns) -> NDArray[np.bool_]:
        used = {name: columns[name] for name in self.names}
        n = len(next(iter(columns.values())))
        off = np.zeros(n, dtype=np.bool_)
        for column in used.values():
            off |= absent(column)
        # Choices of text meet comparisons with None where they are off: those rows are overruled just below.
        with np.errstate(all="ignore"):
            held = np.broadcast_to(np.asarray(_value(self._tree(), used), dtype=np.bool_), (n,))
        return held | off


def absent(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a parameter is switched off: NaN among numbers, None among choices."""
    if column.dtype == object:
        return np.array([value is None for value in column], dtype=np.bool_)
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def holds(constraint: Constraint, columns: Columns, n: int) -> NDArray[np.bool_]:
    """Which of ``n`` rows satisfy the constraint.

    Raises
    ------
    InputError
        When a callable does not answer with one truth value a row.
    """
    answer = constraint(columns) if callable(constraint) else Expression(constraint)(columns)
    held = np.asarray(answer)
    if held.shape != (n,) or held.dtype != np.bool_:
        raise InputError(
            f"A constraint must answer with {n} truth values, one a row; got {held.dtype} of shape {held.shape}. "
            "It receives columns (arrays): write `lambda c: c['x'] < c['y']`."
        )
    return held


def _understand(node: ast.expr, text: str) -> None:
    kinds: tuple[Sequence[type], ...] = (tuple(_ARITHMETIC), tuple(_COMPARISONS))
    match node:
        case ast.BoolOp(values=values):
            parts: list[ast.expr] = list(values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in kinds[0]:
            parts = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in kinds[1] for op in ops):
            parts = [left, *rest]
        case ast.Name() | ast.Constant(value=int() | float() | str() | bool()):
            parts = []
        case _:
            raise InputError(
                f"A constraint may compare parameters and numbers with + - * / **, and, or, not; got {text!r}. "
                "Use a function for anything else."
            )
    for part in parts:
        _understand(part, text)


def _value(node: ast.expr, columns: Columns) -> Any:
    match node:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_value(operand, columns))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, columns)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, columns), _value(right, columns))
        case ast.BoolOp(op=op, values=values):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce(np.broadcast_arrays(*[_value(v, columns) for v in values]))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [_value(part, columns) for part in (left, *rest)]
            pairs = zip(ops, sides[:-1], sides[1:], strict=True)
            return np.logical_and.reduce([_COMPARISONS[type(op)](a, b) for op, a, b in pairs])
    raise AssertionError(node)  # `_understand` let nothing else through


def _iterable(value: Any) -> bool:
    try:
        iter(value)
    except TypeError:
        return False
    return True
