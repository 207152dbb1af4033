"""Grid, random and adaptive search, successive halving and Hyperband over thousands of networks trained at once."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.algorithms import ASHA as ASHA
    from hyperband.algorithms import BOHB as BOHB
    from hyperband.algorithms import DEHB as DEHB
    from hyperband.algorithms import PASHA as PASHA
    from hyperband.algorithms import PBT as PBT
    from hyperband.algorithms import AdaptiveSearch as AdaptiveSearch
    from hyperband.algorithms import AsyncHyperband as AsyncHyperband
    from hyperband.algorithms import GridSearch as GridSearch
    from hyperband.algorithms import Hyperband as Hyperband
    from hyperband.algorithms import PriorBand as PriorBand
    from hyperband.algorithms import RandomSearch as RandomSearch
    from hyperband.algorithms import SuccessiveHalving as SuccessiveHalving
    from hyperband.architecture import Architecture as Architecture
    from hyperband.config import show_config as show_config
    from hyperband.driver import Budget as Budget
    from hyperband.errors import BackendUnavailable as BackendUnavailable
    from hyperband.errors import DataError as DataError
    from hyperband.errors import HyperbandError as HyperbandError
    from hyperband.errors import InputError as InputError
    from hyperband.errors import InsufficientMemory as InsufficientMemory
    from hyperband.errors import ModelFileError as ModelFileError
    from hyperband.evaluators.evaluation import Evaluation as Evaluation
    from hyperband.minimize import minimize as minimize
    from hyperband.model import Model as Model
    from hyperband.population import Population as Population
    from hyperband.result import SearchResult as SearchResult
    from hyperband.samplers import AdaptiveSampler as AdaptiveSampler
    from hyperband.samplers import EvolutionSampler as EvolutionSampler
    from hyperband.samplers import GridSampler as GridSampler
    from hyperband.samplers import IterableSampler as IterableSampler
    from hyperband.samplers import KDESampler as KDESampler
    from hyperband.samplers import PriorBandSampler as PriorBandSampler
    from hyperband.samplers import PriorSampler as PriorSampler
    from hyperband.samplers import QuasiRandomSampler as QuasiRandomSampler
    from hyperband.samplers import RandomSampler as RandomSampler
    from hyperband.samplers import WarmStartSampler as WarmStartSampler
    from hyperband.search import search as search
    from hyperband.space import Choice as Choice
    from hyperband.space import Float as Float
    from hyperband.space import Int as Int
    from hyperband.space import Repeat as Repeat
    from hyperband.space import Space as Space
    from hyperband.space import When as When
    from hyperband.trial import Job as Job
    from hyperband.trial import Result as Result

__version__ = "0.1.0"

#: public name -> module that defines it; imported on first use, so that ``import hyperband`` stays fast
_HOME = {
    "ASHA": "algorithms",
    "AdaptiveSearch": "algorithms",
    "AsyncHyperband": "algorithms",
    "BOHB": "algorithms",
    "DEHB": "algorithms",
    "GridSearch": "algorithms",
    "Hyperband": "algorithms",
    "PASHA": "algorithms",
    "PBT": "algorithms",
    "PriorBand": "algorithms",
    "RandomSearch": "algorithms",
    "SuccessiveHalving": "algorithms",
    "Architecture": "architecture",
    "show_config": "config",
    "Budget": "driver",
    "BackendUnavailable": "errors",
    "DataError": "errors",
    "HyperbandError": "errors",
    "InputError": "errors",
    "InsufficientMemory": "errors",
    "ModelFileError": "errors",
    "Evaluation": "evaluators.evaluation",
    "minimize": "minimize",
    "Model": "model",
    "Population": "population",
    "SearchResult": "result",
    "AdaptiveSampler": "samplers",
    "EvolutionSampler": "samplers",
    "GridSampler": "samplers",
    "IterableSampler": "samplers",
    "KDESampler": "samplers",
    "PriorBandSampler": "samplers",
    "PriorSampler": "samplers",
    "QuasiRandomSampler": "samplers",
    "RandomSampler": "samplers",
    "WarmStartSampler": "samplers",
    "search": "search",
    "Choice": "space",
    "Float": "space",
    "Int": "space",
    "Repeat": "space",
    "Space": "space",
    "When": "space",
    "Job": "trial",
    "Result": "trial",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hyperband' has no attribute {name!r}")
    value = getattr(import_module(f"hyperband.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps ``hyperband.search`` and ``hyperband.minimize`` the functions when their modules are imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
