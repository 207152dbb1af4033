"""Who goes on: each scheduler is a frozen recipe with a plan; `brackets` and `asynchronous` carry plans out."""

from hyperband.schedulers.asha import ASHAScheduler, AsyncHyperbandScheduler
from hyperband.schedulers.evolution import EvolutionScheduler
from hyperband.schedulers.full import FullScheduler
from hyperband.schedulers.hyperband import HyperbandScheduler
from hyperband.schedulers.pasha import PASHAScheduler
from hyperband.schedulers.population import PopulationScheduler
from hyperband.schedulers.successive_halving import SuccessiveHalvingScheduler

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
