"""`show_config`: which engine, instruction set and how many threads are in use, and why."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hyperband._common import build_info
from hyperband._common.version import VERSION
from hyperband.errors import HyperbandError

#: Environment variables that change what is in use.
VARIABLES = (
    "HYPERBAND_BACKEND", "HYPERBAND_ISA", "HYPERBAND_BF16", "HYPERBAND_THREADS", "HYPERBAND_CUDA_THREADS",
    "HYPERBAND_PURE", "HYPERBAND_CUDA",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """What `show_config` found; ``str(config)`` is for people, `to_dict` for machines.

    Parameters
    ----------
    version, build : str
        ``build`` says whether the compiled engine is there, and if not, why.
    backend, reason : str
        What ``backend="auto"`` means here, and why.
    backends : Mapping[str, str]
        Every backend with "available" or the reason why it is not.
    engine : Mapping[str, str]
        How the backend in use describes itself: instruction set, threads, version.
    environment : Mapping[str, str]
        Of ``HYPERBAND_...`` variables those that are set.
    python, numpy, machine : str
    """

    version: str
    build: str
    backend: str
    reason: str
    backends: Mapping[str, str]
    engine: Mapping[str, str]
    environment: Mapping[str, str]
    python: str
    numpy: str
    machine: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            ("hyperband", self.version),
            ("build", self.build),
            ("backend", f"{self.backend} ({self.reason})" if self.backend else self.reason),
            *((f"  {key.replace('_', ' ')}", value) for key, value in self.engine.items()),
            ("backends", ""),
            *((f"  {name}", state) for name, state in self.backends.items()),
            ("environment", ", ".join(f"{k}={v}" for k, v in self.environment.items()) or "no HYPERBAND_ variable set"),
            ("python", f"{self.python}, NumPy {self.numpy}"),
            ("machine", self.machine),
        ]
        width = max(len(key) for key, _ in lines) + 2
        return "\n".join(f"{key:<{width}}{value}".rstrip() for key, value in lines)

    __repr__ = __str__


def show_config() -> Config:
    """Version, build, backend in use and why, the others and why not, instruction set, threads.

    Returns
    -------
    Config
        Prints as a table; ``to_dict()`` gives plain data.

    Examples
    --------
    >>> import hyperband as hb
    >>> config = hb.show_config()
    >>> config.version == hb.__version__
    True
    >>> config.backends["numpy"]
    'available'
    """
    import numpy as np

    from hyperband.engine.backends import registry

    try:
        choice = registry.choose("auto")
        backend, reason, engine = choice.name, choice.reason, registry.get(choice.name).describe()
    except HyperbandError as error:  # an impossible environment variable: say so instead of failing
        backend, reason, engine = "", str(error), {}
    states = registry.available()
    return Config(
        version=VERSION,
        build=_build(states.get("native", "")),
        backend=backend,
        reason=reason,
        backends={name: state or "available" for name, state in states.items()},
        engine=dict(engine),
        environment={name: os.environ[name] for name in VARIABLES if name in os.environ},
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=np.__version__,
        machine=f"{platform.machine()}, {os.cpu_count()} processors, {sys.platform}",
    )


def _build(native: str) -> str:
    """How the package was built; a compiled engine beside a source tree that was not installed is native too."""
    if not native and build_info.kind() != "native":
        return "native, compiled in place"
    return build_info.summary()
