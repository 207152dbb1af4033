"""What tests of the command line share."""

import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, the one that commands are called in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
