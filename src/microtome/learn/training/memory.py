"""How much memory the images of a training may take: what the user says, or a share of what the machine has free."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from math import prod
from pathlib import Path

from microtome.core.errors import RecipeError
from microtome.core.raster import Image

__all__ = ["Room", "bytes_of", "free_memory", "prepared_size", "room_for_images", "size_words"]

_SHARE = 0.4  # the rest is for the network, its windows and other programs
_NOT_KNOWN = 2 << 30
_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "t": 10**12, "tb": 10**12,
          "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}  # fmt: skip
_GROUP = Path("/sys/fs/cgroup")  # what a container may have
_LIMITS = (("memory.max", "memory.current", "memory.stat"),
           ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"))  # fmt: skip


@dataclass
class Room:
    """The memory for the images of a run, which its parts share.

    Attributes
    ----------
    limit, taken : int, in bytes
    reason : str
        Why so much.
    """

    limit: int
    reason: str = ""
    taken: int = 0

    @property
    def left(self) -> int:
        """What nobody has taken."""
        return max(self.limit - self.taken, 0)

    def take(self, size: int) -> bool:
        """Take so much; False, and nothing is taken, where there is not so much left."""
        if size > self.left:
            return False
        self.taken += size
        return True

    def give_back(self, size: int) -> None:
        """What was taken is free again."""
        self.taken -= size


def room_for_images(said: str | int | None = None, processes: int = 1) -> Room:
    """What images may take.

    Parameters
    ----------
    said : str or int, optional
        ``"4GB"``, ``"500 MiB"`` or a number of bytes: for all processes on this machine together. None: two fifths of what is free now.
    processes : int
        That share it.

    Raises
    ------
    RecipeError
        If `said` is no size.

    Examples
    --------
    >>> room = room_for_images("4GB", processes=2)
    >>> room.limit, room.reason
    (2000000000, 'as you said, for each of 2 processes its part')
    """
    shared = "" if processes == 1 else f", for each of {processes} processes its part"
    if said is not None:
        return Room(bytes_of(said) // processes, f"as you said{shared}")
    free = free_memory()
    if free is None:
        return Room(_NOT_KNOWN // processes, f"this system does not say how much is free{shared}")
    return Room(int(_SHARE * free) // processes, f"{_SHARE:.0%} of the {size_words(free)} that are free{shared}")


def bytes_of(said: str | int, place: str = "memory") -> int:
    """A size in bytes.

    Raises
    ------
    RecipeError
        If it is none.

    Examples
    --------
    >>> bytes_of("4GB"), bytes_of("1.5 GiB"), bytes_of(1000)
    (4000000000, 1610612736, 1000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(said).strip().lower())
    if found is None or found[2] not in _UNITS:
        raise RecipeError(f"{place}: found {said!r}, expected a size such as 4GB, 500MB or 2GiB")
    return int(float(found[1]) * _UNITS[found[2]])


def size_words(size: float) -> str:
    """A size as people say it.

    >>> size_words(4.2e9), size_words(37_000)
    ('4.2 GB', '37 kB')
    """
    for unit, one in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= one:
            return f"{size / one:.3g} {unit}"
    return f"{size:.0f} bytes"


def free_memory() -> int | None:
    """The bytes that programs can have without pushing others out, a container's limit included; None where the system does not say."""
    known = [free for free in (_available(), *(_left(*names) for names in _LIMITS)) if free is not None]
    return min(known) if known else None


def _available() -> int | None:
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _text(Path("/proc/meminfo")), re.MULTILINE)
    if found:
        return 1024 * int(found[1])
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    if not {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _left(limit: str, used: str, parts: str) -> int | None:
    """Of a control group's memory; "max" where it has no limit. Files that are kept from earlier reading make way."""
    most, now = _text(_GROUP / limit).strip(), _text(_GROUP / used).strip()
    if not (most.isdigit() and now.isdigit()):
        return None
    files = re.search(r"^inactive_file (\d+)", _text(_GROUP / parts), re.MULTILINE)
    return max(int(most) - int(now) + (int(files[1]) if files else 0), 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def prepared_size(image: Image) -> int:
    """The bytes of an image with its labels as windows are cut from it: numbers of 4 bytes, a channel each and one for the label."""
    return 4 * prod(image.shape) * (image.channel_count + 1)
