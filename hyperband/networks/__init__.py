"""From a configuration to a network: the default space of multi-layer perceptrons, and what its names mean."""

from hyperband.networks.configure import PARAMETERS, to_architecture
from hyperband.networks.space import default_space

__all__ = ["PARAMETERS", "default_space", "to_architecture"]
