"""Keyed draws: published values, and numbers that depend on their key alone."""

from __future__ import annotations

import numpy as np
import pytest

from hyperband._common.philox import CONFIGURATION, NEIGHBOUR, member_seed, mix, philox, uniform


@pytest.mark.parametrize(
    ("seed", "counter", "words"),
    [  # known answers of the authors' distribution (Random123, kat_vectors); the key's low word is the seed's
        (0, (0, 0, 0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (2**64 - 1, (2**32 - 1,) * 4, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            0x299F31D0A4093822,
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_words(seed, counter, words):
    assert " ".join(f"{int(w):08x}" for w in philox(seed, *counter)) == words


def test_splitmix_gives_the_published_words():
    state, golden = 1234567, 0x9E3779B97F4A7C15
    words = [mix((state + i * golden) % 2**64) for i in range(1, 4)]
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_row_belongs_to_its_trial_and_attempt():
    whole = uniform(7, CONFIGURATION, range(20_000), 5)
    assert np.array_equal(uniform(7, CONFIGURATION, [12_345], 5)[0], whole[12_345])
    assert np.array_equal(uniform(7, CONFIGURATION, [3, 4], 3), whole[[3, 4], :3])
    mixed = uniform(7, CONFIGURATION, [3, 3, 3], 5, np.array([0, 1, 2]))
    assert np.array_equal(mixed[0], whole[3])
    assert np.array_equal(mixed[2], uniform(7, CONFIGURATION, [3], 5, 2)[0])
    assert len(np.unique(mixed)) == 15


def test_keys_never_meet():
    draws = [
        uniform(seed, purpose, [trial], 4, attempt)
        for seed in (0, 1, 2**32, 2**63)
        for purpose in (CONFIGURATION, NEIGHBOUR)
        for trial in (0, 1, 2**32, 2**47)
        for attempt in (0, 1)
    ]
    assert len(np.unique(np.concatenate(draws))) == 4 * len(draws)


def test_numbers_are_uniform():
    u = uniform(11, CONFIGURATION, range(50_000), 4)
    assert u.min() >= 0.0 and u.max() < 1.0
    counts = np.histogram(u, bins=20, range=(0, 1))[0]
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 44  # chi-squared, 19 degrees of freedom: p = 0.001
    assert abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.02


def test_seeds_of_members_differ():
    seeds = {member_seed(seed, trial) for seed in range(20) for trial in range(500)}
    assert len(seeds) == 10_000 and max(seeds) < 2**64
