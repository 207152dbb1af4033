"""Exact plans: what a search will do, on integers and rationals."""

from hyperband._common.checks import Exact, Number, as_float, exact, plain, whole_number
from hyperband.tuning.plans.plan import Bracket, Plan, Rung
from hyperband.tuning.plans.tables import (
    async_hyperband_plan,
    async_plan,
    full_plan,
    hyperband_plan,
    population_plan,
    repeated,
    successive_halving_plan,
    times_of,
)

__all__ = [
    "Bracket",
    "Exact",
    "Number",
    "Plan",
    "Rung",
    "as_float",
    "exact",
    "full_plan",
    "hyperband_plan",
    "async_plan",
    "async_hyperband_plan",
    "plain",
    "population_plan",
    "repeated",
    "successive_halving_plan",
    "times_of",
    "whole_number",
]
