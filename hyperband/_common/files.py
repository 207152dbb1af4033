"""Files that commands write: looked at before the work, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from hyperband.errors import InputError


def check_writable(path: Path) -> None:
    """Raise before any work when a file could not be written to ``path``; leaves nothing behind."""
    if path.is_dir():
        raise InputError(f"The output must be a file; {str(path)!r} is a folder. Name a file in it.")
    _try(path.parent, path)


def prepare_folder(folder: Path) -> bool:
    """Make a folder for results and check that it can be written to; returns whether it is new.

    Raises
    ------
    InputError
        When it is a file or cannot be written; nothing is left behind.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out must be a folder; {str(folder)!r} is a file. Choose another place.")
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out must be writable; {str(folder)!r} is not: {error.strerror}.") from None
    try:
        _try(folder, folder)
    except InputError:
        for parent in made:
            parent.rmdir()
        raise
    return bool(made)


def remove_if_empty(folder: Path) -> None:
    """After a failure: take back the folder that `prepare_folder` made."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write ``path`` whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode(), "The output")


def write_bytes(path: Path, data: bytes, what: str) -> None:
    """Write ``path`` whole: first beside it under another name, then renamed.

    ``what`` begins the error, such as "The model file".

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        replace_file(path, data, temporary, sync=True)
    except OSError as error:
        raise InputError(
            f"{what} must be writable; {str(path)!r} is not: {error.strerror}. Choose another place."
        ) from error


def replace_file(path: Path, data: bytes, temporary: Path, *, sync: bool) -> None:
    """Write ``temporary`` and rename it to ``path``; `OSError` when that fails, and nothing is left behind.

    ``sync``: wait until the disk has it, so that even after a power failure the file is whole.
    """
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _try(folder: Path, what: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".hyperband-"):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"The output must be writable; {str(what)!r} is not: {reason}. Choose another place."
        raise InputError(message) from None
