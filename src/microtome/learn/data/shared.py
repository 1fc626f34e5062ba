"""An object from one process to another with its arrays in shared memory: a pipe would carry them in pieces."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

__all__ = ["Parcel", "discard", "pack", "unpack"]

_SMALL = 1 << 20  # bytes that a pipe carries as fast
_ROOM = 8  # so many parcels of this size must find room, else the pipe is taken: containers often have 64 MB of shared memory


@dataclass(frozen=True, eq=False)
class Parcel:
    """A pickle, and the name of the memory that holds its arrays; without a name the pickle is whole."""

    pickled: bytes
    name: str = ""
    sizes: tuple[int, ...] = ()


def pack(thing: Any) -> Parcel:
    """Pickle an object; its large arrays go into shared memory where there is room.

    Examples
    --------
    >>> unpack(pack({"a": 1}))
    {'a': 1}
    """
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    total = sum(view.nbytes for view in views)
    if total < _SMALL or not _room_for(total):
        return Parcel(pickle.dumps(thing, protocol=5))
    memory = SharedMemory(create=True, size=total)
    room, at = _room_of(memory), 0
    for view in views:
        room[at : at + view.nbytes] = view
        at += view.nbytes
    memory.close()
    return Parcel(text, memory.name, tuple(view.nbytes for view in views))


def unpack(parcel: Parcel) -> Any:
    """The object; the shared memory is given back."""
    if not parcel.name:
        return pickle.loads(parcel.pickled)
    memory = SharedMemory(parcel.name)
    whole = memoryview(bytearray(_room_of(memory)[: sum(parcel.sizes)]))
    memory.close()
    memory.unlink()
    parts, at = [], 0
    for size in parcel.sizes:
        parts.append(whole[at : at + size])
        at += size
    return pickle.loads(parcel.pickled, buffers=parts)


def discard(parcel: Parcel) -> None:
    """Give back the shared memory of a parcel that nobody wants."""
    if parcel.name:
        memory = SharedMemory(parcel.name)
        memory.close()
        memory.unlink()


def _room_of(memory: SharedMemory) -> memoryview:
    assert memory.buf is not None  # it is until the memory is closed
    return memory.buf


def _room_for(size: int) -> bool:
    if not Path("/dev/shm").is_dir():
        return False
    free = os.statvfs("/dev/shm")
    return free.f_bavail * free.f_frsize > _ROOM * size
