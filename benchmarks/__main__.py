"""The command line: one subcommand a benchmark; ``engine`` when none is named."""

from __future__ import annotations

import sys
from importlib import import_module

import click

#: subcommand -> what it shows; its module has a click command `main`
COMMANDS = {
    "engine": "Network-epochs per second, against other ways to train the same networks.",
    "features": "What each feature of a network costs.",
    "heatmap": "Percent of the peak by width and batch size.",
    "twins": "Many small networks of one shape, against one of them alone.",
    "precision": "bfloat16 products against float32: time, and errors of twenty seeds on real tables.",
    "growth": "Time and memory a network, from 100 to 10,000 networks.",
    "startup": "What happens before the first epoch.",
    "gpu": "Backend cuda: thousands of networks an epoch, and a whole search, beside PyTorch and JAX on the same GPU.",
    "gpu-check": "Build with CUDA, compare with the CPU to the bit, look for races, time: all in eight minutes.",
    "search": "A whole Hyperband: how long it takes, how busy the processors are.",
    "search-peers": "The same beside Optuna with PyTorch, and scikit-learn.",
    "search-quality": "Regret of every scheduler and sampler, on tasks without training; beside other libraries.",
    "rungs": "Bookkeeping of a million trials: results a second, bytes a result; beside other libraries.",
    "inference": "Outputs of a network on a million rows, against NumPy.",
    "spaces": "Conditional configurations drawn, beside ConfigSpace, Optuna and scikit-learn.",
    "figures": "Figures of what engine and growth wrote as JSON.",
    "instructions": "Instructions of a fixed training, kernel by kernel, against the committed counts.",
    "datasets": "The best network that a search finds on real tables, against scikit-learn's default one.",
}


class Commands(click.Group):
    """Subcommands whose modules are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a module, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"benchmarks.{cmd_name.replace('-', '_')}").main
        command.help = command.short_help = COMMANDS[cmd_name]
        return command


@click.group("benchmarks", cls=Commands)
def benchmarks() -> None:
    """Benchmarks of hyperband; `engine` when no command is named."""


def main() -> None:
    """Run the named benchmark, else `engine`."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] != "--help"):
        arguments = ["engine", *arguments]
    benchmarks(arguments, prog_name="python -m benchmarks")


if __name__ == "__main__":
    main()
