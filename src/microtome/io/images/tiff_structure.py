"""The bones of a TIFF, checked before anything else looks at it: its chain of pages, and where their pixels lie.

A file that was cut off has a chain, or pixels, that point past its end. Most readers then give the pages that are
left, or grey where pixels are missing; here it is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from microtome.core.errors import InputError

__all__ = ["check_chain", "check_segments"]


def check_chain(path: Path) -> int:
    """Count the pages of a TIFF or BigTIFF by following their chain.

    Raises
    ------
    InputError
        If the chain leaves the file or runs in a circle.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack_from(f"{order}H", head, 2)[0] == 43
        count_format, entry, link_format = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
        place = _number(head[8 if big else 4 :], link_format)
        seen: set[int] = set()
        while place:
            if place in seen:
                raise InputError(f"the TIFF's pages run in a circle: page {len(seen)} leads back to byte {place:,}; the file is damaged")
            seen.add(place)
            place = _next_page(file, place, count_format, entry, link_format, size, len(seen) - 1)
    if not seen:
        raise InputError("the TIFF has no page")
    return len(seen)


def _next_page(file: BinaryIO, place: int, count_format: str, entry: int, link_format: str, size: int, page: int) -> int:
    cut = InputError(f"the TIFF is cut off: page {page} should lie at byte {place:,}, the file has {size:,}")
    if place >= size:
        raise cut
    file.seek(place)
    width = struct.calcsize(count_format)
    head = file.read(width)
    if len(head) < width:
        raise cut
    link = place + width + entry * _number(head, count_format)
    if link + struct.calcsize(link_format) > size:
        raise cut
    file.seek(link)
    return _number(file.read(8), link_format)


def _number(data: bytes, form: str) -> int:
    if len(data) < struct.calcsize(form):
        raise InputError("the TIFF is cut off in its header")
    return int(struct.unpack_from(form, data)[0])


def check_segments(offsets: Sequence[int], counts: Sequence[int], size: int, page: int) -> int:
    """Check that the strips or tiles of a page lie inside the file; return how many of them are not stored at all."""
    for number, (offset, count) in enumerate(zip(offsets, counts, strict=False)):
        if offset + count > size:
            raise InputError(
                f"the TIFF is cut off: piece {number} of page {page} should end at byte {offset + count:,}, the file has {size:,}"
            )
    return sum(1 for offset, count in zip(offsets, counts, strict=False) if not offset or not count)
