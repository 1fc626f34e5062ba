"""Which layout a folder has, and what is in it."""

from __future__ import annotations

import os
from pathlib import Path

from microtome.core.errors import InputError
from microtome.learn.data.dataset import Dataset, Kind
from microtome.learn.data.layouts import by_name

__all__ = ["find_dataset"]

LAYOUTS = (by_name,)


def find_dataset(root: str | os.PathLike[str], *, kind: Kind | None = None) -> Dataset:
    """Find the labelled images of a folder.

    Parameters
    ----------
    root : path
    kind : {"semantic", "instance"}, optional
        What the labels are. Left out: what the data says of itself.

    Raises
    ------
    InputError
        If the folder has none of the known layouts; they are listed.
    """
    root = Path(root)
    layout = next((layout for layout in LAYOUTS if layout.recognise(root)), None)
    if layout is None:
        raise InputError(f"{root}: no labelled images found; known layouts: {'; '.join(layout.ABOUT for layout in LAYOUTS)}")
    entries, problems = layout.find(root)
    return Dataset(root, layout.ABOUT, tuple(entries), kind or "instance", problems=tuple(problems))
