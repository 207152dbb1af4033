"""How this package was built: with the compiled engine, or without it and why."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

#: How to get the compiled engine, by the way in which the package was built.
_REMEDIES = {
    "pure": "install it again without HYPERBAND_PURE",
    "fallback": "install a C++20 compiler (or point CXX to one) and install the package again",
    "source": "install it with `pip install .` or `make build`",
}


def kind() -> str:
    """How the package was built.

    One of "native", "pure" (built without the engine on request), "fallback" (compiling failed) and "source" (a source
    tree that was not installed).
    """
    record = _record()
    return "source" if record is None else str(record.KIND)


def details() -> dict[str, str]:
    """What the build recorded: compiler, instruction sets, CUDA; or why the package is pure Python.

    Examples
    --------
    >>> details()["kind"] == kind()
    True
    """
    record = _record()
    if record is None:
        return {"kind": "source", "reason": "a source tree that was not installed"}
    names = (name for name in vars(record) if name.isupper())
    values = {name.lower(): str(vars(record)[name]) for name in names}
    return {name: value for name, value in values.items() if value not in ("", "OFF")}


def summary() -> str:
    """The build in one line: compiler and instruction sets, or why there is no native engine and how to get one.

    Examples
    --------
    >>> len(summary().splitlines())
    1
    """
    found = details()
    if found["kind"] == "native":
        sanitized = ", with sanitizers" if "sanitized" in found else ""
        flags = f", CXXFLAGS {found['cxxflags']}" if "cxxflags" in found else ""
        return (
            f"native, {found['compiler']} {found['build_type']}{sanitized}{flags}; instruction sets {found['isas']}; "
            f"CUDA {found['cuda']}"
        )
    return f"pure Python, no native engine: {found['reason']}. Remedy: {_REMEDIES[found['kind']]}."


def _record() -> ModuleType | None:
    try:
        return import_module("hyperband._build")
    except ModuleNotFoundError:
        return None


if __name__ == "__main__":  # printed at the end of `make build`
    print(f"hyperband was built: {summary()}")
    if kind() == "fallback":
        print(
            "*" * 79,
            "THE C++ ENGINE COULD NOT BE COMPILED: everything works, but many times slower.",
            "*" * 79,
            sep="\n",
        )
