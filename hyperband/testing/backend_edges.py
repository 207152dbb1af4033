"""Small and odd problems, diverging members, growing resources, and the agreement of all ways to compute outputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends import registry
from hyperband.engine.backends.base import Backend, Member, Split
from hyperband.engine.losses import LOSSES, parse
from hyperband.errors import InputError
from hyperband.testing import lab
from hyperband.testing.tolerances import FLOAT32, Tolerances

TANH = Architecture(widths=[6], activation="tanh", optimizer="sgd", learning_rate=0.1, batch_size=8)


def losses_of_rows(loss: str, z: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """The loss of each row and the error of all, from outputs, as on paper."""
    if loss == "cross_entropy":
        rows = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), y]
        return rows, float((z.argmax(axis=1) != y).mean())
    if loss == "logistic":
        return np.log1p(np.exp(z[:, 0])) - y * z[:, 0], float(((z[:, 0] > 0) != y).mean())
    e, of = z - y, parse(loss)
    squares = (e**2).mean(axis=1)
    if of.name == "huber":
        each = np.where(abs(e) <= of.number, e**2 / 2, of.number * (abs(e) - of.number / 2))
        return each.mean(axis=1), float(squares.mean())
    if of.name == "quantile":
        rows = np.maximum(of.number * -e, (1 - of.number) * e).mean(axis=1)
        return rows, float(rows.mean())
    return squares, float(squares.mean())


class EdgeChecks:
    """Problems at the edge of what is allowed."""

    backend: Backend
    tolerances: Tolerances = FLOAT32

    @pytest.mark.parametrize("inputs", [1, 9, 512])
    def test_outputs_do_not_depend_on_the_rows_beside(self, inputs: int) -> None:
        """A row's outputs are the same bits in whatever block of rows it is predicted; no rows give no outputs."""
        made = lab.engine(self.backend, inputs=inputs, threads=3)
        ids = made.add(lab.members(lab.EVERY))
        lab.train(made, ids, 5)
        x: Any = lab.split("cross_entropy", 300, inputs, seed=7).x
        borders = ((0, 1), (1, 64), (64, 65), (65, 299), (299, 300))
        for member in ids.tolist():
            whole = made.predict(member, x)
            parts = [made.predict(member, x[begin:end]) for begin, end in borders]
            np.testing.assert_array_equal(np.concatenate(parts), whole, "outputs depend on the other rows of a call")
        assert made.predict(int(ids[0]), x[:0]).shape == (0, 4), "no rows: shape (0, n_outputs)"

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("index", [(0, 0), (150, 8), (199, 3)])
    def test_one_number_that_is_not_finite_is_found(self, value: float, index: tuple[int, int]) -> None:
        """`InputError` for NaN and infinite inputs, wherever they are; the largest float32 is allowed."""
        made = lab.engine(self.backend, threads=2)
        member = int(made.add(lab.members(lab.MIXED[:1]))[0])
        x = np.array(lab.split("cross_entropy", 200).x)
        x[index] = value
        with pytest.raises(InputError, match="finite"):
            made.predict(member, x)
        x[index] = np.finfo(np.float32).max
        made.predict(member, x)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_one_row_and_one_column(self, loss: str) -> None:
        """The smallest problem is trained: five steps are five epochs, and the loss falls."""
        made = lab.engine(self.backend, loss, rows=1, inputs=1)
        ids = made.add([Member(Architecture(widths=[], optimizer="sgd", learning_rate=0.1), 3, 5), Member(TANH, 4, 5)])
        before = made.evaluate(ids, lab.split(loss, 1, 1))[0]
        lab.train(made, ids, 5)
        assert made.progress(ids).epoch.tolist() == [5, 5], "one row is one step an epoch"
        assert (made.evaluate(ids, lab.split(loss, 1, 1))[0] < before).all(), "the loss of the only row must fall"

    def test_a_batch_larger_than_the_rows_is_one_step_an_epoch(self) -> None:
        """``batch_size`` may exceed the rows."""
        made = lab.engine(self.backend, rows=10)
        ids = made.add([Member(Architecture(widths=[4], batch_size=4096), 1, 3)])
        lab.train(made, ids, 3)
        assert made.progress(ids).epoch.tolist() == [3], "a batch of all rows ends the epoch"

    def test_the_last_short_batch_is_trained(self) -> None:
        """53 rows in batches of 16: four steps an epoch; the fourth moves the weights."""
        made = lab.engine(self.backend)
        ids = made.add([Member(Architecture(widths=[4], batch_size=16, optimizer="sgd", learning_rate=0.1), 1, 8)])
        lab.train(made, ids, 3)
        before = made.export_state(int(ids[0]))["weights.0"]
        assert made.progress(ids).epoch[0] == 0, "three of four batches are no epoch"
        lab.train(made, ids, 4)
        assert made.progress(ids).epoch[0] == 1, "the short batch ends the epoch"
        after = made.export_state(int(ids[0]))["weights.0"]
        assert not np.array_equal(after, before), "the short batch must be trained"

    def test_a_class_that_is_absent(self) -> None:
        """Training rows may lack classes: the network learns to give the only one."""
        data: Any = lab.split("cross_entropy", 20)
        only = Split(data.x, np.full(20, 2, np.int32))
        made = lab.bound(self.backend, only, data, "cross_entropy", 4)
        ids = made.add([Member(TANH, 1, 60)])
        lab.train(made, ids, 60)
        assert (made.predict(int(ids[0]), data.x).argmax(axis=1) == 2).all(), "it was shown nothing but class 2"

    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_diverging_member_stops_alone(self, loss: str) -> None:
        """It counts as arrived, has a NaN loss, keeps its best, and never moves again; the other one continues."""
        made = lab.engine(self.backend, loss)
        wild = Architecture(widths=[16] * 3, activation="identity", optimizer="sgd", learning_rate=1e6, batch_size=4)
        ids = made.add([Member(TANH, 1, 400), Member(wild, 1, 400)])
        assert lab.train(made, ids, 400).all(), "a diverged member counts as arrived"
        p = made.progress(ids)
        assert p.diverged.tolist() == [False, True], "a rate of a million must diverge, and alone"
        assert np.isfinite(p.loss[0]) and np.isnan(p.loss[1]), "the loss of a diverged member is NaN"
        assert p.step[0] == 400 and p.step[1] < 400, "a diverged member stops where its loss was not finite"
        assert not np.isnan(p.best_loss[1]), "NaN is never the best loss"
        before = lab.digest(made, ids[1])
        assert lab.train(made, ids, 401).all(), "a diverged member counts as arrived"
        assert lab.digest(made, ids[1]) == before, "a diverged member must not move again"

    @pytest.mark.parametrize("loss", [*LOSSES, "huber:0.3", "quantile:0.9"])
    def test_evaluate_predict_and_forward_agree(self, loss: str) -> None:
        """Outputs of a member, of its exported layers, and the loss and error computed from them on paper."""
        made = lab.engine(self.backend, loss)
        ids = made.add(lab.members(lab.EVERY))
        lab.train(made, ids, 9)
        held: Any = lab.split(loss, 70, weighted=True, seed=3)
        losses, errors = made.evaluate(ids, held)
        w = held.weight.astype(float)
        for row, member in enumerate(ids.tolist()):
            z = made.predict(member, held.x)
            assert z.dtype == np.float32 and z.shape == (70, lab.N_OUTPUTS[parse(loss).name]), (
                "outputs: float32, (n, n_outputs)"
            )
            layers = lab.current_layers(lab.EVERY[row], made.export_state(member))
            again = self.backend.forward(lab.EVERY[row], layers, held.x)
            gap = lab.difference(again, z.astype(float))
            assert gap < self.tolerances.outputs, "`forward` of the exported layers and `predict` differ"
            rows, error = losses_of_rows(loss, z.astype(float), held.y)
            expected = (w * rows).sum() / w.sum()
            assert losses[row] == pytest.approx(expected, rel=1e-5), "the loss is the weighted mean over the rows"
            assert errors[row] == pytest.approx(error, rel=1e-5), "the error is the plain mean over the rows"

    def test_rows_and_inputs_grow(self) -> None:
        """Part of the rows, then of the columns, then all: counters exactly and weights closely as in the reference."""
        ends = []
        for backend in (registry.get("numpy"), self.backend):
            made = lab.engine(backend)
            decaying = Architecture(widths=[5, 4], activation="tanh", weight_decay=0.1)
            scaled = replace(decaying, input_scaling=True)
            ids = made.add([Member(TANH, 8, 40), Member(decaying, 9), Member(scaled, 10)])
            lab.train(made, ids, 4, rows=20, inputs=4)
            lab.train(made, ids, 9, rows=30, inputs=4)
            middle = [made.export_state(i) for i in ids.tolist()]
            outputs = [made.predict(i, np.asarray(lab.split("cross_entropy", 5).x)) for i in ids.tolist()]
            lab.train(made, ids, 16)
            ends.append((middle, outputs, [made.export_state(i) for i in ids.tolist()]))
        expected, found = ends
        for states, others in ((expected[0], found[0]), (expected[2], found[2])):
            for a, b in zip(states, others, strict=True):
                np.testing.assert_array_equal(b["counters"][:5], a["counters"][:5], "counters after a change of rows")
                gap = lab.difference(lab.flat(lab.layers(b)), lab.flat(lab.layers(a)))
                assert gap < self.tolerances.curve_weights, "weights after a change of rows or inputs"
        for z, other in zip(expected[1], found[1], strict=True):
            assert lab.difference(other, z.astype(float)) < self.tolerances.curve_weights, "outputs with fewer inputs"

    def test_hidden_rows_and_columns_are_not_seen(self) -> None:
        """Rows beyond ``rows`` and columns beyond ``inputs`` may hold anything; weights of those columns stay."""
        data: Any = lab.split("cross_entropy", 53)
        other: Any = Split(data.x.copy(), data.y.copy())
        other.x[:, 5:] = 77.0
        other.x[30:] = -55.0
        decaying = Architecture(
            widths=[6], activation="tanh", weight_decay=0.3, clip_norm=0.5, batch_size=8, input_scaling=True
        )
        states = []
        for each in (data, other):
            made = lab.bound(self.backend, each, None, "cross_entropy", 4)
            ids = made.add([Member(decaying, 8, 40)])
            initial = made.export_state(int(ids[0]))["weights.0"]
            lab.train(made, ids, 9, rows=30, inputs=5)
            states.append(made.export_state(int(ids[0])))
        for name in states[0]:
            np.testing.assert_array_equal(states[0][name], states[1][name], "hidden rows or columns were read")
        np.testing.assert_array_equal(states[0]["weights.0"][5:], initial[5:], "weights of hidden columns must stay")
        assert (states[0]["weights.0"][:5] != initial[:5]).all(), "weights of the seen columns must move"
        assert (states[0]["scale.0"][:5] != 1).all(), "the scale of the seen columns must move"
        assert (states[0]["scale.0"][5:] == 1).all(), "the scale of hidden columns must stay"

    def test_data_crosses_once(self) -> None:
        """What the caller does to its arrays afterwards does not show; read-only arrays are as good as others."""
        found = []
        for changed in (False, True):
            data: Any = lab.split("cross_entropy", 53, weighted=True)
            for array in (data.x, data.y, data.weight):
                array.flags.writeable = changed
            made = lab.bound(self.backend, data, data, "cross_entropy", 4)
            ids = made.add([Member(TANH, 1, 9)])
            if changed:
                data.x[...], data.y[...], data.weight[...] = 9.0, 0, 0.5
            lab.train(made, ids, 9)
            found.append(lab.digest(made, ids[0]))
        assert found[0] == found[1], "an engine must copy its data"

    def test_describe_says_what_is_in_use(self) -> None:
        """Names and texts, for `hyperband info`."""
        described = self.backend.describe()
        assert described, "`describe` must say something"
        assert all(isinstance(k, str) and isinstance(v, str) for k, v in described.items()), "texts by name"
