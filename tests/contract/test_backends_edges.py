"""Small and odd problems, diverging members, growing resources, snapshots, and what a backend must refuse."""

from __future__ import annotations

import lab
import numpy as np
import pytest
import tolerances

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import LOSSES, Backend, EngineSettings, Member, Split
from hyperband.errors import InputError, InsufficientMemory

TANH = Architecture(widths=[6], activation="tanh", optimizer="sgd", learning_rate=0.1, batch_size=8)
EXPLOSIVE = Architecture(widths=[16], activation="relu", optimizer="sgd", learning_rate=1e6, batch_size=4)


@pytest.mark.parametrize("inputs", [1, 9, 512])
def test_outputs_do_not_depend_on_the_rows_beside(backend: Backend, inputs: int) -> None:
    made = lab.engine(backend, inputs=inputs, threads=3)
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, 5)
    x = lab.split("cross_entropy", 300, inputs, seed=7).x
    for member in ids.tolist():
        whole = made.predict(member, x)
        parts = [
            made.predict(member, x[begin:end]) for begin, end in ((0, 1), (1, 64), (64, 65), (65, 299), (299, 300))
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert made.predict(int(ids[0]), x[:0]).shape == (0, 4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (150, 8), (199, 3)])
def test_one_number_that_is_not_finite_is_found(backend: Backend, value: float, place: tuple[int, int]) -> None:
    made = lab.engine(backend, threads=2)
    member = int(made.add(lab.members(lab.MIXED[:1]))[0])
    x = lab.split("cross_entropy", 200).x.copy()
    x[place] = value
    with pytest.raises(InputError, match="x must be finite"):
        made.predict(member, x)
    x[place] = np.finfo(np.float32).max
    made.predict(member, x)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_row_and_one_column(backend: Backend, loss: str) -> None:
    made = lab.engine(backend, loss, rows=1, inputs=1)
    ids = made.add([Member(Architecture(widths=[], optimizer="sgd", learning_rate=0.1), 3, 5), Member(TANH, 4, 5)])
    before = made.evaluate(ids, lab.split(loss, 1, 1))[0]
    lab.train(made, ids, 5)
    assert made.progress(ids).epoch.tolist() == [5, 5]
    assert (made.evaluate(ids, lab.split(loss, 1, 1))[0] < before).all()


def test_a_batch_larger_than_the_rows_is_one_step_an_epoch(backend: Backend) -> None:
    made = lab.engine(backend, rows=10)
    ids = made.add([Member(Architecture(widths=[4], batch_size=4096), 1, 3)])
    lab.train(made, ids, 3)
    assert made.progress(ids).epoch.tolist() == [3]


def test_the_last_short_batch_is_trained(backend: Backend) -> None:
    """53 rows in batches of 16: four steps an epoch; the fourth moves the weights."""
    made = lab.engine(backend)
    ids = made.add([Member(Architecture(widths=[4], batch_size=16, optimizer="sgd", learning_rate=0.1), 1, 8)])
    lab.train(made, ids, 3)
    before = made.export_state(int(ids[0]))
    assert made.progress(ids).epoch[0] == 0
    lab.train(made, ids, 4)
    assert made.progress(ids).epoch[0] == 1
    assert not np.array_equal(made.export_state(int(ids[0]))["weights.0"], before["weights.0"])


def test_a_class_that_is_absent(backend: Backend) -> None:
    data = lab.split("cross_entropy", 20)
    only = Split(data.x, np.full(20, 2, np.int32))
    made = backend.engine(only, data, "cross_entropy", 4, EngineSettings(threads=1))
    ids = made.add([Member(TANH, 1, 60)])
    lab.train(made, ids, 60)
    assert (made.predict(int(ids[0]), data.x).argmax(axis=1) == 2).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_diverging_member_stops_alone(backend: Backend, loss: str) -> None:
    made = lab.engine(backend, loss)
    wild = Architecture(widths=[16] * 3, activation="identity", optimizer="sgd", learning_rate=1e6, batch_size=4)
    ids = made.add([Member(TANH, 1, 400), Member(wild, 1, 400)])
    assert lab.train(made, ids, 400).all()
    p = made.progress(ids)
    assert p.diverged.tolist() == [False, True]
    assert np.isfinite(p.loss[0]) and np.isnan(p.loss[1])
    assert p.step[0] == 400 and p.step[1] < 400
    assert not np.isnan(p.best_loss[1])
    before = lab.digest(made, ids[1])
    assert lab.train(made, ids, 401).all(), "a diverged member counts as arrived"
    assert lab.digest(made, ids[1]) == before


def test_counters_before_the_first_step(backend: Backend) -> None:
    made = lab.engine(backend)
    p = made.progress(made.add([Member(TANH, 1, 4)]))
    assert (p.step[0], p.epoch[0], p.best_step[0], p.best_loss[0]) == (0, 0, -1, np.inf)
    assert np.isnan([p.loss[0], p.error[0], p.best_error[0], p.train_loss[0]]).all()
    assert not p.diverged[0]


def test_train_loss_is_the_mean_over_the_epoch(backend: Backend) -> None:
    """With a vanishing rate the weights stand still, so the epoch's mean is the loss on the training rows."""
    still = Architecture(widths=[5], activation="tanh", optimizer="sgd", learning_rate=1e-12, batch_size=7)
    made = lab.engine(backend, weighted=True)
    ids = made.add([Member(still, 1, 8)])
    lab.train(made, ids, 8)
    expected = made.evaluate(ids, lab.split("cross_entropy", 53, weighted=True))[0]
    assert made.progress(ids).train_loss == pytest.approx(expected, rel=1e-5)


def test_the_snapshot_is_the_best_of_the_validation_curve(backend: Backend) -> None:
    overfit = Architecture(
        widths=[32], activation="tanh", optimizer="sgd", learning_rate=1.5, momentum=0.9, batch_size=8
    )
    made = lab.engine(backend)
    ids = made.add([Member(overfit, 1, 140)])
    curve, weights = {}, {}
    for step in range(7, 141, 7):
        lab.train(made, ids, step)
        curve[step] = made.progress(ids).loss[0]
        weights[step] = lab.flat(lab.layers(made.export_state(int(ids[0]))))
    best = min(curve, key=lambda step: curve[step])
    p = made.progress(ids)
    assert best < 140, "the problem must overfit for this test to mean something"
    assert (p.best_step[0], p.best_loss[0]) == (best, curve[best])
    np.testing.assert_array_equal(lab.flat(lab.layers(made.export_state(int(ids[0])), "best.")), weights[best])
    held = lab.split("cross_entropy", 31, seed=1)
    assert made.evaluate(ids, held, weights="best")[0][0] == pytest.approx(curve[best], rel=1e-6)
    assert made.evaluate(ids, held)[0][0] == pytest.approx(curve[140], rel=1e-6)
    assert not np.array_equal(made.predict(int(ids[0]), held.x, weights="best"), made.predict(int(ids[0]), held.x))


def test_forget_best_lets_the_next_validation_win(backend: Backend) -> None:
    made = lab.engine(backend)
    ids = made.add([Member(TANH, 1, 40)])
    lab.train(made, ids, 21)
    made.forget_best(ids)
    p = made.progress(ids)
    assert (p.best_step[0], p.best_loss[0]) == (-1, np.inf) and np.isnan(p.best_error[0])
    assert not any(name.startswith("best.") for name in made.export_state(int(ids[0])))
    lab.train(made, ids, 22)
    assert made.progress(ids).best_step[0] == 22


def test_without_validation_nothing_is_judged(backend: Backend) -> None:
    made = lab.engine(backend, validation=False)
    ids = made.add([Member(TANH, 1, 20)])
    lab.train(made, ids, 20)
    p = made.progress(ids)
    assert np.isnan(p.loss[0]) and p.best_step[0] == -1 and np.isfinite(p.train_loss[0])


@pytest.mark.parametrize("loss", LOSSES)
def test_evaluate_predict_and_forward_agree(backend: Backend, loss: str) -> None:
    made = lab.engine(backend, loss)
    ids = made.add(lab.members(lab.MIXED))
    lab.train(made, ids, 9)
    held = lab.split(loss, 70, weighted=True, seed=3)
    losses, errors = made.evaluate(ids, held)
    w = held.weight.astype(float)
    for place, member in enumerate(ids.tolist()):
        z = made.predict(member, held.x)
        assert z.dtype == np.float32 and z.shape == (70, lab.N_OUTPUTS[loss])
        again = backend.forward(lab.MIXED[place], lab.layers(made.export_state(member)), held.x)
        assert lab.difference(again, z.astype(float)) < tolerances.OUTPUTS[backend.name]
        z = z.astype(float)
        if loss == "cross_entropy":
            rows = np.log(np.exp(z).sum(axis=1)) - z[np.arange(70), held.y]
            error = (z.argmax(axis=1) != held.y).mean()
        elif loss == "logistic":
            rows = np.log1p(np.exp(z[:, 0])) - held.y * z[:, 0]
            error = ((z[:, 0] > 0) != held.y).mean()
        else:
            rows = ((z - held.y) ** 2).mean(axis=1)
            error = rows.mean()
        assert losses[place] == pytest.approx((w * rows).sum() / w.sum(), rel=1e-5)
        assert errors[place] == pytest.approx(error, rel=1e-5)


def test_rows_and_inputs_grow(compared: Backend, reference: Backend) -> None:
    """Part of the rows, then of the columns, then all: counters exactly and weights closely as in the reference."""
    ends = []
    for backend in (reference, compared):
        made = lab.engine(backend)
        ids = made.add(
            [Member(TANH, 8, 40), Member(Architecture(widths=[5, 4], activation="tanh", weight_decay=0.1), 9)]
        )
        lab.train(made, ids, 4, rows=20, inputs=4)
        lab.train(made, ids, 9, rows=30, inputs=4)
        middle = [made.export_state(i) for i in ids.tolist()]
        outputs = [made.predict(i, lab.split("cross_entropy", 5).x) for i in ids.tolist()]
        lab.train(made, ids, 16)
        ends.append((middle, outputs, [made.export_state(i) for i in ids.tolist()]))
    expected, found = ends
    for which in (0, 2):
        for a, b in zip(expected[which], found[which], strict=True):
            np.testing.assert_array_equal(b["counters"][:5], a["counters"][:5])
            assert lab.difference(lab.flat(lab.layers(b)), lab.flat(lab.layers(a))) < tolerances.CURVE_WEIGHTS
    for a, b in zip(expected[1], found[1], strict=True):
        assert lab.difference(b, a.astype(float)) < tolerances.CURVE_WEIGHTS


def test_hidden_columns_are_not_seen(backend: Backend) -> None:
    """Rows beyond ``rows`` and columns beyond ``inputs`` may hold anything; weights of those columns stay as born."""
    data = lab.split("cross_entropy", 53)
    other = Split(data.x.copy(), data.y.copy())
    other.x[:, 5:] = 77.0
    other.x[30:] = -55.0
    decaying = Architecture(widths=[6], activation="tanh", weight_decay=0.3, clip_norm=0.5, batch_size=8)
    states = []
    for each in (data, other):
        made = backend.engine(each, None, "cross_entropy", 4, EngineSettings(threads=1))
        ids = made.add([Member(decaying, 8, 40)])
        born = made.export_state(int(ids[0]))["weights.0"]
        lab.train(made, ids, 9, rows=30, inputs=5)
        states.append(made.export_state(int(ids[0])))
    for name in states[0]:
        np.testing.assert_array_equal(states[0][name], states[1][name])
    np.testing.assert_array_equal(states[0]["weights.0"][5:], born[5:])
    assert (states[0]["weights.0"][:5] != born[:5]).all()


def test_released_members_are_gone_and_ids_are_not_reused(backend: Backend) -> None:
    made = lab.engine(backend)
    ids = made.add([Member(TANH, 1, 4), Member(TANH, 2, 4)])
    made.release(ids[:1])
    for call in (
        lambda: made.progress(ids),
        lambda: lab.train(made, ids, 1),
        lambda: made.export_state(int(ids[0])),
        lambda: made.release(ids[:1]),
    ):
        with pytest.raises(InputError):
            call()
    assert made.progress(ids[1:]).step.tolist() == [0]
    assert made.add([Member(TANH, 3, 4)])[0] not in ids.tolist()


def test_bytes_per_member_counts_what_is_stored(backend: Backend) -> None:
    made = lab.engine(backend)
    sizes = {o: made.bytes_per_member(Architecture(widths=[64], optimizer=o)) for o in ("sgd", "rmsprop", "adam")}
    assert 0 < sizes["sgd"] < sizes["rmsprop"] < sizes["adam"]
    assert sizes["adam"] >= 4 * 4 * Architecture(widths=[64]).n_parameters(9, 4)


def test_too_many_members_are_refused_before_anything_is_taken(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend.name.startswith("cuda"):
        pytest.skip("members lie in a device's memory: test_backends_cuda.py fills one")
    made = lab.engine(backend)
    monkeypatch.setattr("hyperband._common.memory.free_bytes", lambda: 1000)
    with pytest.raises(InsufficientMemory, match=r"needed [\d,]+ bytes .*free 1,000 bytes"):
        made.add([Member(Architecture(widths=[64]), 1, 4)])
    monkeypatch.undo()
    assert made.progress(made.add([Member(TANH, 1, 4)])).step.tolist() == [0]


def _broken(state: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    return {
        "an array is missing": {k: v for k, v in state.items() if k != "bias.0"},
        "a moment is missing": {k: v for k, v in state.items() if k != "m.weights.1"},
        "another shape": {**state, "weights.0": state["weights.0"][:, :-1].copy()},
        "no counters": {k: v for k, v in state.items() if k != "counters"},
        "a negative step": {**state, "counters": state["counters"] * np.array([-1, 1, 1, 1, 1, 1, 1])},
        "too many rows": {**state, "counters": state["counters"] + np.array([0, 0, 0, 1000, 0, 0, 0])},
        "too many inputs": {**state, "counters": state["counters"] + np.array([0, 0, 0, 0, 1000, 0, 0])},
        "a position beyond the epoch": {**state, "counters": state["counters"] + np.array([99, 0, 99, 0, 0, 0, 0])},
        "a snapshot is promised": {k: v for k, v in state.items() if not k.startswith("best.")},
    }


@pytest.mark.parametrize("fault", _broken({"weights.0": np.zeros((1, 1)), "counters": np.zeros(7, int)}))
def test_a_bad_state_is_refused_and_changes_nothing(backend: Backend, fault: str) -> None:
    made = lab.engine(backend)
    ids = made.add([Member(Architecture(widths=[6], batch_size=8), 1, 40)] * 2)
    lab.train(made, ids, 10)
    before = lab.digest(made, ids[1])
    with pytest.raises(InputError):
        made.import_state(int(ids[1]), _broken(dict(made.export_state(int(ids[0]))))[fault])
    assert lab.digest(made, ids[1]) == before


@pytest.mark.parametrize(
    "arguments",
    [{"rows": 0}, {"rows": 54}, {"inputs": 0}, {"inputs": 10}],
    ids=lambda a: "-".join(f"{k}{v}" for k, v in a.items()),
)
def test_impossible_resources_are_refused(backend: Backend, arguments: dict[str, int]) -> None:
    made = lab.engine(backend)
    ids = made.add([Member(TANH, 1, 4)])
    with pytest.raises(InputError):
        lab.train(made, ids, 1, **arguments)


def test_bad_problems_are_refused(backend: Backend) -> None:
    data = lab.split("cross_entropy", 10)
    for split, loss, n_outputs in (
        (data, "hinge", 4),
        (data, "cross_entropy", 3),
        (data, "logistic", 2),
        (Split(data.x, data.y - 1), "cross_entropy", 4),
        (Split(data.x, data.y[:-1]), "cross_entropy", 4),
        (Split(data.x, data.y.astype(np.float32)), "mse", 1),
        (Split(data.x[:0], data.y[:0]), "cross_entropy", 4),
    ):
        with pytest.raises(InputError):
            backend.engine(split, None, loss, n_outputs, EngineSettings(threads=1))
    made = lab.engine(backend)
    (member,) = made.add([Member(TANH, 1, 4)]).tolist()
    with pytest.raises(InputError):
        made.predict(member, np.zeros((3, 8), np.float32))
    with pytest.raises(InputError):
        made.add([Member(TANH, -1, 4)])
    with pytest.raises(InputError):
        made.add([Member(TANH, 1, 0)])


def test_describe_says_what_is_in_use(backend: Backend) -> None:
    words = backend.describe()
    assert words and all(isinstance(k, str) and isinstance(v, str) for k, v in words.items())


def test_data_crosses_once(backend: Backend) -> None:
    """What the caller does to its arrays afterwards does not show; read-only arrays are as good as others."""
    found = []
    for spoilt in (False, True):
        data = lab.split("cross_entropy", 53, weighted=True)
        for array in (data.x, data.y, data.weight):
            array.flags.writeable = spoilt
        made = backend.engine(data, data, "cross_entropy", 4, EngineSettings(threads=1))
        ids = made.add([Member(TANH, 1, 9)])
        if spoilt:
            data.x[...], data.y[...], data.weight[...] = 9.0, 0, 0.5
        lab.train(made, ids, 9)
        found.append(lab.digest(made, ids[0]))
    assert found[0] == found[1]
