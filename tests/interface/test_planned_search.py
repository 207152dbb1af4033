"""A search without an algorithm: it plans itself, its model is an ensemble, and it can be run again without a clock."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import hyperband as hb
from hyperband.evaluation import budget
from hyperband.evaluation.networks.time_plan import TimePlanner
from hyperband.interface import planned_search
from hyperband.interface.defaults import space_for
from hyperband.tables import prepare_table, read_table

CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
SMALL = hb.Space(
    {
        "width": hb.Int(4, 16),
        "learning_rate": hb.Float(1e-3, 1e-1, log=True),
        "view": hb.Choice(["standard", "robust", "bins"]),
    }
)


@pytest.fixture
def little_work(monkeypatch):
    """A plan without a time limit that is over at once."""
    monkeypatch.setattr(planned_search, "MOST", 120.0)


def search(X, y, **options):
    return hb.search(X, y, **{"space": SMALL, "validation": 0.2, "seed": 1, **options})


def test_a_search_without_a_clock_runs_its_plan(little_work):
    result = search(*CANCER, test=0.2)
    assert result.stopped == "finished"
    assert result.cost == float(result.plan.cost) <= 120
    assert result.algorithm.plan() == result.plan
    assert result.test["accuracy"] > 0.9


def test_the_first_trials_are_the_default_in_every_view_of_the_space(little_work):
    result = search(*CANCER)
    usual = SMALL.defaults()
    views = [view for view in prepare_table(*CANCER).views if view in ("standard", "robust", "bins")]
    assert [result.configurations[trial] for trial in range(3)] == [{**usual, "view": view} for view in views]


def same_search(timed, again):
    """Whether two searches trained, chose and predict the same, bit for bit."""
    for name in ("trial", "bracket", "rung", "resource", "loss"):
        assert np.array_equal(timed.trials[name], again.trials[name])
    assert timed.ensemble == again.ensemble
    assert timed.training == again.training
    assert np.array_equal(timed.model.predict_proba(CANCER[0]), again.model.predict_proba(CANCER[0]))
    return True


def test_what_a_clock_decided_can_be_run_again_without_it():
    timed = search(*CANCER, time_limit=4, compute=hb.Compute(threads=1))
    again = search(*CANCER, algorithm=timed.algorithm, training=timed.training, compute=hb.Compute(threads=2))
    assert same_search(timed, again)
    assert again.stopped == ("cut" if timed.training.cut else "finished")


def test_a_search_whose_later_brackets_train_longer_can_be_run_again():
    """The machine was busy when its speed was measured."""
    real = planned_search.measured_speed

    def slow(*arguments):
        return 0.02 * real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planned_search, "measured_speed", slow)
        timed = search(*CANCER, time_limit=4, compute=hb.Compute(threads=1))
    tops = [bracket.rungs[-1].r for bracket in timed.plan.brackets]
    assert timed.algorithm.max_resource == timed.plan.max_resource == max(tops) > tops[0]
    again = search(*CANCER, algorithm=timed.algorithm, training=timed.training, compute=hb.Compute(threads=2))
    assert same_search(timed, again)


@pytest.mark.parametrize("validation", [0.2, 3])
def test_a_rung_that_a_clock_cut_off_can_be_run_again_without_it(validation):
    """All of the second rung is open then: its networks need more epochs than there is time for."""
    endless = hb.HalvingSequence(50_000_000, 7, brackets=[(14, 1, 50_000_000)])
    usual = {"algorithm": endless, "validation": validation}
    timed = search(*CANCER, time_limit=2, compute=hb.Compute(threads=1), **usual)
    assert timed.stopped == "time" and timed.training.cut and timed.n_evaluations <= 14
    training = hb.Training.from_dict(json.loads(json.dumps(timed.training.to_dict())))
    again = search(*CANCER, training=training, compute=hb.Compute(threads=2), **usual)
    assert again.stopped == "cut" and same_search(timed, again)


def test_a_search_that_ended_between_two_rungs_can_be_run_again(monkeypatch):
    """Its promotions were due, and nobody had asked for them yet."""
    usual = {"algorithm": hb.SuccessiveHalving(9), "compute": hb.Compute(threads=1)}
    passed = 0.0
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed))

    def wait(run, results):
        nonlocal passed
        if run.n_evaluations == 9:
            passed = 20_000.0

    timed = search(*CANCER, time_limit=10_000, on_event=wait, **usual)
    assert timed.stopped == "time" and timed.n_evaluations == 9 and timed.training.cut
    again = search(*CANCER, training=timed.training, **usual)
    assert again.stopped == "cut" and same_search(timed, again)


@pytest.mark.filterwarnings("ignore::hyperband.tables.data_warning.DataWarning")  # what a fault here would tell first
def test_every_view_of_a_model_reads_what_it_uses(tmp_path):
    """A column that is constant in the training rows of the first fold is used by the networks of the others."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2)).round(3)
    labels = np.where(x[:, 0] > 0, "p", "n")

    def table(special):
        flags = [" v" if row in special else " u" for row in range(300)]
        rows = [f"{a},{b},{f},{y}\n" for (a, b), f, y in zip(x.tolist(), flags, labels, strict=True)]
        (tmp_path / "t.csv").write_text("a,b,f,y\n" + "".join(rows))
        return tmp_path / "t.csv"

    held = prepare_table(table([]), target="y", validation=5).validation_rows(0)[:25].tolist()
    path = table(held)
    model = hb.search(path, target="y", validation=5, algorithm=hb.RandomSearch(n=1, max_resource=4), seed=0).model
    assert "f" not in model.preprocessings[0].used and any("f" in view.used for view in model.preprocessings)
    assert np.array_equal(model.predict_proba(path), model.predict_proba(read_table(path)))
    with pytest.raises(hb.DataError, match="'f' is missing"):
        model.predict(read_table(path).drop("f"))


def test_a_cut_of_another_search_is_told_or_refused(little_work):
    with pytest.warns(UserWarning, match="did not come so far"):
        search(*CANCER, training=hb.Training(cut=[(9_999, 0, [3])]))
    with pytest.raises(hb.InputError, match="steps of 1 networks for each trial"):
        search(*CANCER, training=hb.Training(cut=[(0, 0, [3, 3])]))
    for wrong in ([(0, 0)], [(0, 0, 3)], [(-1, 0, [3])], [(0, 0, [0])], [3]):
        with pytest.raises(hb.InputError, match="`cut` of a training must list"):
            hb.Training(cut=wrong)


def test_the_model_is_the_weighted_mean_of_what_the_ensemble_lists(little_work):
    result = search(*CANCER)
    members = result.ensemble.members
    assert len(members) == len(result.model.members) > 1
    assert sum(member.weight for member in members) == pytest.approx(1.0)
    assert [m.weight for m in result.model.members] == pytest.approx([m.weight for m in members])
    assert result.model.temperature == result.ensemble.temperature
    assert result.model.provenance["ensemble"]["members"][0]["trial"] == members[0].trial


def test_the_score_on_rows_that_did_not_choose_the_ensemble_is_not_fooled_by_chance(little_work):
    rng = np.random.default_rng(0)
    ensemble = search(rng.normal(size=(150, 4)), rng.integers(0, 2, 150), metric="log_loss").ensemble
    assert ensemble.score < ensemble.cross_score, "nothing can be learned, and the choice seemed to"
    assert ensemble.to_dict()["cross_score"] == ensemble.cross_score


def test_an_ensemble_of_one_is_the_best_candidate(little_work):
    result = search(*CANCER, ensemble=1)
    assert len(result.model.members) == len(result.ensemble.members) == 1
    assert result.ensemble.score == result.ensemble.single


def test_folds_are_bagged(little_work):
    result = search(*DIABETES, validation=3, metric="mae", test=0.2)
    assert len(result.model.members) % 3 == 0
    assert result.ensemble.metric == "mae"
    assert result.ensemble.temperature == 1.0
    assert result.test["mae"] < 60
    assert len(result.best.network.members) == 3


def test_other_metrics_choose_other_ensembles(little_work):
    chosen = {metric: search(*CANCER, metric=metric).ensemble for metric in ("accuracy", "log_loss", "auc")}
    assert {name: ensemble.metric for name, ensemble in chosen.items()} == {name: name for name in chosen}
    assert 0 < chosen["log_loss"].score < 0.3 < 0.9 < chosen["auc"].score


def test_a_search_that_is_cut_off_has_a_model():
    stopped = search(
        *CANCER, algorithm=hb.SuccessiveHalving(50_000_000, n=2), time_limit=3, space=hb.Space({"width": hb.Int(4, 9)})
    )
    assert stopped.stopped == "time" and stopped.n_evaluations == 0 and stopped.best is None
    assert 0 < stopped.ensemble.members[0].resource < 50_000_000
    assert (stopped.model.predict(CANCER[0]) == CANCER[1]).mean() > 0.5


def test_the_shortest_search_has_a_model():
    """The time is over before the first step: one network takes it all the same."""
    stopped = search(*CANCER, algorithm=hb.SuccessiveHalving(50_000_000, n=4), time_limit=1e-6)
    assert stopped.stopped == "time" and stopped.n_evaluations == 0
    assert len(stopped.model.members) >= 1
    assert search(*CANCER, time_limit=1e-6).model.predict(CANCER[0]).shape == CANCER[1].shape


def test_the_algorithm_that_ran_has_every_bracket():
    planner = TimePlanner(0.0, 54, 0.0, added=[(4, 9, 54), (2, 3, 9)])
    planned = planned_search.PlannedSearch(hb.HalvingSequence(27, brackets=[(9, 3, 27)]), SMALL, hb.Budget(), planner)
    assert planned.executed.brackets == ((9, 3, 27), (4, 9, 54), (2, 3, 9))
    assert planned.executed.max_resource == 54


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": 0}, "`time_limit` must be"),
        ({"time_limit": "soon"}, "`time_limit` must be"),
        ({"time_limit": 5, "budget": hb.Budget(seconds=5)}, "Only one of `time_limit` and `seconds`"),
        ({"ensemble": 0}, "`ensemble` must be"),
        ({"metric": "rmse"}, "`metric` must be one of classification; 'rmse' is one of regression"),
        ({"metric": "taste"}, "metric"),
        ({"ensemble": 1.5}, "`ensemble` must be"),
        ({"validation": 1}, "`k`|validation"),
    ],
)
def test_bad_settings_name_the_rule(options, message):
    with pytest.raises(hb.InputError, match=message):
        search(*load_iris(return_X_y=True), **options)


def test_rungs_are_ranked_by_what_the_ensemble_is_chosen_by(little_work):
    """For accuracy the Brier score, of the best or of the newest weights of each network."""
    result = search(*CANCER)
    assert result.training.rank_by == "metric"
    proba = result.best.network.predict_proba(CANCER[0])
    data = prepare_table(*CANCER, validation=0.2, seed=1)
    rows = data.validation_rows()
    truth = np.eye(2)[data.target.encode(CANCER[1][rows])]
    assert result.best.loss == pytest.approx(((proba[rows] - truth) ** 2).sum(axis=1).mean(), rel=1e-4)
    by_loss = search(*CANCER, training=hb.Training(rank_by="loss"))
    assert by_loss.best.loss == pytest.approx(by_loss.best.metrics["validation_loss"])


def test_ranking_by_the_metric_is_for_epochs():
    with pytest.raises(hb.InputError, match="rank_by='metric' is for resource='epochs'"):
        hb.Training(resource="rows", rank_by="metric")


@pytest.mark.parametrize(
    ("works", "reserved"),
    [
        ([(0.5, 40.0), (0.3, 52.0), (0.2, 80.0)], 13.5),  # the third one would take more than a fifth of 100 s
        ([(0.4, 120.0), (0.6, 80.0)], 0.0),  # what fits has too little weight
        ([(1.0, 152.0)], 20.0),
        ([(1.0, 152.8)], 0.0),
        ([], 0.0),
    ],
)
def test_time_is_left_for_the_heaviest_trials_of_the_ensemble(works, reserved):
    planner = TimePlanner(100.0, 9, 0.0)
    search = planned_search.PlannedSearch(
        hb.SuccessiveHalving(9), SMALL, hb.Budget(), planner, typical=10.0, preparation=1.0
    )
    search.leave_time(100.0, lambda: works)
    assert planner.reserve(1.0) == pytest.approx(reserved)


def test_a_search_without_evaluations_has_no_speed():
    search = planned_search.PlannedSearch(hb.SuccessiveHalving(9), SMALL, hb.Budget(), typical=10.0)
    run = hb.SuccessiveHalving(9).start(SMALL, 0)
    assert np.isnan(search.speed(run, 2.0))
    run.tell(run.ask()[0], 0.5)
    assert search.speed(run, 2.0) == 5.0


@pytest.mark.parametrize(("seconds", "selects"), [(None, True), (60.0, True), (7.0, False)])
def test_columns_of_noise_are_not_looked_for_where_that_takes_the_time(seconds, selects):
    """Half a second for each of four more folds, of which a quarter of the time may be spent."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 20))
    table = prepare_table(x, (x[:, 3] > 0).astype(int), validation=5)
    assert "selected" in table.views and table.selection_seconds > 0
    table._source.seconds[:] = [0.5]
    views = space_for(table, "epochs", seconds=seconds).parameters["view"].options
    assert ("selected" in views) == selects and "standard" in views
