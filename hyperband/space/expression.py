"""Constraint expressions, such as ``"x < y"``.

Only comparisons and arithmetic are accepted and nothing is passed to `eval`, so a text from a file cannot run code.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyperband.errors import InputError

_ARITHMETIC: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: dict[type, Callable[[Any, Any], Any]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}

#: Longest text in characters: short enough that its nesting stays far below the limit of Python's parser.
LONGEST = 1000
#: String literals, which may contain backticks, and names in backticks.
_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|`([^`]+)`""")


@dataclass(frozen=True, slots=True)
class Expression:
    """A constraint as a text: comparisons of parameters and numbers, joined by ``and``, ``or`` and ``not``.

    Numbers may be computed with ``+ - * / **`` and are compared as float64. ``==`` and ``!=`` also compare with texts,
    True, False and None. In a `Space` a constraint holds wherever a parameter that it names is inactive. Names of
    nested parameters are written ``kind.cnn.width`` and ``layers[0].width``; any name may stand in backticks.

    Parameters
    ----------
    text : str, at most 1000 characters

    Raises
    ------
    InputError
        When the text is no such expression.

    Examples
    --------
    >>> e = Expression("2 * x <= y")
    >>> e({"x": np.array([1.0, 3.0]), "y": np.array([2.0, 2.0])}).tolist()
    [True, False]
    """

    text: str
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST:
            raise InputError(f"A constraint must have at most {LONGEST} characters; got {len(self.text)}. Split it.")
        try:
            tree = _parsed(self.text.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InputError(f"A constraint must read like 'x < y'; got {self.text!r}: {error}.") from None
        if not _is_truth(tree):
            raise self._not_accepted()
        object.__setattr__(self, "_tree", tree)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that the expression names, sorted."""
        return tuple(sorted({node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}))

    def inside(self, nest: str) -> str:
        """The same constraint for parameters nested below the name ``nest``, as a text."""
        return ast.unparse(_Renamed(lambda name: quoted(f"{nest}.{name}")).visit(_parsed(self.text.strip())))

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Whether the constraint holds, by row.

        Parameters
        ----------
        columns : mapping of parameter name to array, shape (n,); at least the names in `names`

        Returns
        -------
        bool array, shape (n,)

        Raises
        ------
        InputError
            When values that are no numbers are computed with or ordered.
        """
        n = len(next(iter(columns.values()))) if columns else 1
        with np.errstate(all="ignore"):  # a division by zero gives an infinity, which compares as such
            try:
                return np.array(np.broadcast_to(_truth(self._tree, columns), (n,)))
            except TypeError:
                raise InputError(
                    f"A constraint may compute with and order numbers only; {self.text!r} meets other values. "
                    "Compare texts with == and !=."
                ) from None

    def _not_accepted(self) -> InputError:
        return InputError(
            "A constraint must compare parameters and numbers with < <= > >= == !=, computed with + - * / **, "
            f"joined by and, or, not; got {self.text!r}. Use a function for anything else."
        )


def quoted(name: str) -> str:
    """A parameter name in backticks, as constraint expressions accept any name.

    Raises
    ------
    InputError
        When the name holds a backtick.

    Examples
    --------
    >>> Expression(f"{quoted('learning rate')} < 1").names
    ('learning rate',)
    """
    if "`" in name:
        raise InputError(f"Names in constraints must hold no backtick; got {name!r}. Rename the parameter.")
    return f"`{name}`"


def _parsed(text: str) -> ast.expr:
    """The syntax tree of a text, with each parameter as one `ast.Name`, also where its name is no identifier."""
    names: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1]
        short = f"_{len(names)}"
        while short in text:
            short = f"_{short}"
        names[short] = match[2]
        return f" {short} "

    tree: ast.expr = ast.parse(_QUOTED.sub(stand_in, text).strip(), mode="eval").body
    joined: ast.expr = _Joined().visit(_Renamed(lambda name: names.get(name, name)).visit(tree))
    return joined


class _Renamed(ast.NodeTransformer):
    """Every name replaced by ``rename(name)``."""

    def __init__(self, rename: Callable[[str], str]) -> None:
        self._rename = rename

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._rename(node.id), ast.Load())


class _Joined(ast.NodeTransformer):
    """Attribute and index access joined to one name: ``layers[0].width`` becomes the name ``layers.0.width``."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        owner = self.visit(node.value)
        return ast.Name(f"{owner.id}.{node.attr}", ast.Load()) if isinstance(owner, ast.Name) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        owner, index = self.visit(node.value), node.slice
        if isinstance(owner, ast.Name) and isinstance(index, ast.Constant) and type(index.value) is int:
            return ast.Name(f"{owner.id}.{index.value}", ast.Load())
        return node


def _is_truth(node: ast.expr) -> bool:
    """Whether a node is a comparison that is accepted, or several joined by and, or, not."""
    match node:
        case ast.BoolOp(values=values):
            return all(_is_truth(value) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _is_truth(operand)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [left, *rest]
            if not any(isinstance(part, ast.Name) for side in sides for part in ast.walk(side)):
                return False
            if all(type(op) in _EQUALITY for op in ops):
                return all(_is_number(side) or _is_value(side) for side in sides)
            return all(type(op) in _ORDER or type(op) in _EQUALITY for op in ops) and all(map(_is_number, sides))
    return False


def _is_number(node: ast.expr) -> bool:
    """Whether a node may be a number: a parameter, a number, or arithmetic with them."""
    match node:
        case ast.Name():
            return True
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_number(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return type(op) in _ARITHMETIC and _is_number(left) and _is_number(right)
    return False


def _is_value(node: ast.expr) -> bool:
    """Whether a node is a text, True, False or None."""
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str | bool))


def _truth(node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Any:
    match node:
        case ast.BoolOp(op=op, values=values):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce([_truth(value, columns) for value in values])
        case ast.UnaryOp(operand=operand):
            return np.logical_not(_truth(operand, columns))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [left, *rest]
            pairs = zip(sides[:-1], ops, sides[1:], strict=True)
            return np.logical_and.reduce([_compared(a, op, b, columns) for a, op, b in pairs])
    raise AssertionError(node)  # `_is_truth` rejects anything else


def _compared(a: ast.expr, op: ast.cmpop, b: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Any:
    if type(op) in _EQUALITY:
        for name, value in ((a, b), (b, a)):
            if isinstance(name, ast.Name) and _is_value(value) and columns[name.id].dtype.kind in "bO":
                return _equal(columns[name.id], value) == isinstance(op, ast.Eq)
        left, right = (_raw(side, columns) for side in (a, b))
        equal = np.broadcast_arrays(left, right)
        if equal[0].dtype == object or equal[1].dtype == object:
            same = [_alike(x, y) for x, y in zip(equal[0].tolist(), equal[1].tolist(), strict=True)]
            return np.array(same, dtype=np.bool_) == isinstance(op, ast.Eq)
        return _EQUALITY[type(op)](left, right)
    return _ORDER[type(op)](_number(a, columns), _number(b, columns))


def _equal(column: NDArray[Any], value: ast.expr) -> NDArray[np.bool_]:
    """Where a column equals a text, a truth value or None."""
    assert isinstance(value, ast.Constant)  # `_is_value` rejects anything else
    wanted = value.value
    if isinstance(wanted, bool):
        return np.array([x is wanted for x in column.tolist()], dtype=np.bool_)
    return np.array([x == wanted for x in column.tolist()], dtype=np.bool_)


def _raw(node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """A side of ``==`` as an array in which texts and truth values keep their types."""
    if isinstance(node, ast.Name) and columns[node.id].dtype.kind in "bO":
        return columns[node.id].astype(object)
    if _is_value(node):
        assert isinstance(node, ast.Constant)
        return np.array([node.value], dtype=object)
    return np.atleast_1d(np.asarray(_number(node, columns), dtype=np.float64))


def _alike(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _number(node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> Any:
    match node:
        case ast.Name(id=name):
            column = columns[name]
            if column.dtype.kind not in "iuf":  # powers of Python's integers could take forever
                raise TypeError(name)
            return column.astype(np.float64)
        case ast.Constant(value=int() | float() as value):
            return np.float64(value) if abs(value) < 2.0**1023 else np.float64(np.inf)
        case ast.UnaryOp(operand=operand):
            return -_number(operand, columns)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(left, columns), _number(right, columns))
    raise AssertionError(node)  # `_is_number` rejects anything else
