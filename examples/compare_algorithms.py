"""Five algorithms on one function, each with the same total resource."""

import math

import hyperband as hb

space = hb.Space(
    {
        "rate": hb.Float(1e-4, 1.0, log=True),
        "depth": hb.Int(1, 8),
        "kind": hb.Choice(["plain", "wide", "narrow"]),
    }
)


def objective(configuration, resource):
    """A learning curve: falls with the resource to a floor that depends on the configuration."""
    floor = (math.log10(configuration["rate"]) + 2) ** 2 / 10 + (configuration["depth"] - 5) ** 2 / 50
    floor += {"plain": 0.05, "wide": 0.0, "narrow": 0.1}[configuration["kind"]]
    return floor + math.exp(-resource * configuration["rate"] * 5)


budget = 1581  # what Hyperband(81, 3) spends when trials go on from where they were paused
full = budget // 81
algorithms = {
    "grid": hb.GridSearch(n=full, max_resource=81),
    "random": hb.RandomSearch(n=full, max_resource=81),
    "adaptive": hb.AdaptiveSearch(n=full, max_resource=81),
    "successive halving": hb.SuccessiveHalving(81, 3),
    "hyperband": hb.Hyperband(81, 3),
}

print(f"{'algorithm':<20} {'configurations':>14} {'evaluations':>11} {'best loss':>10}")
for name, algorithm in algorithms.items():
    result = hb.minimize(objective, space, algorithm, seed=0)
    print(f"{name:<20} {result.n_configurations:>14} {result.n_evaluations:>11} {result.best.loss:>10.4f}")
