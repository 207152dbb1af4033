"""One network, one curve: no bit depends on threads, on other networks, on their order, on pauses or on the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyperband.engine.architecture import Architecture
from hyperband.engine.backends.base import Backend, Engine, Member
from hyperband.engine.losses import LOSSES
from hyperband.testing import lab

STEPS = 15
ALL = tuple(range(len(lab.EVERY)))


def trained(
    backend: Backend, which: tuple[int, ...], *, threads: int = 1, until: int = STEPS
) -> tuple[Engine, list[str]]:
    """An engine with these networks of `lab.EVERY`, trained, and the hashes of their states."""
    made = lab.engine(backend, threads=threads, weighted=True)
    everyone = lab.members(lab.EVERY)
    ids = made.add([everyone[i] for i in which])
    lab.train(made, ids, until)
    return made, lab.digests(made, ids)


class BitChecks:
    """Hashes of whole states are equal."""

    backend: Backend

    def _alone(self) -> list[str]:
        """Hashes of every network trained without others, in one go, on one thread."""
        return [trained(self.backend, (i,))[1][0] for i in ALL]

    def test_other_networks_and_their_order_change_nothing(self) -> None:
        """A network alone, among others, and among others in another order."""
        alone = self._alone()
        assert trained(self.backend, ALL)[1] == alone, "a network sees the others of its engine"
        assert trained(self.backend, ALL[::-1])[1] == alone[::-1], "a network sees its number or the order"
        assert len(set(alone)) == len(alone), "different networks have equal states"

    @pytest.mark.parametrize("threads", [2, 5])
    def test_threads_change_nothing(self, threads: int) -> None:
        """Several threads, a network on each."""
        assert trained(self.backend, ALL, threads=threads)[1] == self._alone(), "sums must not depend on threads"

    @pytest.mark.parametrize("which", [*([n] for n in range(10)), [0, 1, 2], [0, 5, 7, 9]])
    def test_threads_that_share_a_network_change_nothing(self, which: list[int]) -> None:
        """Several threads on one large network, with and without limits of time."""

        def digests(threads: int, seconds: float | None) -> list[str]:
            made = lab.engine(self.backend, rows=300, inputs=40, weighted=True, threads=threads)
            ids = made.add([lab.members([*lab.LARGE, *lab.LARGE_STAGED])[i] for i in which])
            while not lab.train(made, ids, 5, seconds=seconds).all():
                pass
            return lab.digests(made, ids)

        alone = digests(1, None)
        for threads, seconds in ((2, None), (3, 1e-6), (8, None)):
            assert digests(threads, seconds) == alone, f"{threads} threads, {seconds} s a call: other bits than one"

    def test_a_network_diverges_on_several_threads_as_on_one(self) -> None:
        """A diverged network has the same state, however many threads it was trained by."""
        digests = []
        for threads in (1, 4):
            made = lab.engine(self.backend, "mse", rows=300, inputs=40, threads=threads)
            wild = replace(lab.LARGE[2], learning_rate=1e6, optimizer="sgd", weight_decay=0.0)
            ids = made.add(lab.members([wild]))
            assert lab.train(made, ids, 20).all(), "a diverged network counts as arrived"
            assert made.progress(ids).diverged.all(), "a rate of a million must diverge"
            digests.append(lab.digests(made, ids))
        assert digests[0] == digests[1], "threads left a diverged network in different states"

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("which", ALL)
    def test_networks_of_one_shape_change_nothing(self, which: int, loss: str) -> None:
        """Many networks of one shape, together and alone, with pauses; some of the inputs, then all of them."""
        batch_size = min(lab.EVERY[which].batch_size, 40)
        everyone = lab.members(lab.same_shape(replace(lab.EVERY[which], batch_size=batch_size)))
        some = 11 if lab.EVERY[which].number_embedding == "none" else 18
        threads = 1 + which % 2

        def digests(who: list[Member], threads: int, seconds: float | None) -> list[str]:
            made = lab.engine(self.backend, loss, weighted=which % 2 == 0, inputs=18, threads=threads)
            ids = made.add(who)
            for until, inputs in ((4, some), (9, some), (STEPS, 18)):
                while not lab.train(made, ids, until, inputs=inputs, seconds=seconds).all():
                    pass
            return lab.digests(made, ids)

        together = digests(everyone, threads, None if which % 3 else 1e-4)
        chosen = [0, 3, 15, 16, 20]
        alone = [digests([everyone[i]], 1, None)[0] for i in chosen]
        assert [together[i] for i in chosen] == alone, "a network sees those that it trains together with"
        assert len(set(together)) == len(together), "networks with different settings have equal states"

    @pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
    def test_one_of_a_shape_that_diverges_moves_no_other(self, loss: str) -> None:
        """Two of sixteen networks of one shape diverge; each of the others has the bits that it has alone."""
        tame = Architecture(widths=[9, 4], activation="identity", optimizer="sgd", learning_rate=0.01, batch_size=10)
        networks = [replace(tame, learning_rate=1e6 if i in (0, 7) else 0.01 + 1e-4 * i) for i in range(16)]

        def digests(who: list[Member]) -> tuple[list[str], list[bool]]:
            made = lab.engine(self.backend, loss)
            ids = made.add(who)
            assert lab.train(made, ids, 30).all(), "a diverged network counts as arrived"
            return lab.digests(made, ids), made.progress(ids).diverged.astype(bool).tolist()

        together, diverged = digests(lab.members(networks))
        assert [i for i, gone in enumerate(diverged) if gone] == [0, 7], "exactly the two wild ones diverge"
        for i in (0, 1, 7, 15):
            assert digests([lab.members(networks)[i]])[0] == [together[i]], f"network {i} sees another's divergence"
        assert digests(lab.members(networks[:1] * 16))[1] == [True] * 16, "all sixteen wild ones diverge"

    @pytest.mark.parametrize("loss", LOSSES)
    def test_threads_of_an_evaluation_change_nothing(self, loss: str) -> None:
        """Loss and error of 1000 rows on one thread and on several, of one network and of two."""
        held = lab.split(loss, 1000, weighted=True, seed=5)
        scores = []
        for threads in (1, 2, 5):
            made = lab.engine(self.backend, loss, threads=threads)
            ids = made.add(lab.members(lab.EVERY[:2]))
            lab.train(made, ids, STEPS)
            scores.append([made.evaluate(chosen, held) for chosen in (ids, ids[:1])])
        for found in scores[1:]:
            np.testing.assert_array_equal(
                np.concatenate(found, axis=1), np.concatenate(scores[0], axis=1), "sums over rows depend on threads"
            )

    def test_seed_and_schedule_do_matter(self) -> None:
        """All 64 bits of the seed count, and so do the steps of the schedule; nothing else tells members apart."""
        made = lab.engine(self.backend)
        cases = ((1, 40), (1 << 32, 40), (1, 41), (1, 40))
        ids = made.add([Member(lab.EVERY[3], seed, total) for seed, total in cases])
        lab.train(made, ids, STEPS)
        first, other_seed, other_total, same = lab.digests(made, ids)
        assert first == same, "equal members must have equal states"
        assert len({first, other_seed, other_total}) == 3, "the seed's high word or `total_steps` is not used"

    def test_a_pause_after_every_step_changes_nothing(self) -> None:
        """One call for fifteen steps, or fifteen calls for one."""
        made = lab.engine(self.backend)
        for i in ALL:
            ids = made.add([lab.members(lab.EVERY)[i]] * 2)
            lab.train(made, ids[:1], STEPS, evaluate=False)
            for step in range(1, STEPS + 1):
                lab.train(made, ids[1:], step, evaluate=False)
            assert lab.digest(made, ids[0]) == lab.digest(made, ids[1]), f"{lab.EVERY[i]} sees where it was paused"

    def test_limits_of_time_change_nothing(self) -> None:
        """Calls of a microsecond, until all have arrived; each call does some work."""
        made = lab.engine(self.backend, weighted=True)
        ids = made.add(lab.members(lab.EVERY))
        arrived, calls = np.zeros(len(ids), bool), 0
        while not arrived.all():
            arrived = lab.train(made, ids, STEPS, seconds=1e-6)
            calls += 1
            assert calls < 10_000, "`seconds` must let every call do some work"
        assert calls > 1, "`seconds` must end a call early"
        assert lab.digests(made, ids) == self._alone(), "a network sees where time was up"

    def test_state_moves_to_a_fresh_engine(self) -> None:
        """Paused in the middle of an epoch, written out, read into another engine among other ids."""
        old, new = lab.engine(self.backend, weighted=True), lab.engine(self.backend, weighted=True, threads=2)
        new.add(lab.members(lab.EVERY[:2]))
        ids = old.add(lab.members(lab.EVERY))
        lab.train(old, ids, 6, evaluate=False)
        whole = lab.engine(self.backend, weighted=True)
        whole_ids = whole.add(lab.members(lab.EVERY))
        lab.train(whole, whole_ids, 6, evaluate=False)
        lab.train(whole, whole_ids, STEPS)
        fresh = new.add(lab.members(lab.EVERY))
        for here, there in zip(ids.tolist(), fresh.tolist(), strict=True):
            state = {name: array.copy() for name, array in old.export_state(here).items()}
            new.import_state(there, state)
            assert lab.digest(new, there) == lab.digest(old, here), "what was imported is not what was exported"
            for array in state.values():
                array[...] = 0  # the engine must keep copies, never the caller's arrays
        lab.train(new, fresh, STEPS)
        assert lab.digests(new, fresh) == lab.digests(whole, whole_ids), "the exported state lacks something"

    def test_evaluating_changes_no_weight(self) -> None:
        """Validation during training, `evaluate` and `predict` leave the weights and the optimiser as they are."""
        made = lab.engine(self.backend)
        ids = made.add([m for member in lab.members(lab.EVERY) for m in (member, member)])
        lab.train(made, ids[0::2], STEPS, evaluate=True)
        lab.train(made, ids[1::2], STEPS, evaluate=False)
        made.evaluate(ids, lab.split("cross_entropy", 10))
        made.predict(int(ids[0]), lab.split("cross_entropy", 10).x)
        without = ("scores", "counters", "best.")
        evaluated, plain = (lab.digests(made, ids[i::2], without=without) for i in (0, 1))
        assert evaluated == plain, "an evaluation changes weights, optimiser state or random numbers"

    def test_a_diverging_network_moves_no_other(self) -> None:
        """Networks of other shapes that diverge in the same call change nothing."""
        bad = Architecture(widths=[16], activation="relu", optimizer="sgd", learning_rate=1e6, batch_size=4)
        made = lab.engine(self.backend, weighted=True, threads=2)
        ids = made.add([Member(bad, 5, 40), *lab.members(lab.EVERY), Member(bad, 6, 40)])
        lab.train(made, ids, STEPS)
        assert lab.digests(made, ids[1:-1]) == self._alone(), "a network sees another's divergence"
