"""Where things are in a checkout, and beside it."""

from __future__ import annotations

import os
from pathlib import Path

#: The checkout.
ROOT = Path(__file__).resolve().parents[2]
#: Committed measurements, one JSON file a benchmark.
RESULTS = ROOT / "benchmarks" / "results"
#: What several checkouts share: a folder beside them.
SHARED = ROOT.parent / "shared"
#: Tables to search networks for: ``HYPERBAND_DATA``, else a folder beside the checkout.
DATA = Path(os.environ.get("HYPERBAND_DATA", SHARED / "data"))
#: The LCBench surrogate: ``HYPERBAND_LCBENCH``, else a folder beside the checkout.
LCBENCH = Path(os.environ.get("HYPERBAND_LCBENCH", SHARED / "hpo" / "lcbench_surrogate"))
