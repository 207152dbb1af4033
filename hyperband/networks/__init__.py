"""From a configuration to a network: the default space of multi-layer perceptrons, and what its names mean."""

from hyperband.networks.configure import CHANGEABLE, PARAMETERS, to_architecture
from hyperband.networks.space import default_space

__all__ = ["CHANGEABLE", "PARAMETERS", "default_space", "to_architecture"]
