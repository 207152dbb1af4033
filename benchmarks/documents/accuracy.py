"""Sections of RESULTS.md on predictions of real tables, from the runs of `benchmarks.accuracy`."""

from __future__ import annotations

from benchmarks.accuracy import ablation_report, left_out_report, report, runs


def contenders() -> str:
    """Test metric, ranks and optimism, and the figure when there are runs."""
    records = runs.read(runs.FILE)
    shown = report.text(records)
    if shown == report.NOTHING:
        return shown
    return f"{shown}\n\n![test metric by set and contender](results/{runs.FILE.with_suffix('.png').name})"


def ablation() -> str:
    """What each ingredient is worth."""
    return ablation_report.text(runs.read(runs.ABLATION_FILE))


def left_out_ingredients() -> str:
    """What each ingredient would change that the engine does not have."""
    return left_out_report.text(runs.read(runs.LEFT_OUT_FILE))
