"""From a configuration to a network: the default space of multi-layer perceptrons, and what its names mean."""

from hyperband.engine.network_space.configure import CHANGEABLE, PARAMETERS, to_architecture
from hyperband.engine.network_space.space import default_space

__all__ = ["CHANGEABLE", "PARAMETERS", "default_space", "to_architecture"]
