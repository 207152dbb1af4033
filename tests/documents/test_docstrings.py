"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import hyperband

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _names() -> list[str]:
    found = pkgutil.walk_packages(hyperband.__path__, "hyperband.", onerror=lambda name: None)
    return sorted(module.name for module in found if module.name.split(".")[-1] not in ("__main__", "_core", "_build"))


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if "numba" in name or name.endswith(".native"):
            pytest.skip(f"{name} cannot be imported here: {error}")
        raise


@pytest.mark.parametrize("name", _names())
def test_examples(name: str) -> None:
    failed, _ = doctest.testmod(_module(name), optionflags=OPTIONS)
    assert failed == 0, "see the difference above"


def test_examples_are_found() -> None:
    """The test above cannot pass by collecting nothing: it sees the package and its examples."""
    names = _names()
    assert {"hyperband.tuning.plans", "hyperband.engine.backends.registry", "hyperband.cli.main"} <= set(names)
    count = sum(
        len(t.examples)
        for t in doctest.DocTestFinder().find(importlib.import_module("hyperband.tuning.schedulers.rung_table"))
    )
    assert count > 3
