"""A prepared image in shared memory: read once, seen by every worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from microtome.learn.augment.example import Example
from microtome.learn.data.shared import Placed, attached, lay, look, new_block, space

__all__ = ["Kept", "keep", "opened"]

_LARGE = ("image", "classes", "objects")


@dataclass(frozen=True, eq=False)
class Kept:
    """Where an example lies, and what of it is small.

    Attributes
    ----------
    block : str
        The name of the shared memory. Whoever gets this gives it back.
    size : int, in bytes
    arrays : mapping of str to Placed
    rest : mapping
        The example's other fields.
    """

    block: str
    size: int
    arrays: Mapping[str, Placed]
    rest: Mapping[str, Any]


def keep(example: Example, limit: int) -> Kept | None:
    """Copy an example into shared memory of its own; None where it takes more than `limit` bytes, or there is no room."""
    whole = {one.name: getattr(example, one.name) for one in fields(example)}
    arrays = {name: whole.pop(name) for name in _LARGE if whole[name] is not None}
    size = space(arrays)
    block = new_block(size) if size <= limit else None
    if block is None:
        return None
    kept = Kept(block.name, size, lay(arrays, block), whole)
    block.close()
    return kept


def opened(kept: Kept) -> Example:
    """The example; its arrays are read-only and lie where they were put."""
    arrays: dict[str, Any] = {name: look(placed, attached(kept.block)) for name, placed in kept.arrays.items()}
    for array in arrays.values():
        array.flags.writeable = False
    return Example(**arrays, **kept.rest)
