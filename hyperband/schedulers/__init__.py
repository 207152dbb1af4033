"""Who goes on: each scheduler is a frozen recipe with an exact plan; `brackets` carries out any plan."""

from hyperband.schedulers.full import FullScheduler
from hyperband.schedulers.hyperband import HyperbandScheduler
from hyperband.schedulers.successive_halving import SuccessiveHalvingScheduler

__all__ = ["FullScheduler", "HyperbandScheduler", "SuccessiveHalvingScheduler"]
