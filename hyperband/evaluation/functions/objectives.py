"""The kinds of objective: their signatures tell, before anything is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any

from hyperband.errors import InputError


class Kind(Enum):
    """How an objective gets from one rung to the next."""

    RESTARTS = "(configuration, resource)"  #: every call starts from zero
    CONTINUES = "(configuration, resource, state)"  #: continues from the state that it returned
    YIELDS = "(configuration), a generator"  #: the paused generator is the state

    @property
    def continues(self) -> bool:
        """Whether a promoted trial pays only for the resource that is added."""
        return self is not Kind.RESTARTS


def kind_of(objective: Callable[..., Any]) -> Kind:
    """The kind of an objective.

    A generator function of one argument yields. Of the others, a third parameter without a default, or one named
    ``state`` or ``states``, makes an objective that continues.

    Raises
    ------
    InputError
        When ``objective`` fits none of the kinds.

    Examples
    --------
    >>> kind_of(lambda configuration, resource: 0.0)
    <Kind.RESTARTS: '(configuration, resource)'>
    >>> kind_of(lambda configuration, resource, state: 0.0).continues
    True
    """
    if not callable(objective):
        raise InputError(f"`objective` must be a function of (configuration, resource); got {objective!r}.")
    if _is(inspect.iscoroutinefunction, objective) or _is(inspect.isasyncgenfunction, objective):
        raise InputError(
            f"`objective` must be an ordinary function or generator; got the async function {objective!r}. "
            "Pass a function that runs it: lambda c, r: asyncio.run(objective(c, r))."
        )
    try:
        signature = inspect.signature(objective)
    except (TypeError, ValueError):  # some compiled functions have no signature
        return Kind.RESTARTS
    if _is(inspect.isgeneratorfunction, objective):
        _bind(signature, 1, "`objective`, a generator, must take (configuration) alone")
        return Kind.YIELDS
    positional = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    third = positional[2] if len(positional) > 2 else None
    stateful = third is not None and (third.default is third.empty or third.name in ("state", "states"))
    rule = (
        "`objective` must take (configuration, resource) or (configuration, resource, state), "
        "or be a generator of (configuration)"
    )
    _bind(signature, 3 if stateful else 2, rule)
    return Kind.CONTINUES if stateful else Kind.RESTARTS


def _is(test: Callable[[Any], bool], objective: Any) -> bool:
    """Of the function itself, or of an object's ``__call__``."""
    return test(objective) or test(type(objective).__call__)


def _bind(signature: inspect.Signature, n: int, rule: str) -> None:
    try:
        signature.bind(*range(n))
    except TypeError:
        raise InputError(f"{rule}; got the parameters {signature}.") from None
