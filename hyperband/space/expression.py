"""Constraints in words. Only comparisons and arithmetic are understood, so a text from a file can do no harm."""

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

#: Longest text, in characters: far from the depth at which Python's parser gives up.
LONGEST = 1000
#: Texts, which may hold anything, and names in backticks.
_QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|`([^`]+)`""")


@dataclass(frozen=True, slots=True)
class Expression:
    """A constraint in words: comparisons of parameters and numbers with + - * / **, joined by ``and``, ``or``, ``not``.

    ``==`` and ``!=`` also compare with texts, True, False and None. Numbers are compared as float64. In a `Space` a
    constraint holds wherever a parameter that it names is switched off. Names of nested parameters are written
    ``kind.cnn.width`` and ``layers[0].width``; any name may stand in backticks.

    Raises
    ------
    InputError
        When the text is anything else.

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
            raise self._refused()
        object.__setattr__(self, "_tree", tree)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that it speaks of."""
        return tuple(sorted({node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}))

    def inside(self, nest: str) -> str:
        """The text for a space in which the parameters stand below this name."""
        return ast.unparse(_Renamed(lambda name: quoted(f"{nest}.{name}")).visit(_parsed(self.text.strip())))

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Truth by row, shape (n,).

        Raises
        ------
        InputError
            When it computes with, or orders, values that are not numbers.
        """
        n = len(next(iter(columns.values()))) if columns else 1
        with np.errstate(all="ignore"):  # a division by zero is an infinity, which compares as one
            try:
                return np.array(np.broadcast_to(_truth(self._tree, columns), (n,)))
            except TypeError:
                raise InputError(
                    f"A constraint may compute with and order numbers only; {self.text!r} meets other values. "
                    "Compare texts with == and !=."
                ) from None

    def _refused(self) -> InputError:
        return InputError(
            "A constraint must compare parameters and numbers with < <= > >= == !=, computed with + - * / **, "
            f"joined by and, or, not; got {self.text!r}. Use a function for anything else."
        )


def quoted(name: str) -> str:
    """A name as a constraint may always write it.

    Raises
    ------
    InputError
        When it holds a backtick.

    Examples
    --------
    >>> Expression(f"{quoted('learning rate')} < 1").names
    ('learning rate',)
    """
    if "`" in name:
        raise InputError(f"Names in constraints must hold no backtick; got {name!r}. Rename the parameter.")
    return f"`{name}`"


def _parsed(text: str) -> ast.expr:
    """The tree of a text, each parameter one `ast.Name`, whatever its name."""
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
    def __init__(self, rename: Callable[[str], str]) -> None:
        self._rename = rename

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._rename(node.id), ast.Load())


class _Joined(ast.NodeTransformer):
    """``layers[0].width`` as one name."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        owner = self.visit(node.value)
        return ast.Name(f"{owner.id}.{node.attr}", ast.Load()) if isinstance(owner, ast.Name) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        owner, place = self.visit(node.value), node.slice
        if isinstance(owner, ast.Name) and isinstance(place, ast.Constant) and type(place.value) is int:
            return ast.Name(f"{owner.id}.{place.value}", ast.Load())
        return node


def _is_truth(node: ast.expr) -> bool:
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
    raise AssertionError(node)  # `_is_truth` let nothing else through


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
    """Where a column holds a text, a truth value or None."""
    assert isinstance(value, ast.Constant)  # `_is_value` let nothing else through
    wanted = value.value
    if isinstance(wanted, bool):
        return np.array([x is wanted for x in column.tolist()], dtype=np.bool_)
    return np.array([x == wanted for x in column.tolist()], dtype=np.bool_)


def _raw(node: ast.expr, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """A side of == as it is: texts and truth values stay what they are."""
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
            if column.dtype.kind not in "iuf":  # Python's own numbers have powers that never end
                raise TypeError(name)
            return column.astype(np.float64)
        case ast.Constant(value=int() | float() as value):
            return np.float64(value) if abs(value) < 2.0**1023 else np.float64(np.inf)
        case ast.UnaryOp(operand=operand):
            return -_number(operand, columns)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_number(left, columns), _number(right, columns))
    raise AssertionError(node)  # `_is_number` let nothing else through
