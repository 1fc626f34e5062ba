"""What an image and its labels hold, in sixteen letters: a search is only resumed on the same images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from microtome.core.errors import InputError
from microtome.learn.data.dataset import Annotated, Entry, LabelFile

__all__ = ["fingerprint"]


def fingerprint(entry: Entry) -> str:
    """A hash of an entry's image files and labels.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    truth = entry.truth
    if isinstance(truth, Annotated):
        _feed(digest, truth.objects)
    labels = (truth.path,) if isinstance(truth, LabelFile) else () if truth is None or isinstance(truth, Annotated) else truth.paths
    for path in (*entry.images, *labels):
        digest.update(hashlib.sha256(_bytes(path)).digest())
    return digest.hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _feed(digest: Any, value: Any) -> None:
    """Add plain data to a hash, the same in every process."""
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            _feed(digest, getattr(value, one.name))
    elif isinstance(value, Mapping):
        _feed(digest, sorted(value.items(), key=repr))
    elif isinstance(value, (tuple, list)):
        digest.update(str(len(value)).encode())
        for one in value:
            _feed(digest, one)
    else:
        digest.update(repr(value).encode())
