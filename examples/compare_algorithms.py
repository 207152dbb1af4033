"""The five classic algorithms on one function with about the same total resource, and where each of them searched.

    python compare_algorithms.py --plot comparison.png

draws the trials of each algorithm side by side over two parameters, with the rung that each one reached (needs
matplotlib).
"""

import argparse
import math

import hyperband as hb

space = hb.Space(
    {
        "rate": hb.Float(1e-4, 1.0, log=True),
        "depth": hb.Int(1, 16),
        "kind": hb.Choice(["plain", "wide", "narrow"]),
    }
)


def loss(configuration, resource=81):
    """A learning curve: falls with the resource to a floor that depends on the configuration."""
    floor = (math.log10(configuration["rate"]) + 1.5) ** 2 / 5 + (configuration["depth"] - 10) ** 2 / 100
    floor += {"plain": 0.05, "wide": 0.0, "narrow": 0.1}[configuration["kind"]]
    return floor + math.exp(-resource * configuration["rate"] * 20)


def objective(configuration, resource, state):
    """Continues a paused trial, so only the additional resource is spent; the state is the resource so far."""
    return hb.Evaluation(loss(configuration, resource), state=resource)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--plot", metavar="FILE", help="write the landscapes to this png, pdf or svg file")
options = parser.parse_args()

spend = hb.Hyperband(81, 3).plan().cost  # 1581
full = spend // 81  # configurations that get the full resource for that
algorithms = {
    "grid": hb.GridSearch(n=full, max_resource=81),
    "random": hb.RandomSearch(n=full, max_resource=81),
    "adaptive": hb.AdaptiveSearch(n=full, max_resource=81),
    "successive halving": hb.SuccessiveHalving(81, 3, n=5 * 81),  # spends on one bracket what Hyperband spends on five
    "Hyperband": hb.Hyperband(81, 3),
}

print(f"{'algorithm':<20} {'configurations':>14} {'evaluations':>11} {'spent':>6} {'best loss':>10}")
results = {}
for name, algorithm in algorithms.items():
    result = results[name] = hb.minimize(objective, space, algorithm, seed=0, unit="epochs")
    counts = f"{result.n_configurations:>14} {result.n_evaluations:>11} {result.cost:>6.0f}"
    print(f"{name:<20} {counts} {result.best.loss:>10.4f}")

if options.plot:
    from hyperband.plots import compare

    compare(results, "rate", "depth", loss=loss).savefig(options.plot)
    print("landscapes:", options.plot)
