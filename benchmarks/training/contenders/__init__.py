"""Ways to train the same networks, one file each; `ALL` in the order of the tables."""

from benchmarks.training.contenders.base import Contender, Session
from benchmarks.training.contenders.engine import Native, Numba, Reference
from benchmarks.training.contenders.jax_vmap import Jax
from benchmarks.training.contenders.numpy_loop import NumpyLoop
from benchmarks.training.contenders.pure_python import PurePython
from benchmarks.training.contenders.pytorch import TorchBatched, TorchCompiled, TorchLoop
from benchmarks.training.contenders.sklearn_mlp import Sklearn

ALL: tuple[type[Contender], ...] = (
    Native,
    Numba,
    Jax,
    TorchCompiled,
    TorchBatched,
    TorchLoop,
    NumpyLoop,
    Sklearn,
    PurePython,
)

__all__ = ["ALL", "Contender", "Reference", "Session"]
