"""Keyed randomness of the search: a draw depends on its key, never on who asked first or how many at a time.

Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), stateless: the key is
the seed, the counter says which number of which trial is meant. The networks' own seeds are SplitMix64 hashes (Steele,
Lea, Flood 2014, "Fast splittable pseudorandom number generators") of seed and trial.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

U64 = NDArray[np.uint64]

#: What a draw is for; numbers of different purposes never meet.
CONFIGURATION, NEIGHBOUR, MEMBER = 1, 2, 3
#: Those of the samplers that learn or have priors: which way a trial is drawn, and the draw.
SOURCE, DENSITY, EVOLUTION, PRIOR, INCUMBENT, SCRAMBLE = 16, 17, 18, 19, 20, 21
EXPLORE = 22
#: Of the table: frequencies and phases of the view "fourier".
FOURIER = 32
#: Of the rows that a model predicts: the order of a shuffled column, and the group of a row.
COLUMN_SHUFFLE, ROW_GROUP = 33, 34

_LOW = 0xFFFFFFFF
_MASK = 2**64 - 1
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
#: Counters worked on at a time, so that the arrays of a round stay in the cache.
_CACHED = 16384


def philox(seed: int, c0: ArrayLike, c1: ArrayLike, c2: ArrayLike, c3: ArrayLike) -> tuple[U64, U64, U64, U64]:
    """Four words of Philox 4x32-10 at each counter.

    Parameters
    ----------
    seed : int in [0, 2**64), split into the two key words, low word first
    c0, c1, c2, c3 : arrays of values below 2**32, broadcast against one another

    Returns
    -------
    tuple of four uint64 arrays of the broadcast shape, values below 2**32

    Examples
    --------
    >>> [hex(int(w)) for w in philox(0, 0, 0, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    counters = np.broadcast_arrays(*(np.asarray(v, dtype=np.uint64) for v in (c0, c1, c2, c3)))
    a, b, c, d = (v.copy() for v in counters)
    p, q = np.empty_like(a), np.empty_like(c)
    k0, k1 = seed & _LOW, seed >> 32 & _LOW
    low, half = np.uint64(_LOW), np.uint64(32)
    for _ in range(10):  # in place: three times faster than with a new array for every step
        np.multiply(a, _MULTIPLIERS[0], out=p)
        np.multiply(c, _MULTIPLIERS[1], out=q)
        np.right_shift(q, half, out=a)
        np.right_shift(p, half, out=c)
        b ^= np.uint64(k0)
        a ^= b
        d ^= np.uint64(k1)
        c ^= d
        np.bitwise_and(q, low, out=b)
        np.bitwise_and(p, low, out=d)
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return a, b, c, d


def uniform(
    seed: int, purpose: int, trials: Sequence[int] | NDArray[np.int64], n: int, attempt: int | NDArray[np.int64] = 0
) -> NDArray[np.float64]:
    """Numbers in [0, 1), shape ``(len(trials), n)``; row i depends on (seed, purpose, trials[i], attempt) alone.

    Parameters
    ----------
    seed : int >= 0, taken modulo 2**64
    purpose : int in [0, 2**16), such as `CONFIGURATION`, `NEIGHBOUR`
    trials : sequence of int in [0, 2**48)
    n : int, numbers a trial
    attempt : int in [0, 2**32), or one for each trial
        Which draw of this trial, when earlier ones were rejected.

    Notes
    -----
    Numbers ``2 b`` and ``2 b + 1`` come from the counter
    ``(b, attempt, trial mod 2**32, purpose << 16 | trial >> 32)``: 53 bits each, of the words 0 and 1, and 2 and 3.

    Examples
    --------
    >>> all(uniform(0, 1, [4, 5], 3)[1] == uniform(0, 1, [5], 3)[0])
    True
    """
    if isinstance(trials, range):  # read one by one it takes a sixth of the time of all
        trials = np.arange(trials.start, trials.stop, trials.step)
    ids = np.asarray(trials, dtype=np.uint64).ravel()
    tries = np.broadcast_to(np.asarray(attempt, dtype=np.uint64), ids.shape)
    blocks = np.arange((n + 1) // 2, dtype=np.uint64).reshape(-1, 1)
    # Number by number, not trial by trial: whoever decodes a column finds it in one piece.
    out = np.empty((2 * len(blocks), len(ids)))
    at_once = max(1, _CACHED // max(1, len(blocks)))
    for start in range(0, len(ids), at_once):
        part = slice(start, start + at_once)
        last = np.uint64(purpose << 16) | (ids[part] >> np.uint64(32))
        w0, w1, w2, w3 = philox(seed & _MASK, blocks, tries[part], ids[part] & np.uint64(_LOW), last)
        out[0::2, part] = _fraction(w0, w1)
        out[1::2, part] = _fraction(w2, w3)
    return out[:n].T


def _fraction(high: U64, low: U64) -> NDArray[np.float64]:
    """53 of 64 bits as a number in [0, 1); both words are used up."""
    high <<= np.uint64(21)
    low >>= np.uint64(11)
    high |= low
    fraction: NDArray[np.float64] = np.multiply(high, 2.0**-53)
    return fraction


def mix(x: int) -> int:
    """SplitMix64's output function (Stafford's mix 13): a bijection of 64-bit numbers; every input bit moves all."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def member_seed(seed: int, trial: int) -> int:
    """Seed of the network of one trial, in [0, 2**64).

    Examples
    --------
    >>> member_seed(0, 1) == member_seed(0, 1) != member_seed(0, 2)
    True
    """
    state = 0
    for word in (seed & _MASK, MEMBER, trial):
        state = mix((state + word + 1) * 0x9E3779B97F4A7C15 & _MASK)
    return state
