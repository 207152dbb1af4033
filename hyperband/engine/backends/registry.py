"""The backends by name, and which one "auto" means here and why."""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from importlib import import_module

from hyperband._common import build_info
from hyperband.engine.backends.base import Backend
from hyperband.errors import BackendUnavailable, InputError

VARIABLE = "HYPERBAND_BACKEND"

#: name -> module with a function ``backend() -> Backend``; "auto" takes the first that works
_MODULES = {
    "cuda": "hyperband.engine.backends.cuda",
    "native": "hyperband.engine.backends.native",
    "numba": "hyperband.engine.backends.numba_backend",
    "numpy": "hyperband.engine.backends.numpy64",
}
#: "cuda:1" is the GPU of that number; "cuda" is all of them
_ONE_GPU = re.compile(r"cuda:\d{1,3}")
#: how to get a backend that lacks something
_REMEDIES = {
    "cuda": "build the compiled package with HYPERBAND_CUDA=ON (needs nvcc; HYPERBAND_PURE must not be set)",
    "native": "build it with `pip install --no-build-isolation -e .` (needs a C++20 compiler, CMake and Ninja; "
    "HYPERBAND_PURE must not be set)",
    "numba": "install it with `pip install numba`",
}
#: Backends that were made so far, by name.
made: dict[str, Backend] = {}
#: Slow backends that a warning has named.
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class Choice:
    """Which backend a name stands for, and why."""

    name: str
    reason: str


def names() -> tuple[str, ...]:
    """All names that `get` knows, "auto" first; `get` also knows "cuda:0", "cuda:1" and so on."""
    return ("auto", *_MODULES)


def choose(name: str = "auto") -> Choice:
    """The backend that ``name`` stands for and why.

    ``HYPERBAND_BACKEND`` overrides "auto"; a backend asked for by name is never replaced by another one.

    Raises
    ------
    InputError
        When the name is unknown.
    BackendUnavailable
        When that backend cannot be used here.

    Examples
    --------
    >>> choose("numpy")
    Choice(name='numpy', reason='asked for by name')
    """
    if _known(name, "`backend`") != "auto":
        _load(name)
        return Choice(name, "asked for by name")
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted and _known(wanted, f"The environment variable {VARIABLE}") != "auto":
        _load(wanted)
        return Choice(wanted, f"the environment variable {VARIABLE} says so")
    missing: list[str] = []
    for each in _MODULES:
        reason = _unavailable(each)
        if not reason:
            return Choice(each, "; ".join([*missing, f"{each} is the fastest that works here"]))
        missing.append(reason.rstrip("."))
    raise BackendUnavailable("No backend works here. " + "; ".join(missing))


def get(name: str = "auto") -> Backend:
    """The backend called ``name``; see `choose` for "auto" and for the errors.

    Warns
    -----
    UserWarning
        Once, where "auto" has only NumPy, or Numba because the engine could not be compiled.

    Examples
    --------
    >>> get("numpy").name
    'numpy'
    """
    choice = choose(name)
    if name == "auto":
        _warn_of_slowness(choice)
    return _load(choice.name)


def _warn_of_slowness(choice: Choice) -> None:
    """Nobody asked for a backend that is many times slower than the compiled one."""
    if choice.name in _warned or os.environ.get(VARIABLE):
        return
    if choice.name == "numpy" or (choice.name == "numba" and build_info.kind() == "fallback"):
        _warned.add(choice.name)
        slower = "a hundred times slower than the compiled engine" if choice.name == "numpy" else "slower than it could"
        more = " Or install Numba: pip install numba." if choice.name == "numpy" else ""
        warnings.warn(
            f"Networks train with {choice.name}, {slower}. The package is {build_info.summary()}{more}",
            UserWarning,
            stacklevel=3,
        )


def available() -> dict[str, str]:
    """Every backend's name with "" when it works here, else the reason why it does not."""
    return {name: _unavailable(name) for name in _MODULES}


def _unavailable(name: str) -> str:
    try:
        _load(name)
    except BackendUnavailable as error:
        return str(error)
    return ""


def _load(name: str) -> Backend:
    if name not in made:
        kind, _, number = name.partition(":")
        try:
            module = import_module(_MODULES[kind])
            made[name] = module.backend(name) if number else module.backend()
        except ImportError as error:
            remedy = _REMEDIES.get(kind, "reinstall the package")
            raise BackendUnavailable(f"Backend {name!r} cannot be used: {error}; {remedy}.") from error
    return made[name]


def _known(name: str, what: str) -> str:
    if name not in names() and not (isinstance(name, str) and _ONE_GPU.fullmatch(name)):
        raise InputError(f"{what} must be one of {', '.join(names())}, or cuda:N for one GPU; got {name!r}.")
    return name
