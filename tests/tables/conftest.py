"""What tests of tables share."""

import pytest
from real_data import real_file


@pytest.fixture
def real():
    """The function that finds a real data set."""
    return real_file
