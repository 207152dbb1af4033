"""Output files: checked before the work starts, then written completely or not at all.

A regular file is replaced by a new one; at the end of a symbolic link its target is, and the link stays. Pipes, devices
and open descriptors (``/dev/stdout``) cannot be replaced: they are written through, as a shell does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path

from hyperband.errors import InputError

#: Of the names of temporary files, which are short: the name of the output may be as long as a name can be.
_PREFIX = ".hyperband-"

#: Symbolic links that are followed one after another, as many as by Linux.
_MOST_LINKS = 40


def check_writable(path: Path) -> None:
    """Check, before any work, that ``path`` can be written; leaves nothing behind, and opens no pipe.

    Raises
    ------
    InputError
        When ``path`` is a folder, or its folder does not exist or cannot be written.
    """
    if os.path.isdir(path):  # unlike `Path.is_dir` it raises nothing
        raise InputError(f"The output must be a file; {str(path)!r} is a folder. Name a file in it.")
    try:
        if (descriptor := _descriptor(path)) is not None:
            os.fstat(descriptor)  # its permissions say nothing: it is open already
        elif _is_replaced(path):
            with tempfile.NamedTemporaryFile(dir=os.path.dirname(os.path.realpath(path)), prefix=_PREFIX):
                pass
        elif not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _not_writable("The output", path, error) from None


def prepare_folder(folder: Path) -> bool:
    """Make a folder for results and check that it can be written; returns whether it is new.

    Raises
    ------
    InputError
        When ``folder`` is a file or cannot be written; nothing is left behind.
    """
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InputError(f"--out must be a folder; {str(folder)!r} is a file. Choose another path.")
    made = [parent for parent in (folder, *folder.parents) if not os.path.exists(parent)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out must be writable; {str(folder)!r} is not: {error.strerror}.") from None
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=_PREFIX):
            pass
    except OSError as error:
        for parent in made:
            parent.rmdir()
        raise _not_writable("The output", folder, error) from None
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

    A file at the end of symbolic links is replaced where it lies. A pipe, a device or an open descriptor is written
    through.

    Parameters
    ----------
    path : Path
    data : bytes
    what : str, the subject of the error, such as "The model file"

    Raises
    ------
    InputError
        When the folder does not exist, it cannot be written, or there is no room; nothing is left behind.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "out", b"data", "The output")
    ...     (Path(folder) / "out").read_bytes()
    b'data'
    """
    try:
        if (descriptor := _descriptor(path)) is not None:
            # Not opened by its name: a file would be written from its beginning, over what it holds already.
            _write_through(os.dup(descriptor), data)
        elif _is_replaced(path):
            replaced = Path(os.path.realpath(path))
            replace_file(replaced, data, replaced.with_name(_PREFIX + secrets.token_hex(4)), sync=True)
        else:
            _write_through(path, data)
    except OSError as error:
        raise _not_writable(what, path, error) from error


def replace_file(path: Path, data: bytes, temporary: Path, *, sync: bool) -> None:
    """Write ``data`` to ``temporary`` and rename that to ``path``, which changes completely or not at all.

    The new file has the permissions of the one that it replaces.

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
            with contextlib.suppress(OSError):  # there was none, or the file system knows no permissions
                os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_replaced(path: Path) -> bool:
    """Whether ``path`` leads to a regular file, or to none yet."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True


def _descriptor(path: Path) -> int | None:
    """The descriptor of this process that ``path`` stands for, as ``/dev/stdout`` and ``/dev/fd/3`` do."""
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(path.parent)
        if folder in ("/dev/fd", f"/proc/{os.getpid()}/fd") and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(folder, os.readlink(path))
    return None


def _write_through(file: Path | int, data: bytes) -> None:
    with open(file, "wb") as stream:
        stream.write(data)


def _not_writable(what: str, path: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"{what} must be writable; {str(path)!r} is not: {reason}. Choose another path.")
