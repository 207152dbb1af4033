"""Backends whose absence is a failure, not a skip: ``HYPERBAND_REQUIRE=native,numba``."""

from __future__ import annotations

import os

REQUIRED = tuple(name.strip() for name in os.environ.get("HYPERBAND_REQUIRE", "").split(",") if name.strip())
