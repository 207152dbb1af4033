"""Backends whose absence is a failure, not a skip: ``HYPERBAND_REQUIRE=native,numba``, ``HYPERBAND_REQUIRE_CUDA=1``."""

from __future__ import annotations

import os

REQUIRED = tuple(name.strip() for name in os.environ.get("HYPERBAND_REQUIRE", "").split(",") if name.strip())
if os.environ.get("HYPERBAND_REQUIRE_CUDA", "0") not in ("", "0"):
    REQUIRED += ("cuda",)
