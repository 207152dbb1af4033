"""The search space: parameters, conditions, constraints."""

from hyperband.space.choice import Choice
from hyperband.space.definition import Points
from hyperband.space.expression import Expression
from hyperband.space.nested import Repeat
from hyperband.space.numbers import Float, Int
from hyperband.space.parameters import Parameter
from hyperband.space.rules import When
from hyperband.space.space import Space

__all__ = ["Choice", "Expression", "Float", "Int", "Parameter", "Points", "Repeat", "Space", "When"]
