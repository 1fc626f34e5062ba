"""Whether a run's files have room, asked before hours are lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from microtome.core.errors import RunError

__all__ = ["check_room"]

_COPIES = 3
"""Of a checkpoint: the last and the next one beside it until that is whole; the best weights and the model are as much again."""


def check_room(folder: Path, checkpoint: int) -> None:
    """Refuse to begin where the disk has no room for what will be written.

    Parameters
    ----------
    folder : Path
        Of the run; it need not exist yet.
    checkpoint : int
        The size of one checkpoint in bytes, see `microtome.learn.training.checkpoint.bytes_needed`.

    Raises
    ------
    RunError
        With the room that is needed, and what there is.

    Examples
    --------
    >>> check_room(Path("."), 1)
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free, needed = shutil.disk_usage(there).free, _COPIES * checkpoint
    if free < needed:
        raise RunError(f"{folder}: the checkpoints and the model of this network need {_mega(needed)}, the disk has {_mega(free)} left; "
                       "make room, choose another place with --out, or take a smaller network")  # fmt: skip


def _mega(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
