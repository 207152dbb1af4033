"""Losses as texts: what is read, what is refused."""

from __future__ import annotations

import pytest

from hyperband.engine.losses import LOSSES, Loss, parse
from hyperband.errors import InputError


@pytest.mark.parametrize(
    ("text", "loss", "full"),
    [
        ("mse", Loss("mse"), "mse"),
        ("cross_entropy", Loss("cross_entropy"), "cross_entropy"),
        ("huber", Loss("huber", 1.0), "huber:1.0"),
        ("huber:1.5", Loss("huber", 1.5), "huber:1.5"),
        ("quantile", Loss("quantile", 0.5), "quantile:0.5"),
        ("quantile:.9", Loss("quantile", 0.9), "quantile:0.9"),
    ],
)
def test_a_text_becomes_a_loss_and_comes_back_in_full(text: str, loss: Loss, full: str) -> None:
    assert parse(text) == loss
    assert str(loss) == full and parse(full) == loss


def test_which_losses_are_regressions() -> None:
    assert [name for name in LOSSES if not parse(name).regression] == ["cross_entropy", "logistic"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hinge", "must be one of cross_entropy, logistic, mse, huber, quantile; got 'hinge'"),
        ("", "got ''"),
        (None, "got None"),
        ("mse:1", "'mse' has no number; got 'mse:1'"),
        ("huber:", "delta of `loss` 'huber' must be a number greater than 0, as in huber:1.0; got 'huber:'"),
        ("huber:0", "greater than 0"),
        ("huber:-1", "greater than 0"),
        ("huber:inf", "greater than 0"),
        ("huber:nan", "greater than 0"),
        ("quantile:1", "level of `loss` 'quantile' must be a number between 0 and 1, as in quantile:0.5"),
        ("quantile:0", "between 0 and 1"),
        ("quantile:a", "got 'quantile:a'"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(text)
    assert message in str(raised.value)
