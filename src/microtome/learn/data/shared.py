"""Arrays in shared memory, described by plain data: a pipe between processes would carry them in small pieces."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Placed", "attached", "lay", "layable", "look", "new_block", "room", "space"]

_ALIGNED = 64  # bytes; a line of the processor's cache
_FILES = Path("/dev/shm")  # where Linux shows shared memory


@dataclass(frozen=True)
class Placed:
    """Where an array lies in a block."""

    at: int
    shape: tuple[int, ...]
    dtype: str


def space(arrays: Mapping[str, NDArray[Any]]) -> int:
    """The bytes that these arrays take in a block.

    Examples
    --------
    >>> space({"a": np.zeros(3, np.uint8), "b": np.zeros((2, 100))})
    1664
    """
    return sum(_aligned(array.nbytes) for array in arrays.values())


def layable(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether all are plain numbers."""
    return all(array.dtype.kind in "biufc" for array in arrays.values())


def lay(arrays: Mapping[str, NDArray[Any]], block: SharedMemory) -> dict[str, Placed]:
    """Copy arrays into a block, one behind the other."""
    placed, at = {}, 0
    for name, array in arrays.items():
        placed[name] = Placed(at, array.shape, array.dtype.str)
        look(placed[name], block)[...] = array
        at += _aligned(array.nbytes)
    return placed


def look(placed: Placed, block: SharedMemory) -> NDArray[Any]:
    """The array where it lies, writable."""
    return np.ndarray(placed.shape, np.dtype(placed.dtype), block.buf, placed.at)


def room() -> int:
    """The bytes of shared memory that are free, as far as the system says; containers often have 64 MB."""
    if not _FILES.is_dir():
        return 1 << 62
    free = os.statvfs(_FILES)
    return free.f_bavail * free.f_frsize


def new_block(size: int) -> SharedMemory | None:
    """A new block whose memory is there; None where there is no room."""
    try:
        block = SharedMemory(create=True, size=max(size, 1))
    except OSError:
        return None
    file = _FILES / block.name.lstrip("/")
    if not file.exists():
        return block
    handle = os.open(file, os.O_RDWR)
    try:
        os.posix_fallocate(handle, 0, max(size, 1))  # else a later write would end the process where there is no room
    except OSError:
        block.close()
        block.unlink()
        return None
    finally:
        os.close(handle)
    return block


@cache
def attached(name: str) -> SharedMemory:
    """In a worker: another process's block, open as long as the worker lives, since arrays may look into it."""
    return SharedMemory(name)


class Blocks:
    """The blocks that this process gives back: each when it is not wanted any more, all at the end."""

    def __init__(self) -> None:
        self._held: dict[str, SharedMemory] = {}
        self._end = weakref.finalize(self, _give_back, self._held)

    def new(self, size: int) -> str:
        """The name of a new block; empty where there is no room."""
        block = new_block(size)
        if block is None:
            return ""
        self._held[block.name] = block
        return block.name

    def adopt(self, name: str) -> None:
        """Give back, when its time comes, a block that a worker made."""
        self._held[name] = SharedMemory(name)

    def size(self, name: str) -> int:
        """The bytes of a block."""
        return self._held[name].size

    def copies(self, name: str, placed: Mapping[str, Placed]) -> dict[str, NDArray[Any]]:
        """Arrays of a block, copied out of it."""
        return {key: look(one, self._held[name]).copy() for key, one in placed.items()}

    def drop(self, name: str) -> None:
        """Give one back."""
        _give_back({name: self._held.pop(name)})

    def close(self) -> None:
        """Give back all that are left."""
        self._end()


def _give_back(blocks: dict[str, SharedMemory]) -> None:
    while blocks:
        _, block = blocks.popitem()
        block.close()
        block.unlink()


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
