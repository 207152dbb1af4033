"""Checks of arguments: what counts as a number, a whole number, a fraction; every error names rule and value."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from hyperband._common.checks import as_float, exact, fraction, plain, positive, whole_number
from hyperband.errors import InputError

NO_NUMBERS = [True, "3", b"3", None, [3], math.nan, math.inf, -math.inf, 1j]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, Fraction(1, 10)),
        (np.float32(0.5), Fraction(1, 2)),
        (Decimal("0.1"), Fraction(1, 10)),
        (Fraction(2, 3), Fraction(2, 3)),
        (2**80, Fraction(2**80)),
        (np.int64(2**62), Fraction(2**62)),
    ],
)
def test_exact_numbers(value, expected):
    assert exact(value, "x") == expected
    assert exact(value, "x") ** 2 == expected**2, "NumPy's integers would overflow here"


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("check", [exact, whole_number, fraction, positive])
def test_what_is_no_number_is_an_error_that_names_it(check, value):
    with pytest.raises(InputError, match=r"^`x` must .*; got ") as caught:
        check(value, "x")
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float64(3.0), Fraction(3), Decimal(3)])
def test_whole_numbers_of_any_type_become_int(value):
    assert whole_number(value, "n") == 3 and type(whole_number(value, "n")) is int


@pytest.mark.parametrize(("value", "low"), [(2.5, 1), (0, 1), (-1, 0), (1, 2)])
def test_other_numbers_are_no_whole_numbers(value, low):
    with pytest.raises(InputError, match=f"`n` must be a whole number of at least {low}; got {value}"):
        whole_number(value, "n", low)


def test_fractions_and_positive_numbers():
    assert [fraction(v, "f") for v in (0, 0.5, 1)] == [0.0, 0.5, 1.0]
    for value in (-0.1, 1.1):
        with pytest.raises(InputError, match=r"must lie in \[0, 1\]"):
            fraction(value, "f")
    for value in (0, 1):
        with pytest.raises(InputError, match=r"must lie in \(0, 1\)"):
            fraction(value, "f", open_=True)
    assert positive(np.int64(2), "p") == 2.0
    with pytest.raises(InputError, match="finite number greater than 1; got 1"):
        positive(1, "p", above=1.0)


def test_rationals_for_jobs_are_ints_where_they_are_whole():
    assert (type(plain(Fraction(4, 2))), type(plain(Fraction(1, 2)))) == (int, Fraction)
    assert (type(as_float(Fraction(4, 2))), as_float(Fraction(1, 3))) == (int, 1 / 3)
