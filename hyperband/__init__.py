"""Hyperparameter search that trains thousands of different small neural networks at once, or calls any function."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyperband.engine.architecture import Architecture as Architecture
    from hyperband.engine.population import Population as Population
    from hyperband.errors import BackendUnavailable as BackendUnavailable
    from hyperband.errors import DataError as DataError
    from hyperband.errors import HyperbandError as HyperbandError
    from hyperband.errors import InputError as InputError
    from hyperband.errors import InsufficientMemory as InsufficientMemory
    from hyperband.errors import ModelFileError as ModelFileError
    from hyperband.errors import ObjectiveError as ObjectiveError
    from hyperband.evaluation.budget import Budget as Budget
    from hyperband.evaluation.functions.evaluation import Evaluation as Evaluation
    from hyperband.evaluation.functions.workers import Workers as Workers
    from hyperband.evaluation.networks.compute import Compute as Compute
    from hyperband.evaluation.networks.training import Training as Training
    from hyperband.interface.minimize import minimize as minimize
    from hyperband.interface.result import SearchResult as SearchResult
    from hyperband.interface.search import search as search
    from hyperband.interface.show_config import show_config as show_config
    from hyperband.model import Model as Model
    from hyperband.model.distillation import distil as distil
    from hyperband.space import Choice as Choice
    from hyperband.space import Float as Float
    from hyperband.space import Int as Int
    from hyperband.space import Repeat as Repeat
    from hyperband.space import Space as Space
    from hyperband.space import When as When
    from hyperband.tables.options import TableOptions as TableOptions
    from hyperband.tables.prepared_table import PreparedTable as PreparedTable
    from hyperband.tables.splitters import GroupSplit as GroupSplit
    from hyperband.tables.splitters import KFold as KFold
    from hyperband.tables.splitters import TimeSplit as TimeSplit
    from hyperband.tuning.algorithms import ASHA as ASHA
    from hyperband.tuning.algorithms import BOHB as BOHB
    from hyperband.tuning.algorithms import DEHB as DEHB
    from hyperband.tuning.algorithms import PASHA as PASHA
    from hyperband.tuning.algorithms import PBT as PBT
    from hyperband.tuning.algorithms import AdaptiveSearch as AdaptiveSearch
    from hyperband.tuning.algorithms import AsyncHyperband as AsyncHyperband
    from hyperband.tuning.algorithms import GridSearch as GridSearch
    from hyperband.tuning.algorithms import HalvingSequence as HalvingSequence
    from hyperband.tuning.algorithms import Hyperband as Hyperband
    from hyperband.tuning.algorithms import PriorBand as PriorBand
    from hyperband.tuning.algorithms import RandomSearch as RandomSearch
    from hyperband.tuning.algorithms import SuccessiveHalving as SuccessiveHalving
    from hyperband.tuning.samplers import AdaptiveSampler as AdaptiveSampler
    from hyperband.tuning.samplers import EvolutionSampler as EvolutionSampler
    from hyperband.tuning.samplers import GridSampler as GridSampler
    from hyperband.tuning.samplers import IterableSampler as IterableSampler
    from hyperband.tuning.samplers import KDESampler as KDESampler
    from hyperband.tuning.samplers import PriorBandSampler as PriorBandSampler
    from hyperband.tuning.samplers import PriorSampler as PriorSampler
    from hyperband.tuning.samplers import QuasiRandomSampler as QuasiRandomSampler
    from hyperband.tuning.samplers import RandomSampler as RandomSampler
    from hyperband.tuning.samplers import WarmStartSampler as WarmStartSampler
    from hyperband.tuning.trial import Job as Job
    from hyperband.tuning.trial import Result as Result

from hyperband._common.version import VERSION as __version__

#: public name -> module that defines it; imported on first use, so that ``import hyperband`` stays fast
_MODULE_OF = {
    "ASHA": "tuning.algorithms",
    "AdaptiveSearch": "tuning.algorithms",
    "AsyncHyperband": "tuning.algorithms",
    "BOHB": "tuning.algorithms",
    "DEHB": "tuning.algorithms",
    "GridSearch": "tuning.algorithms",
    "HalvingSequence": "tuning.algorithms",
    "Hyperband": "tuning.algorithms",
    "PASHA": "tuning.algorithms",
    "PBT": "tuning.algorithms",
    "PriorBand": "tuning.algorithms",
    "RandomSearch": "tuning.algorithms",
    "SuccessiveHalving": "tuning.algorithms",
    "Architecture": "engine.architecture",
    "show_config": "interface.show_config",
    "Budget": "evaluation.budget",
    "BackendUnavailable": "errors",
    "DataError": "errors",
    "HyperbandError": "errors",
    "InputError": "errors",
    "InsufficientMemory": "errors",
    "ModelFileError": "errors",
    "ObjectiveError": "errors",
    "Evaluation": "evaluation.functions.evaluation",
    "Workers": "evaluation.functions.workers",
    "Compute": "evaluation.networks.compute",
    "Training": "evaluation.networks.training",
    "TableOptions": "tables.options",
    "PreparedTable": "tables.prepared_table",
    "GroupSplit": "tables.splitters",
    "KFold": "tables.splitters",
    "TimeSplit": "tables.splitters",
    "minimize": "interface.minimize",
    "Model": "model",
    "distil": "model.distillation",
    "Population": "engine.population",
    "SearchResult": "interface.result",
    "AdaptiveSampler": "tuning.samplers",
    "EvolutionSampler": "tuning.samplers",
    "GridSampler": "tuning.samplers",
    "IterableSampler": "tuning.samplers",
    "KDESampler": "tuning.samplers",
    "PriorBandSampler": "tuning.samplers",
    "PriorSampler": "tuning.samplers",
    "QuasiRandomSampler": "tuning.samplers",
    "RandomSampler": "tuning.samplers",
    "WarmStartSampler": "tuning.samplers",
    "search": "interface.search",
    "Choice": "space",
    "Float": "space",
    "Int": "space",
    "Repeat": "space",
    "Space": "space",
    "When": "space",
    "Job": "tuning.trial",
    "Result": "tuning.trial",
}

__all__ = ["__version__", *sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'hyperband' has no attribute {name!r}")
    value = getattr(import_module(f"hyperband.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __reduce_ex__(protocol: object) -> Any:
    """What ``pickle`` stores of this module, its name; a module without this function is refused."""
    return import_module, (__name__,)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
