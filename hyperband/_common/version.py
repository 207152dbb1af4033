"""The version of the package; `pyproject.toml` has the same, which a test compares."""

VERSION = "0.1.0"
