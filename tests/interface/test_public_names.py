"""Public names: all there, lazy, and not hidden by modules of the same name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hyperband as hb

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", hb.__all__)
def test_every_public_name_is_there(name):
    assert getattr(hb, name) is not None
    assert name in dir(hb)


def test_type_checkers_see_the_same_names():
    lines = Path(hb.__file__).read_text().splitlines()
    imports = [line.split(" as ")[-1] for line in lines if line.startswith("    from ")]
    assert sorted(imports) == sorted(set(hb.__all__) - {"__version__"})


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = hb.serach


def test_modules_do_not_hide_functions():
    code = (
        "import hyperband.interface.search, hyperband.interface.minimize, hyperband as hb;"
        "assert callable(hb.search) and callable(hb.minimize)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_import_is_light():
    code = (
        "import sys; import hyperband;"
        "heavy = {'numpy', 'polars', 'sklearn', 'numba', 'rich', 'click'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_show_config_for_people_and_machines(monkeypatch):
    monkeypatch.setenv("HYPERBAND_THREADS", "1")
    config = hb.show_config()
    text = str(config)
    assert hb.__version__ in text and "HYPERBAND_THREADS=1" in text
    assert set(config.to_dict()["backends"]) == {"native", "numba", "numpy", "cuda"}
    assert config.backends["cuda"] == "available" or "Backend 'cuda' cannot be used" in config.backends["cuda"]


def test_show_config_survives_an_impossible_environment(monkeypatch):
    monkeypatch.setenv("HYPERBAND_BACKEND", "abacus")
    assert "abacus" in hb.show_config().reason
