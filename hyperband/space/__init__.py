"""The search space: parameters, conditions, constraints."""

from hyperband.space.parameters import Choice, Float, Int, Parameter
from hyperband.space.rules import Expression, When
from hyperband.space.space import Points, Space

__all__ = ["Choice", "Expression", "Float", "Int", "Parameter", "Points", "Space", "When"]
