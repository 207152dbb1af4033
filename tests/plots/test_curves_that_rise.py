"""Learning curves show the loss measured at each resource, not the smallest so far."""

from __future__ import annotations

import numpy as np

import hyperband as hb

SPACE = hb.Space({"x": hb.Float(0.0, 1.0)})


def lines_of(ax):
    return [
        segment
        for panel in (ax.child_axes or [ax])
        for c in panel.collections
        if (c.get_gid() or "").startswith("level")
        for segment in c.get_segments()
    ]


def test_a_loss_that_rises_is_drawn_as_it_was_told():
    result = hb.minimize(lambda c, r: c["x"] + 0.1 * r, SPACE, hb.SuccessiveHalving(9, n=9), seed=0)
    ax = result.plot.curves()
    rising = [segment for segment in lines_of(ax) if len(segment) > 1]
    assert rising and all((np.diff(segment[:, 1]) > 0).all() for segment in rising)
    (best,) = [line for line in ax.lines if line.get_gid() == "best"]
    assert (np.diff(best.get_ydata()) > 0).all()
    assert ax.get_ylabel() == "loss"


def test_networks_have_the_loss_of_their_newest_weights_beside_the_smallest():
    run = hb.SuccessiveHalving(9, n=9).start(SPACE, seed=0)
    while not run.done:
        for job in run.ask():
            now = job.configuration["x"] + 0.1 * job.resource
            run.tell(job, job.configuration["x"], metrics={"current_loss": now} if job.trial != 4 else {})
    result = hb.SearchResult.of(run)
    ax = result.plot.curves()
    table = result.trials
    drawn = {tuple(point) for segment in lines_of(ax) for point in segment}
    drawn |= {tuple(point) for line in ax.lines if line.get_gid() == "best" for point in zip(*line.get_data())}
    for trial, resource, loss, now in zip(
        *(table[k].tolist() for k in ("trial", "resource", "loss", "current_loss")), strict=True
    ):
        assert (resource, loss if trial == 4 else now) in drawn
    assert ax.get_ylabel() == "loss measured there"


def test_a_search_for_networks_tells_both_losses():
    space = hb.Space({"learning_rate": hb.Float(1e-3, 1.0, log=True)})
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3)).astype(np.float32)
    y = (X[:, 0] + rng.normal(size=90) > 0).astype(int)
    for rank_by in ("loss", "error"):
        result = hb.search(
            X, y, algorithm=hb.SuccessiveHalving(9, n=9), space=space, ensemble=1, seed=0,
            training=hb.Training(rank_by=rank_by), compute=hb.Compute(threads=1),
        )  # fmt: skip
        smallest, now = result.trials["loss"], result.trials["current_loss"]
        known = np.isfinite(smallest)
        assert (now[known] >= smallest[known]).all() or rank_by == "error"
        assert (now[known] > smallest[known]).any(), "some network got worse again"
