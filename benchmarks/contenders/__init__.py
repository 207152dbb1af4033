"""Ways to train the same networks, one file each; `ALL` in the order of the tables."""

from benchmarks.contenders.base import Contender, Session, Unavailable
from benchmarks.contenders.engine import Native, Numba, Reference
from benchmarks.contenders.jax_vmap import Jax
from benchmarks.contenders.numpy_loop import NumpyLoop
from benchmarks.contenders.pure_python import PurePython
from benchmarks.contenders.pytorch import TorchBatched, TorchCompiled, TorchLoop
from benchmarks.contenders.sklearn_mlp import Sklearn

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

__all__ = ["ALL", "Contender", "Reference", "Session", "Unavailable"]
