"""Keyed randomness of the search: a draw depends on its key, never on who asked first or how many at a time.

SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", with Stafford's mix 13) as a
counter-based generator: word ``i`` of a stream is ``mix(start + (i + 1) * GOLDEN)``, and the start of a stream is a hash
of its key.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_M1, _M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

#: What a draw is for; streams of different purposes never meet.
CONFIGURATION, NEIGHBOUR, MEMBER = 1, 2, 3


def mix(x: int) -> int:
    """Stafford's mix 13, a bijection of 64-bit numbers in which every input bit moves every output bit."""
    x = ((x ^ (x >> 30)) * _M1) & _MASK
    x = ((x ^ (x >> 27)) * _M2) & _MASK
    return x ^ (x >> 31)


def _stream(*key: int) -> int:
    state = 0
    for word in key:
        state = mix((state + word + 1) * _GOLDEN & _MASK)
    return state


def member_seed(seed: int, trial: int) -> int:
    """Seed of the network of one trial, in [0, 2**64).

    Examples
    --------
    >>> member_seed(0, 1) == member_seed(0, 1) != member_seed(0, 2)
    True
    """
    return _stream(seed & _MASK, MEMBER, trial)


def uniform(seed: int, purpose: int, trials: Sequence[int], n: int, attempt: int = 0) -> NDArray[np.float64]:
    """Numbers in [0, 1), shape ``(len(trials), n)``; row i depends on (seed, purpose, trials[i], attempt) alone.

    Parameters
    ----------
    seed : int
    purpose : int, one of `CONFIGURATION`, `NEIGHBOUR`
    trials : sequence of int
    n : int, numbers a trial
    attempt : int, which draw of this trial, when earlier ones were rejected

    Examples
    --------
    >>> all(uniform(0, 1, [4, 5], 3)[1] == uniform(0, 1, [5], 3)[0])
    True
    """
    with np.errstate(over="ignore"):
        ids = np.asarray(trials, dtype=np.uint64).reshape(-1, 1)
        start = _mix(ids * np.uint64(_GOLDEN) + np.uint64(_stream(seed & _MASK, purpose, attempt)))
        counters = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        words = _mix(start + counters)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_M1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_M2)
    return x ^ (x >> np.uint64(31))
