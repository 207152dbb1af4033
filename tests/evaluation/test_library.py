"""The library of candidates: who is kept is a function of the set of offers, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.errors import InputError
from hyperband.evaluation.networks.ensemble import single_key
from hyperband.evaluation.networks.library import MOMENTS, CandidateLibrary, TrainedNetwork
from hyperband.metrics import metric, probabilities

ROWS, ACCURACY = 40, metric("accuracy", "classification")


@dataclass
class Offer:
    trial: int
    resource: float
    outputs: np.ndarray
    width: int

    def networks(self):
        layer = (np.full((self.width, 1), self.trial, np.float32), np.zeros(1, np.float32))
        return [TrainedNetwork(Architecture(widths=[]), [layer])]


def offers(n_trials, moments, seed=0, same=False):
    """Every trial at several moments, later ones mostly better, some no better than the one before."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=ROWS)
    found = []
    for trial in range(n_trials):
        width, worth = int(rng.integers(1, 60)), rng.normal()
        for moment in range(1, 1 + int(rng.integers(1, moments + 1))):
            z = rng.normal(size=(ROWS, 1)) + (2 * y[:, None] - 1) * (0.4 + worth + 0.1 * moment)
            z = np.round(z) if same else z
            z = found[-1].outputs if moment > 1 and rng.uniform() < 0.3 else z
            found.append(Offer(trial, 3.0**moment, z.astype(np.float32), width))
    return y, found


def library(y, some, by=ACCURACY, **limits):
    made = CandidateLibrary(y, None, "logistic", by, **limits)
    for offer in some:
        made.offer(offer.trial, offer.resource, offer.outputs, offer.networks)
    return made


def kept(made):
    return [candidate.rank for candidate in made.candidates]


def by_definition(y, some, by, most, memory):
    """Who may stay, from the set of all offers at once."""
    rank = {
        id(o): (*single_key(probabilities(o.outputs).astype(np.float32), y, by, None), o.trial, o.resource)
        for o in some
    }
    ordered, left = sorted(some, key=lambda o: rank[id(o)]), []
    for offer in ordered:
        if any(o.trial == offer.trial and rank[id(o)][:2] == rank[id(offer)][:2] for o in left):
            continue
        if sum(o.trial == offer.trial for o in left) < MOMENTS:
            left.append(offer)
    stay, taken = [], 0
    for number, offer in enumerate(left):
        taken += offer.outputs.nbytes * 2 + 4 * (offer.width + 1)
        if number and (number >= most or taken > memory):
            break
        stay.append(rank[id(offer)])
    return stay


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("by", ["accuracy", "log_loss", "f1"])
@pytest.mark.parametrize(
    ("most", "memory"), [(200, 1 << 30), (7, 1 << 30), (1, 1 << 30), (200, 4000), (200, 500), (200, 1), (9, 5000)]
)
def test_any_order_of_offers(most, memory, by, same):
    by = metric(by, "classification")
    y, some = offers(25, 7, same=same)
    expected = by_definition(y, some, by, most, memory)
    reference = library(y, some, by, most=most, memory=memory)
    assert kept(reference) == expected
    rng = np.random.default_rng(1)
    for _ in range(8):
        shuffled = library(y, [some[i] for i in rng.permutation(len(some))], by, most=most, memory=memory)
        assert kept(shuffled) == expected
        one, other = reference.ensemble(), shuffled.ensemble()
        assert (one.weights, one.score, one.path) == (other.weights, other.score, other.path)
        assert np.array_equal(one.prediction, other.prediction)
        assert [c.networks[0].weights[0][0][0, 0] for c in other.candidates] == [c.trial for c in other.candidates]


def test_asking_in_between_changes_nothing():
    y, some = offers(20, 5)
    quiet, asked = library(y, some, most=12), CandidateLibrary(y, None, "logistic", ACCURACY, most=12)
    for offer in some:
        asked.offer(offer.trial, offer.resource, offer.outputs, offer.networks)
        asked.ensemble()
    assert asked.ensemble().path == quiet.ensemble().path


def test_weights_are_exported_only_when_wanted():
    y, some = offers(60, 1)
    exported = []
    made = CandidateLibrary(y, None, "logistic", ACCURACY, most=5)
    some.sort(key=lambda o: single_key(probabilities(o.outputs).astype(np.float32), y, ACCURACY, None))
    for offer in some:
        taken = made.offer(
            offer.trial, offer.resource, offer.outputs, lambda o=offer: exported.append(o.trial) or o.networks()
        )
        assert taken == (len(exported) <= 5 and exported[-1] == offer.trial)
    assert exported == [offer.trial for offer in some[:5]]
    assert made.offer(some[0].trial, some[0].resource, some[0].outputs, some[0].networks) is False  # a second time
    assert len(made) == 5


def test_moments_of_one_trial_do_not_crowd_out_others():
    y, _ = offers(1, 1)
    good = (4.0 * y[:, None] - 2.0).astype(np.float32)
    some = [Offer(0, float(k), good * (1 + 0.01 * k), 3) for k in range(1, 30)] + [Offer(1, 1.0, good * 0.1, 3)]
    made = library(y, some, most=MOMENTS + 1)
    assert [candidate.trial for candidate in made.candidates] == [0] * MOMENTS + [1]
    assert [candidate.resource for candidate in made.candidates][:MOMENTS] == [29.0, 28.0, 27.0, 26.0]


def test_a_moment_without_better_weights_is_no_new_candidate():
    y, some = offers(4, 1)
    first = some[0]
    made = library(y, some)
    assert made.offer(first.trial, 81.0, first.outputs, first.networks) is False
    assert made.offer(first.trial, 1.0, first.outputs, first.networks) is True
    assert len(made) == 4
    assert 1.0 in [candidate.resource for candidate in made.candidates if candidate.trial == first.trial]


def test_diverged_networks_are_not_taken_in():
    y, some = offers(3, 1)
    made = library(y, [])
    assert made.ensemble() is None
    assert made.offer(9, 1.0, np.full((ROWS, 1), np.nan, np.float32), some[0].networks) is False
    assert made.ensemble() is None
    made.offer(0, 1.0, some[0].outputs, some[0].networks)
    assert made.ensemble().single == made.ensemble().score


def test_the_ensemble_says_what_it_is():
    y, some = offers(30, 3)
    made = library(y, some)
    chosen = made.ensemble()
    assert sum(chosen.weights) == pytest.approx(1.0)
    mean = sum(w * c.prediction.astype(float) for c, w in zip(chosen.candidates, chosen.weights))
    assert np.array_equal(mean, chosen.prediction)
    assert chosen.score == pytest.approx(ACCURACY.score(y, mean))
    assert chosen.single == made.candidates[0].score == ACCURACY.score(y, made.candidates[0].prediction.astype(float))
    assert [c.trial for c in made.ensemble(1).candidates] == [made.candidates[0].trial]
    assert made.ensemble() is chosen  # nothing came in since
    cross = made.cross_prediction()
    assert cross.shape == (ROWS, 2)
    log_loss = metric("log_loss", "classification")  # by ensembles of other rows it is not as good
    assert log_loss.score(y, cross) > log_loss.score(y, chosen.prediction)
    assert library(y, []).cross_prediction() is None


def test_regression_in_original_units_and_limits():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(ROWS, 1))
    rmse = metric("rmse", "regression").of_standardised([10.0], [5.0])
    made = CandidateLibrary(y, None, "mse", rmse, limits=([-1.5], [1.5]))
    wild = (y + 0.1).astype(np.float32)
    wild[0] = 1e6
    for trial, outputs in enumerate([wild, (y + 0.3).astype(np.float32)]):
        made.offer(trial, 1.0, outputs, lambda: [TrainedNetwork(Architecture(widths=[]), [])])
    assert [c.trial for c in made.candidates] == [0, 1]
    expected = 5 * np.sqrt(((np.clip(wild, -1.5, 1.5) - y) ** 2).mean())
    assert made.candidates[0].score == pytest.approx(expected, rel=1e-6)


def test_several_classes_and_weights():
    rng = np.random.default_rng(0)
    y, w = rng.integers(3, size=ROWS), rng.uniform(size=ROWS).astype(np.float32)
    made = CandidateLibrary(y, w, "cross_entropy", metric("log_loss", "classification"))
    outputs = [rng.normal(size=(ROWS, 3)).astype(np.float32) + np.eye(3, dtype=np.float32)[y] for _ in range(8)]
    for trial, z in enumerate(outputs):
        made.offer(trial, 1.0, z, lambda: [TrainedNetwork(Architecture(widths=[]), [])] * 3)  # of three folds
    chosen = made.ensemble()
    assert chosen.score <= chosen.single
    assert all(len(c.networks) == 3 for c in chosen.candidates)
    losses = [metric("log_loss", "classification").score(y, probabilities(z), w.astype(float)) for z in outputs]
    assert made.candidates[0].trial == int(np.argmin(losses))


def test_bad_input():
    y, some = offers(1, 1)
    with pytest.raises(InputError, match="must suit the loss 'mse'"):
        CandidateLibrary(y, None, "mse", ACCURACY)
    with pytest.raises(InputError, match="must suit the loss 'logistic'"):
        CandidateLibrary(y, None, "logistic", metric("rmse", "regression"))
    for name in ("most", "memory"):
        with pytest.raises(InputError, match=f"`{name}` must be"):
            CandidateLibrary(y, None, "logistic", ACCURACY, **{name: 0})
    made = library(y, some)
    for outputs in (np.zeros((ROWS - 1, 1), np.float32), np.zeros(ROWS, np.float32)):
        with pytest.raises(InputError, match=f"must have {ROWS} rows"):
            made.offer(5, 1.0, outputs, some[0].networks)
    with pytest.raises(InputError, match="columns"):
        made.offer(5, 1.0, np.zeros((ROWS, 3), np.float32), some[0].networks)
    assert len(made) == 1
