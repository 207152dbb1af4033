"""Output files of commands: checked before the work starts, then written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from hyperband.errors import InputError


def check_writable(path: Path) -> None:
    """Check, before any work, that ``path`` can be written; leaves nothing behind.

    Raises
    ------
    InputError
        When ``path`` is a folder, or its folder does not exist or cannot be written.
    """
    if path.is_dir():
        raise InputError(f"The output must be a file; {str(path)!r} is a folder. Name a file in it.")
    _check_folder(path.parent, path)


def prepare_folder(folder: Path) -> bool:
    """Make a folder for results and check that it can be written; returns whether it is new.

    Raises
    ------
    InputError
        When ``folder`` is a file or cannot be written; nothing is left behind.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out must be a folder; {str(folder)!r} is a file. Choose another path.")
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out must be writable; {str(folder)!r} is not: {error.strerror}.") from None
    try:
        _check_folder(folder, folder)
    except InputError:
        for parent in made:
            parent.rmdir()
        raise
    return bool(made)


def remove_if_empty(folder: Path) -> None:
    """Remove the folder that `prepare_folder` made, after a failure, unless it holds files."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write a text to ``path`` in UTF-8, completely or not at all; see `write_bytes`."""
    write_bytes(path, text.encode(), "The output")


def write_bytes(path: Path, data: bytes, what: str) -> None:
    """Write ``path`` completely or not at all: to a temporary file beside it, which is then renamed.

    Parameters
    ----------
    path : Path
    data : bytes
    what : str, the subject of the error, such as "The model file"

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written; nothing is left behind.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "out", b"data", "The output")
    ...     (Path(folder) / "out").read_bytes()
    b'data'
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        replace_file(path, data, temporary, sync=True)
    except OSError as error:
        raise InputError(
            f"{what} must be writable; {str(path)!r} is not: {error.strerror}. Choose another path."
        ) from error


def replace_file(path: Path, data: bytes, temporary: Path, *, sync: bool) -> None:
    """Write ``data`` to ``temporary`` and rename that to ``path``, which changes completely or not at all.

    Parameters
    ----------
    path, temporary : Path, in the same folder
    data : bytes
    sync : bool
        Whether to wait until the data is on the disk, so that the file is complete even after a power failure.

    Raises
    ------
    OSError
        When writing or renaming fails; ``temporary`` is removed.
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


def _check_folder(folder: Path, what: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".hyperband-"):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"The output must be writable; {str(what)!r} is not: {reason}. Choose another path."
        raise InputError(message) from None
