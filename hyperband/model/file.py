"""The model file: a zip of plain data, weights and scikit-learn transformers; no pickle.

=========================  ==============================================================================
``meta.json``              format, versions, temperature, provenance; of each preprocessing its plain parts, among them
                           the target; of each member its weight, view and architecture
``weights.safetensors``    the arrays of `hyperband.engine.parameters`, float32, with the member's number in front:
                           ``0.weights.0``, ``0.bias.0``, ..., ``1.weights.0``, ...
``preprocessing.skops``    of each preprocessing a dict of its fitted scikit-learn transformers
=========================  ==============================================================================
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common.files import write_bytes
from hyperband._common.version import VERSION
from hyperband.engine.architecture import Architecture
from hyperband.engine.parameters import layered, named
from hyperband.errors import InputError, ModelFileError
from hyperband.model.member import MemberNetwork

if TYPE_CHECKING:
    from hyperband.tables.preprocess import Preprocessing

F32 = NDArray[np.float32]

#: raised by one whenever what is in the file changes
FORMAT = 3

#: the name of the model in the folder of a search
NAME = "model.hyperband"

#: types in the preprocessing that skops does not trust by itself; nothing else is ever loaded
TRUSTED = ("numpy.dtype",)

_REMEDY = "Copy it again from where it was written, or train again."


@dataclass(frozen=True, slots=True)
class Contents:
    """What a model file holds; the fields are those of `hyperband.Model`."""

    preprocessings: Sequence[Preprocessing]
    members: Sequence[MemberNetwork]
    temperature: float
    provenance: Mapping[str, Any]


def write_model(contents: Contents, path: str | os.PathLike[str]) -> None:
    """Write a model to ``path``, whole or not at all.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written; nothing is left behind.
    """
    write_bytes(Path(path), _pack(contents), "The model file")


def _pack(model: Contents) -> bytes:
    import sklearn
    import skops.io
    from safetensors.numpy import save

    members = [
        {"weight": member.weight, "view": member.view, "architecture": member.architecture.to_dict()}
        for member in model.members
    ]
    meta = {
        "format": FORMAT,
        "hyperband": VERSION,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "temperature": model.temperature,
        "preprocessings": [preprocessing.to_dict() for preprocessing in model.preprocessings],
        "members": members,
        "provenance": dict(model.provenance),
    }
    arrays = {
        f"{number}.{name}": array
        for number, member in enumerate(model.members)
        for name, array in named(member.architecture, member.weights).items()
    }
    transformers = [preprocessing.transformers for preprocessing in model.preprocessings]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("meta.json", json.dumps(meta, indent=1, default=_plain).encode()),
            ("weights.safetensors", save(arrays)),
            ("preprocessing.skops", skops.io.dumps(transformers)),
        ):
            entry = zipfile.ZipInfo(name)  # a fixed date: equal models, equal bytes as far as skops allows
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """NumPy values and records as plain data, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "items"):
        return dict(value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise InputError(f"`provenance` must be plain data (numbers, text, lists, dicts); got {type(value).__name__}.")


def read_model(path: str | os.PathLike[str]) -> Contents:
    """What the model file ``path`` holds, or the one in the folder ``path`` of a search.

    Raises
    ------
    ModelFileError
        When there is no such file, it is cut off or damaged, is no model, or is of another format.
    """
    if os.path.isdir(path):
        if not os.path.exists(os.path.join(path, NAME)):
            raise ModelFileError(
                f"The folder of a model must be one that a search wrote; {os.fspath(path)!r} holds no {NAME}. Name the "
                f"model's file, or what `hyperband search` was given as --out."
            )
        path = os.path.join(path, NAME)
    name = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"A model must be a readable file; {name!r} is not: {error.strerror}.") from None
    if data[:2] != b"PK":
        what = "is empty" if not data else "is something else"
        raise ModelFileError(f"A model must be a file written by `Model.save`; {name!r} {what}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "meta.json" not in archive.namelist():
                raise ModelFileError(
                    f"A model must be a file written by `Model.save`; {name!r} is another zip archive."
                )
            meta = _meta(archive.read("meta.json"), name)
            return _unpack(meta, archive.read("weights.safetensors"), archive.read("preprocessing.skops"), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: flags or versions garbled
        raise ModelFileError(
            f"A model file must be complete; {name!r} is cut off or damaged: {error}. {_REMEDY}"
        ) from None
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise damaged(name, error) from error


def damaged(path: str | os.PathLike[str], error: Exception) -> ModelFileError:
    """The error for a file whose parts can be read, but do not belong together."""
    return ModelFileError(f"A model file must be intact; {os.fspath(path)!r} is damaged: {error!r}. {_REMEDY}")


def _meta(data: bytes, name: str) -> dict[str, Any]:
    meta = json.loads(data)
    if not isinstance(meta, dict) or not isinstance(meta.get("format"), int):
        raise ModelFileError(f"A model file must say its format; {name!r} does not. {_REMEDY}")
    if meta["format"] != FORMAT:
        newer = meta["format"] > FORMAT
        remedy = "Upgrade: pip install --upgrade hyperband." if newer else "Predict with that version, or train again."
        raise ModelFileError(
            f"A model file must have format {FORMAT}; {name!r} has format {meta['format']}, written by hyperband "
            f"{meta.get('hyperband', '?')}. {remedy}"
        )
    return meta


def _unpack(meta: dict[str, Any], weights: bytes, preprocessing: bytes, name: str) -> Contents:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise ModelFileError(f"Weights in a model file must be safetensors; {name!r}: {error}. {_REMEDY}") from None
    members, known = [], set()
    for number, member in enumerate(meta["members"]):
        architecture, prefix = Architecture(**member["architecture"]), f"{number}."
        layers = layered(tensors, prefix)
        known |= {prefix + array for array in named(architecture, layers)}
        members.append(MemberNetwork(member["weight"], member["view"], architecture, layers))
    unknown = sorted(set(tensors) - known)
    if unknown:
        raise ModelFileError(f"Weights in a model file must be known; {name!r} holds also {unknown[0]!r}. {_REMEDY}")
    return Contents(_preprocessings(meta, preprocessing, name), members, meta["temperature"], meta["provenance"])


def _preprocessings(meta: dict[str, Any], data: bytes, name: str) -> list[Preprocessing]:
    import skops.io

    from hyperband.tables.preprocess import Preprocessing

    unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED))
    if unknown:
        raise ModelFileError(
            f"A model file must hold known types only; {name!r} holds {', '.join(unknown)} and is not loaded. "
            f"Do not use it unless you know who wrote it."
        )
    fitted = skops.io.loads(data, trusted=list(TRUSTED))
    return [
        Preprocessing.from_dict(plain, transformers)
        for plain, transformers in zip(meta["preprocessings"], fitted, strict=True)
    ]
