"""The command line: one subcommand a benchmark; ``engine`` when none is named."""

from __future__ import annotations

import sys
from importlib import import_module

import click

#: subcommand -> module below ``benchmarks`` with a click command `main`, and what it shows
COMMANDS = {
    "engine": ("training.engine", "Network-epochs per second, against other ways to train the same networks."),
    "features": ("training.features", "What each feature of a network costs."),
    "heatmap": ("training.heatmap", "Percent of the peak by width and batch size."),
    "same-shape": ("training.same_shape", "Many small networks of one shape, against one of them alone."),
    "precision": ("training.precision", "bfloat16 products against float32: time, and errors on real tables."),
    "growth": ("training.growth", "Time and memory a network, from 100 to 10,000 networks."),
    "startup": ("training.startup", "What happens before the first epoch."),
    "inference": ("training.inference", "Outputs of a network on a million rows, against NumPy."),
    "instructions": ("training.instructions", "Instructions of a fixed training by kernel, against committed counts."),
    "figures": ("training.figures", "Charts of what engine and growth wrote as JSON."),
    "gpu": ("gpu.epochs", "Epochs of thousands of networks and a whole search, beside PyTorch and JAX on one GPU."),
    "gpu-check": ("gpu.check", "Build with CUDA, compare with the CPU to the bit, look for races, time."),
    "search": ("search.digits", "A whole Hyperband: how long it takes, how busy the processors are."),
    "search-peers": ("search.peers", "The same beside Optuna with PyTorch, and scikit-learn."),
    "datasets": ("search.datasets", "The network that a search finds on real tables, against a default network."),
    "ensembles": ("search.ensembles", "Accuracy on new rows of ensembles, by what they are chosen by."),
    "accuracy": (
        "accuracy.benchmark",
        "Predictions of real tables after a given time, beside other libraries.",
    ),
    "ablation": ("accuracy.ablation", "The same for ours alone, with each ingredient left out, or added."),
    "left-out": (
        "accuracy.left_out",
        "Ingredients that the engine does not have, tried on single networks in PyTorch.",
    ),
    "search-quality": ("quality.benchmark", "Regret of every scheduler and sampler, beside other libraries."),
    "rungs": ("bookkeeping.rungs", "Bookkeeping of a million trials, beside other libraries."),
    "spaces": ("bookkeeping.spaces", "Conditional configurations drawn, beside other libraries."),
    "readme": ("documents.command", "Write the figures of README.md and RESULTS.md from results/*.json."),
}


class Benchmarks(click.Group):
    """Subcommands whose modules are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a module, or None."""
        module, shows = COMMANDS.get(cmd_name, ("", ""))
        if not module:
            return None
        found: click.Command = import_module(f"benchmarks.{module}").main
        found.help = found.short_help = shows
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table alone, so that help imports no benchmark."""
        with formatter.section("Benchmarks"):
            formatter.write_dl([(name, shows) for name, (_, shows) in COMMANDS.items()])


@click.group("benchmarks", cls=Benchmarks, context_settings={"terminal_width": 120})
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
