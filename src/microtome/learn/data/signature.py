"""What is kept of a picture to find it again: the same one, a copy of it, or a piece."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.raster import Image

__all__ = ["Signature", "signature"]

_SIDE = 32
_BLUR = 2.0


@dataclass(frozen=True, eq=False)
class Signature:
    """A picture in at most 90 kB, whatever its size.

    Attributes
    ----------
    shape : tuple of int
        The picture's spatial shape.
    digest : bytes
        Of its decoded pixels, their shape and their type: equal digests are equal pictures.
    look : ndarray of float32, shape (1024,)
        A thumbnail of 32 x 32 less its blurred self, of length 1: the dot product of two is their correlation. All zeros where the
        picture shows nothing.
    hashes : ndarray of uint64, shape (N,)
    places : ndarray of int32, shape (N, 3)
        Some patches and where they lie (see `patches`).
    """

    shape: tuple[int, ...]
    digest: bytes
    look: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]


def signature(image: Image) -> Signature:
    """Compute what `find_leaks` compares.

    Parameters
    ----------
    image : Image
        Of any axes and dtype.

    Examples
    --------
    >>> picture = np.arange(4096, dtype=np.uint8).reshape(64, 64)
    >>> signature(Image(picture)).digest == signature(Image(picture.copy())).digest
    True
    """
    from microtome.learn.data.patches import patches

    hashes, places = patches(_planes(image))
    return Signature(image.shape, _digest(image), _look(image), hashes, places)


def _digest(image: Image) -> bytes:
    told = f"{image.axes} {image.pixels.shape} {image.pixels.dtype.str}".encode()
    return hashlib.blake2b(np.ascontiguousarray(image.pixels).data, digest_size=16, key=told[:64]).digest()


def _planes(image: Image) -> NDArray[np.unsignedinteger[Any]]:
    """The pixels' bits as unsigned integers (Z, Y, X, C)."""
    pixels = image.pixels if image.has_channels else image.pixels[..., None]
    pixels = pixels if image.ndim == 3 else pixels[None]
    return np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")


def _look(image: Image) -> NDArray[np.float32]:
    import cv2

    if not image.pixels.size:
        return np.zeros(_SIDE * _SIDE, np.float32)
    thumbnail = cv2.resize(_plane(image), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    fine = thumbnail - cv2.GaussianBlur(thumbnail, (0, 0), _BLUR)
    length = float(np.linalg.norm(fine))
    # what is left of a constant picture is rounding
    shows = length > 1e-5 * max(float(np.abs(thumbnail).max()), 1e-30) * _SIDE
    return (fine / length if shows else np.zeros_like(fine)).ravel().astype(np.float32)


def _plane(image: Image) -> NDArray[np.float32]:
    """The picture in grey, reduced to about 128 x 128 first: that is fast on the file's own bytes, and its rounding averages out."""
    import cv2

    pixels = image.pixels.mean(axis=0, dtype=np.float32) if image.ndim == 3 else image.pixels
    if pixels.ndim == 3 and pixels.shape[-1] > 4:
        pixels = pixels.mean(axis=-1, dtype=np.float32)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        pixels = pixels.astype(np.float32)
    if pixels.dtype == np.float32:
        pixels = np.nan_to_num(pixels, posinf=0.0, neginf=0.0)
    height, width = pixels.shape[:2]
    size = (min(width, 4 * _SIDE), min(height, 4 * _SIDE))
    reduced = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    if reduced.ndim == 2:
        return reduced
    # of three colours the brightness (BT.601), which JPEG keeps best
    return reduced @ np.array([0.299, 0.587, 0.114], np.float32) if reduced.shape[-1] == 3 else reduced.mean(axis=-1)
