"""The model file: a zip of plain data and weights, neither of them compressed; nothing in it is code.

=========================  ==============================================================================
``meta.json``              format, versions, temperature, provenance; of each preprocessing its fitted numbers, texts
                           and target; of each member its weight, view and architecture
``weights.safetensors``    the arrays of `hyperband.engine.parameters`, float32, with the member's number in front:
                           ``0.weights.0``, ``0.bias.0``, ..., ``1.weights.0``, ...
=========================  ==============================================================================

A file is read as data that anybody may have written: nothing is decompressed, so that its size bounds what is
allocated, and every part goes through the constructor that checks what it means.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyperband._common import memory
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
FORMAT = 4

#: the name of the model in the folder of a search
NAME = "model.hyperband"

META, WEIGHTS = "meta.json", "weights.safetensors"

#: How `META` begins, in every format.
_BEGIN = re.compile(rb'\{\s*"format":\s*(\d{1,6}),\s*"hyperband":\s*"([^"]{1,40})"')
_LENGTH_OF_BEGIN = 200

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
    from safetensors.numpy import save

    members = [
        {"weight": member.weight, "view": member.view, "architecture": member.architecture.to_dict()}
        for member in model.members
    ]
    meta = {
        "format": FORMAT,
        "hyperband": VERSION,
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
    content = {META: json.dumps(meta, separators=(",", ":"), default=_plain).encode(), WEIGHTS: save(arrays)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # a fixed date: equal models, equal bytes
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
    data = _bytes_of(Path(path), name)
    if data[:2] != b"PK":
        what = "is empty" if not data else "is something else"
        raise ModelFileError(f"A model must be a file written by `Model.save`; {name!r} {what}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive, name)
            return _unpack(json.loads(archive.read(META)), archive.read(WEIGHTS), name)
    except (ModelFileError, MemoryError):
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: flags or versions garbled
        raise ModelFileError(
            f"A model file must be complete; {name!r} is cut off or damaged: {error}. {_REMEDY}"
        ) from None
    except Exception as error:  # whatever a constructor makes of a part that is not what was written
        raise damaged(name, error) from error


def damaged(path: str | os.PathLike[str], error: Exception) -> ModelFileError:
    """The error for a file whose parts can be read, but do not belong together."""
    return ModelFileError(f"A model file must be intact; {os.fspath(path)!r} is damaged: {error!r:.200}. {_REMEDY}")


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(
                f"A model must be a readable file; {name!r} is a folder, a device or a pipe. Copy it to a file."
            )
        memory.require(status.st_size, "A model file", "Free memory.")
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"A model must be a readable file; {name!r} is not: {error.strerror}.") from None


def _check_entries(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse other archives, other formats, and parts that are not stored as they are."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if META not in names:
        raise ModelFileError(f"A model must be a file written by `Model.save`; {name!r} is another zip archive.")
    with archive.open(META) as file:
        begin = _BEGIN.match(file.read(_LENGTH_OF_BEGIN))  # older formats are compressed: no more than that
    if begin is None:
        raise ModelFileError(f"A model file must say its format; {name!r} does not. {_REMEDY}")
    number, version = int(begin[1]), begin[2].decode("ascii", "replace")
    if number != FORMAT:
        remedy = "Predict with that version, or train again."
        if number > FORMAT:
            remedy = "Upgrade: pip install --upgrade hyperband."
        raise ModelFileError(
            f"A model file must have format {FORMAT}; {name!r} has format {number}, written by hyperband {version}. "
            f"{remedy}"
        )
    if sorted(names) != sorted((META, WEIGHTS)):
        raise ModelFileError(f"A model file must hold {META} and {WEIGHTS}; {name!r} holds {names!r:.80}. {_REMEDY}")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelFileError(f"A model file must not be compressed; parts of {name!r} are. {_REMEDY}")


def _unpack(meta: dict[str, Any], weights: bytes, name: str) -> Contents:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from hyperband.tables.preprocess import Preprocessing

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
    for array, values in tensors.items():
        if values.dtype != np.float32 or not np.isfinite(values).all():
            raise ModelFileError(
                f"Weights in a model file must be finite float32; {array!r} of {name!r} are not. {_REMEDY}"
            )
    preprocessings = [Preprocessing.from_dict(plain) for plain in meta["preprocessings"]]
    return Contents(preprocessings, members, meta["temperature"], dict(meta["provenance"]))
