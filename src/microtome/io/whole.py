"""A file is there whole or not at all: it is written aside, in the same folder, and renamed when it is done."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from microtome.core.errors import RunError

__all__ = ["TEMPORARY_PATTERN", "whole_file"]

TEMPORARY_PATTERN = ".microtome-*"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; the file appears under `path` when the block ends without an error.

    Whatever ends the block early, Ctrl-C included, removes the temporary file and leaves an older file at `path` as
    it was. Parent folders are made. The temporary name is hidden and keeps the suffix, which some writers look at.

    Parameters
    ----------
    path : path
        Where the file shall be; a file already there is replaced.

    Yields
    ------
    Path
        A name in the same folder that does not exist yet.

    Raises
    ------
    RunError
        If the disk is full or the place cannot be written to, with the path and what to do.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole_file(folder / "masks" / "cells.txt") as temporary:
    ...     _ = temporary.write_text("12 cells")
    >>> (folder / "masks" / "cells.txt").read_text(), len(list((folder / "masks").iterdir()))
    ('12 cells', 1)
    """
    path = Path(path)
    temporary = path.parent / f"{TEMPORARY_PATTERN[:-1]}{secrets.token_hex(6)}{''.join(path.suffixes[-2:])[-20:]}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if not _is_about(error, path, temporary):
            raise
        raise RunError(_message(error, path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_about(error: OSError, path: Path, temporary: Path) -> bool:
    """Whether the disk refused this file, rather than something else the block touched."""
    places = {os.fspath(name) for name in (path, temporary, *path.parents)}
    return error.errno in _FULL or os.fspath(error.filename or "") in places


def _message(error: OSError, path: Path) -> str:
    if error.errno in _FULL:
        return f"{path}: the disk is full ({error.strerror}); nothing was left behind: free some space or choose another place"
    if os.path.isdir(path):  # unlike Path.is_dir, never raises: the name may be too long
        return f"{path}: cannot be written, a folder of this name is there; remove it or choose another name"
    if isinstance(error, FileNotFoundError):
        return f"{path}: cannot be written, its writer left no file"
    return f"{path}: cannot be written: {error.strerror or error}; check the permissions or choose another place"
