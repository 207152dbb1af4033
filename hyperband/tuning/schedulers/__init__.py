"""Who goes on: each scheduler is a frozen recipe with a plan; `brackets` and `asynchronous` carry plans out."""

from hyperband.tuning.schedulers.asha import ASHAScheduler, AsyncHyperbandScheduler
from hyperband.tuning.schedulers.evolution import EvolutionScheduler
from hyperband.tuning.schedulers.full import FullScheduler
from hyperband.tuning.schedulers.hyperband import HyperbandScheduler
from hyperband.tuning.schedulers.pasha import PASHAScheduler
from hyperband.tuning.schedulers.pbt import PopulationScheduler
from hyperband.tuning.schedulers.successive_halving import SuccessiveHalvingScheduler

__all__ = [
    "ASHAScheduler",
    "AsyncHyperbandScheduler",
    "EvolutionScheduler",
    "FullScheduler",
    "HyperbandScheduler",
    "PASHAScheduler",
    "PopulationScheduler",
    "SuccessiveHalvingScheduler",
]
