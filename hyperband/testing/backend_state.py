"""Counters, best weights, states in and out, and what a backend must refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, Member, Split
from hyperband.errors import InputError
from hyperband.testing import lab
from hyperband.testing.backend_edges import TANH

State = Mapping[str, NDArray[Any]]


def damaged(state: State) -> dict[str, dict[str, NDArray[Any]]]:
    """Copies of a state, each with one thing wrong."""
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


class StateChecks:
    """What an engine knows of its members, hands out and takes back."""

    backend: Backend

    def test_counters_before_the_first_step(self) -> None:
        """No step, no epoch, no best; losses that do not exist yet are NaN, the best one is infinite."""
        made = lab.engine(self.backend)
        p = made.progress(made.add([Member(TANH, 1, 4)]))
        assert (p.step[0], p.epoch[0], p.best_step[0], p.best_loss[0]) == (0, 0, -1, np.inf)
        assert np.isnan([p.loss[0], p.error[0], p.best_error[0], p.train_loss[0]]).all(), "nothing was computed yet"
        assert not p.diverged[0], "a member that was never trained has not diverged"

    def test_train_loss_is_the_mean_over_the_epoch(self) -> None:
        """With a vanishing rate the weights stand still, so the epoch's mean is the loss on the training rows."""
        still = Architecture(widths=[5], activation="tanh", optimizer="sgd", learning_rate=1e-12, batch_size=7)
        made = lab.engine(self.backend, weighted=True)
        ids = made.add([Member(still, 1, 8)])
        lab.train(made, ids, 8)
        expected = made.evaluate(ids, lab.split("cross_entropy", 53, weighted=True))[0]
        assert made.progress(ids).train_loss == pytest.approx(expected, rel=1e-5), "short batches count by their rows"

    def test_the_best_weights_are_those_of_the_smallest_validation_loss(self) -> None:
        """Validated at every epoch; the weights of the smallest loss are kept apart, and can be used."""
        overfit = Architecture(
            widths=[32], activation="tanh", optimizer="sgd", learning_rate=1.5, momentum=0.9, batch_size=8
        )
        made = lab.engine(self.backend)
        ids = made.add([Member(overfit, 1, 140)])
        member, curve, weights = int(ids[0]), {}, {}
        for step in range(7, 141, 7):
            lab.train(made, ids, step)
            curve[step] = made.progress(ids).loss[0]
            weights[step] = lab.flat(lab.layers(made.export_state(member)))
        best = min(curve, key=lambda step: curve[step])
        p = made.progress(ids)
        assert best < 140, "the problem must overfit for this check to mean something"
        assert (p.best_step[0], p.best_loss[0]) == (best, curve[best]), "the best is the smallest validation loss"
        kept = lab.flat(lab.layers(made.export_state(member), "best."))
        np.testing.assert_array_equal(kept, weights[best], "the best weights are those at `best_step`")
        held: Any = lab.split("cross_entropy", 31, seed=1)
        assert made.evaluate(ids, held, weights="best")[0][0] == pytest.approx(curve[best], rel=1e-6)
        assert made.evaluate(ids, held)[0][0] == pytest.approx(curve[140], rel=1e-6)
        best_outputs, outputs = made.predict(member, held.x, weights="best"), made.predict(member, held.x)
        assert not np.array_equal(best_outputs, outputs), '`weights="best"` must be used'

    def test_forget_best_lets_the_next_validation_win(self) -> None:
        """After `forget_best` there is no best, until the next validation, whatever its loss."""
        made = lab.engine(self.backend)
        ids = made.add([Member(TANH, 1, 40)])
        lab.train(made, ids, 21)
        made.forget_best(ids)
        p = made.progress(ids)
        assert (p.best_step[0], p.best_loss[0]) == (-1, np.inf) and np.isnan(p.best_error[0])
        assert not any(name.startswith("best.") for name in made.export_state(int(ids[0]))), "no best weights remain"
        lab.train(made, ids, 22)
        assert made.progress(ids).best_step[0] == 22, "the next validation becomes the best"

    def test_without_validation_rows_nothing_is_validated(self) -> None:
        """No validation split: no loss and no best, but a training loss."""
        made = lab.engine(self.backend, validation=False)
        ids = made.add([Member(TANH, 1, 20)])
        lab.train(made, ids, 20)
        p = made.progress(ids)
        assert np.isnan(p.loss[0]) and p.best_step[0] == -1 and np.isfinite(p.train_loss[0])

    def test_released_members_are_gone_and_ids_are_not_reused(self) -> None:
        """Every call refuses a released member; the others stay, and new ones get new numbers."""
        made = lab.engine(self.backend)
        ids = made.add([Member(TANH, 1, 4), Member(TANH, 2, 4)])
        made.release(ids[:1])
        calls = (
            lambda: made.progress(ids),
            lambda: lab.train(made, ids, 1),
            lambda: made.export_state(int(ids[0])),
            lambda: made.release(ids[:1]),
        )
        for call in calls:
            with pytest.raises(InputError, match="member"):
                call()
        assert made.progress(ids[1:]).step.tolist() == [0], "the others stay"
        assert made.add([Member(TANH, 3, 4)])[0] not in ids.tolist(), "ids are never used again"

    def test_bytes_per_member_counts_what_is_stored(self) -> None:
        """Weights, best weights and the optimiser's moments."""
        made = lab.engine(self.backend)
        sizes = {o: made.bytes_per_member(Architecture(widths=[64], optimizer=o)) for o in ("sgd", "rmsprop", "adam")}
        assert 0 < sizes["sgd"] < sizes["rmsprop"] < sizes["adam"], "each moment takes memory"
        averaged = made.bytes_per_member(Architecture(widths=[64], weight_average=0.9))
        assert averaged >= sizes["adam"] + (sizes["adam"] - sizes["rmsprop"]), "an average takes as much as a moment"
        least = 4 * 4 * Architecture(widths=[64]).n_parameters(9, 4)
        assert sizes["adam"] >= least, "adam: weights, best weights and two moments, at least 4 bytes a number"

    @pytest.mark.parametrize("fault", damaged({"weights.0": np.zeros((1, 1)), "counters": np.zeros(7, int)}))
    def test_a_damaged_state_is_refused_and_changes_nothing(self, fault: str) -> None:
        """`InputError` before anything is overwritten."""
        made = lab.engine(self.backend)
        ids = made.add([Member(Architecture(widths=[6], batch_size=8), 1, 40)] * 2)
        lab.train(made, ids, 10)
        before = lab.digest(made, ids[1])
        with pytest.raises(InputError, match="state"):
            made.import_state(int(ids[1]), damaged(made.export_state(int(ids[0])))[fault])
        assert lab.digest(made, ids[1]) == before, "a refused state must change nothing"

    @pytest.mark.parametrize(
        ("name", "value"), [("rows", 0), ("rows", 54), ("inputs", 0), ("inputs", 10)], ids=lambda part: str(part)
    )
    def test_impossible_resources_are_refused(self, name: str, value: int) -> None:
        """`InputError` that names the argument and the value: from 1 to what the data has."""
        made = lab.engine(self.backend)
        ids = made.add([Member(TANH, 1, 4)])
        with pytest.raises(InputError, match=f"{name}.*got {value}"):
            lab.train(made, ids, 1, **{name: value})

    def test_impossible_problems_are_refused(self) -> None:
        """`InputError` for data that does not fit the loss, for an unknown loss, and for no rows."""
        data: Any = lab.split("cross_entropy", 10)
        cases: list[tuple[Split, str, int, str]] = [
            (data, "hinge", 4, "hinge"),
            (data, "mse:2", 4, "mse:2"),
            (data, "huber:0", 4, "huber:0"),
            (data, "quantile:1", 4, "quantile:1"),
            (data, "quantile:half", 4, "quantile:half"),
            (data, "cross_entropy", 3, "3"),
            (data, "logistic", 2, "2"),
            (Split(data.x, data.y - 1), "cross_entropy", 4, "-1"),
            (Split(data.x, data.y[:-1]), "cross_entropy", 4, "y"),
            (Split(data.x, data.y.astype(np.float32)), "mse", 1, "y"),
            (Split(data.x[:0], data.y[:0]), "cross_entropy", 4, "row"),
        ]
        for split, loss, n_outputs, named in cases:
            with pytest.raises(InputError, match=named):
                lab.bound(self.backend, split, None, loss, n_outputs)

    def test_impossible_members_and_inputs_are_refused(self) -> None:
        """`InputError` for another number of columns, a seed below 0, and a schedule of no steps."""
        made = lab.engine(self.backend)
        (member,) = made.add([Member(TANH, 1, 4)]).tolist()
        with pytest.raises(InputError, match="8"):
            made.predict(member, np.zeros((3, 8), np.float32))
        with pytest.raises(InputError, match="seed"):
            made.add([Member(TANH, -1, 4)])
        with pytest.raises(InputError, match="total_steps"):
            made.add([Member(TANH, 1, 0)])
