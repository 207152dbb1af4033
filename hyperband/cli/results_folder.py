"""The folder of a search: which one it is, and what is written into it."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hyperband._common.files import prepare_folder, write_bytes, write_text
from hyperband.errors import InputError

if TYPE_CHECKING:
    from hyperband.model import Model

#: The folder where none is named.
DEFAULT = "hyperband-out"

MODEL, TRIALS, TEST, REPORT = "model.hyperband", "trials.csv", "test_predictions.csv", "result.json"
#: The files of a search, in the order in which they are written: where the last one is, all are.
FILES = (MODEL, TRIALS, TEST, REPORT)


def claim_folder(out: Path | None, force: bool) -> tuple[Path, bool]:
    """The folder for the results of a search, and whether it is new.

    Parameters
    ----------
    out : Path or None
        None: `DEFAULT`, or where that is there the next free one of ``hyperband-out-2``, ``hyperband-out-3``, ...
    force : bool, whether the default folder is taken although it is there

    Raises
    ------
    InputError
        When the folder cannot be written, or a folder is where a file of results would be.
    """
    if out is None and not force:
        return _next_folder(DEFAULT)
    folder = Path(DEFAULT) if out is None else out
    folders = [name for name in FILES if (folder / name).is_dir()]
    if folders:
        raise InputError(f"--out must hold no folder {folders[0]!r}, which is the name of a file of results; it does.")
    return folder, prepare_folder(folder)


def _next_folder(name: str, first: int = 1) -> tuple[Path, bool]:
    """The first of ``name``, ``name-2``, ``name-3``, ... that is not there, from a number on."""
    for number in itertools.count(first):
        folder = Path(name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()  # of two searches that start at once, one gets it
        except FileExistsError:
            continue
        except OSError:
            prepare_folder(folder)  # it says why
        return folder, True
    raise AssertionError("there are numbers enough")


def write_results(folder: Path, model: Model, texts: Mapping[str, str], force: bool = False) -> Path | None:
    """Write all files of a search, or none: a disk that is full leaves the folder as it was.

    Results of an earlier search that are there move to the next free one of ``folder-2``, ``folder-3``, ...

    Parameters
    ----------
    folder : Path
    model : Model, written as `MODEL`
    texts : mapping of other names in `FILES` to contents
    force : bool, whether earlier results are overwritten instead

    Returns
    -------
    Path or None
        Where earlier results are now.

    Raises
    ------
    InputError
        When a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)  # another search may have removed it, or somebody
        stage = Path(tempfile.mkdtemp(dir=folder, prefix=".hyperband-"))
    except OSError as error:
        raise InputError(f"--out must be writable; {str(folder)!r} is not: {error.strerror}.") from None
    try:
        model.save(stage / MODEL)
        for name, text in texts.items():
            write_text(stage / name, text)
        earlier = None if force else _put_aside(folder)
        if not os.path.lexists(folder / REPORT) or stat.S_ISREG(os.lstat(folder / REPORT).st_mode):
            (folder / REPORT).unlink(missing_ok=True)  # from here on the folder is not whole, until the report is there
        for name in FILES:
            if name == MODEL or name in texts:
                _move(stage / name, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    except InputError as error:  # it names the file that was to be moved
        raise InputError(str(error).replace(str(stage), str(folder))) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return earlier


def _put_aside(folder: Path) -> Path | None:
    """Move the results of an earlier search to a folder beside theirs."""
    held = [name for name in FILES if os.path.lexists(folder / name) and stat.S_ISREG(os.lstat(folder / name).st_mode)]
    if not held:
        return None
    aside, _ = _next_folder(str(folder), 2)
    for name in held:
        shutil.move(folder / name, aside / name)
    return aside


def _move(new: Path, path: Path) -> None:
    """Put a file where another may be: its permissions stay; through links, pipes and devices the data is written."""
    try:
        before = os.lstat(path)
    except FileNotFoundError:
        os.replace(new, path)
        return
    if stat.S_ISREG(before.st_mode):
        with suppress(OSError):  # the file system knows no permissions
            os.chmod(new, stat.S_IMODE(before.st_mode))
        os.replace(new, path)
    else:
        write_bytes(path, new.read_bytes(), "The output")
