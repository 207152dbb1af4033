"""The paths of real data sets, and the reason for a skip where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def real_file(name: str) -> Path:
    """The path of a real data set; skips the test, naming the file, where it is absent."""
    folder = Path(os.environ.get("HYPERBAND_DATA", ROOT.parent / "shared" / "data"))
    path = folder / name
    if not path.exists():
        pytest.skip(f"no real data set {name} in {folder}; set HYPERBAND_DATA to the folder that holds it")
    return path
