"""Numbers of things as people say them."""

from __future__ import annotations


def counted(n: int, word: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "network"), counted(12, "network")
    ('1 network', '12 networks')
    """
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
