"""What `result.json` says of how a search was called and what it ran on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from hyperband.cli.main import ARGUMENTS
from hyperband.cli.wording import option_names

if TYPE_CHECKING:
    from hyperband.interface.network_result import NetworkSearchResult


def search_record(ctx: click.Context, result: NetworkSearchResult, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """The command line, the seed, every option, the space, versions, and fingerprints of the tables; for JSON."""
    names = option_names(ctx.command)
    options = {names[name].removeprefix("--"): value for name, value in ctx.params.items() if names[name][:2] == "--"}
    return {
        "command": ["hyperband", *ctx.meta[ARGUMENTS]],
        "seed": ctx.params["seed"],
        "options": options,
        "space": None if result.space is None else result.space.to_dict(),
        "versions": versions(ctx.params["backend"]),
        "fingerprints": dict(fingerprints),
    }


def versions(backend: str) -> dict[str, Any]:
    """What a result may depend on, in the words of ``hyperband info --json``; of the backend that was asked for."""
    from hyperband.engine.backends import registry
    from hyperband.interface.show_config import show_config

    config = show_config()
    choice = registry.choose(backend)
    return {
        "hyperband": config.version,
        "python": config.python,
        "numpy": config.numpy,
        "build": config.build,
        "backend": choice.name,
        "engine": dict(registry.get(backend).describe()),
        "machine": config.machine,
    }
