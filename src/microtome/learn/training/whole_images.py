"""Whole images of one size, each with what it is taught by, as batches for the loop: what classification of images trains on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.learn.objectives.objective import Tensors
from microtome.learn.training.batches import Drawn

__all__ = ["WholeImages", "read_class_folders"]


class WholeImages:
    """The batches of a run in their order, which the seed settles: every epoch each image once.

    Parameters
    ----------
    images : ndarray (N, *spatial) or (N, *spatial, C)
        float32, prepared as the network shall see them.
    targets : dict of str to ndarray (N, ...)
        Such as ``{"kind": classes}``, whole numbers.
    dimensions : 2 or 3
        Spatial axes.
    batch : int
    names : sequence of str, optional
        Of the images, for messages.
    seed : int
    share : (int, int)
        Which of how many processes this is: each gets its part of every batch.
    device : device

    Attributes
    ----------
    names : tuple of str
    per_epoch : int
        Batches. What does not fill the last one waits for another epoch's order.

    Raises
    ------
    InputError
        If targets are not as many as images, or there are too few for one batch.
    RecipeError
        If a batch does not divide by the processes.

    Examples
    --------
    >>> batches = WholeImages(np.zeros((10, 8, 8), np.float32), {"kind": np.arange(10)}, batch=4)
    >>> first = next(batches.after(0))
    >>> batches.per_epoch, first.tensors["image"].shape, first.tensors["kind"].dtype
    (2, torch.Size([4, 1, 8, 8]), torch.int64)
    """

    def __init__(
        self,
        images: NDArray[np.float32],
        targets: Mapping[str, NDArray[Any]],
        *,
        dimensions: int = 2,
        batch: int = 16,
        names: Sequence[str] | None = None,
        seed: int = 0,
        share: tuple[int, int] = (0, 1),
        device: torch.device | str = "cpu",
    ) -> None:
        counts = {"images": len(images), **{name: len(values) for name, values in targets.items()}}
        if len(set(counts.values())) > 1:
            raise InputError(f"images and what they are taught by are not equally many: {counts}")
        if len(images) < batch:
            raise InputError(f"{len(images)} images do not fill one batch of {batch}; take a smaller batch")
        if batch % share[1]:
            raise RecipeError(f"batch: found {batch}, expected a multiple of {share[1]}, the processes that share it")
        pixels = images[..., None] if images.ndim == dimensions + 1 else images
        self._images = torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).movedim(-1, 1).to(device)
        self._targets = {name: torch.from_numpy(_plain(values)).to(device) for name, values in targets.items()}
        self.names = tuple(names) if names is not None else tuple(f"image {number}" for number in range(len(images)))
        self._batch, self._seed, self._share = batch, seed, share
        self.per_epoch = len(images) // batch

    def after(self, taken: int) -> Iterator[Drawn]:
        """All batches but the first `taken`, again and again through the images."""
        epoch, first = divmod(taken, self.per_epoch)
        while True:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self.names))
            for number in range(first, self.per_epoch):
                yield self._drawn(order[number * self._batch : (number + 1) * self._batch])
            epoch, first = epoch + 1, 0

    def in_order(self) -> Iterator[Tensors]:
        """Every image once, in the order they were given."""
        for first in range(0, len(self.names), self._batch):
            yield self._taken(np.arange(first, min(first + self._batch, len(self.names))))

    def _drawn(self, chosen: NDArray[np.int64]) -> Drawn:
        rank, count = self._share
        part = chosen[rank * len(chosen) // count : (rank + 1) * len(chosen) // count]
        return Drawn(self._taken(part), tuple(self.names[number] for number in part))

    def _taken(self, chosen: NDArray[np.int64]) -> Tensors:
        where = torch.from_numpy(chosen)
        return {"image": self._images[where], **{name: values[where] for name, values in self._targets.items()}}


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values, np.int64 if values.dtype.kind in "iu" else np.float32)


def read_class_folders(folder: str | Path) -> tuple[NDArray[Any], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """Read images that lie in a folder of their class's name, ``FOLDER/CLASS/IMAGE``.

    Parameters
    ----------
    folder : path

    Returns
    -------
    images : ndarray (N, *spatial) or (N, *spatial, C)
        As they were read.
    kinds : ndarray (N,)
        The number of each image's class in `classes`.
    classes : tuple of str
        The folders' names in alphabetical order.
    names : tuple of str
        ``CLASS/IMAGE`` of each.

    Raises
    ------
    InputError
        If there are fewer than two classes, a file is no image, or two images differ in size or type.
    """
    from microtome.io.images import is_image, read

    root = Path(folder)
    folders = sorted(place for place in root.iterdir() if place.is_dir()) if root.is_dir() else []
    files = {place.name: [path for path in sorted(place.iterdir()) if is_image(path)] for place in folders}
    classes = tuple(name for name, there in files.items() if there)
    if len(classes) < 2:
        raise InputError(f"{root}: found {len(classes)} folders with images, expected one a class, at least two: FOLDER/CLASS/IMAGE")
    images: list[NDArray[Any]] = []
    kinds: list[int] = []
    names: list[str] = []
    for number, kind in enumerate(classes):
        for path in files[kind]:
            pixels = read(path).pixels
            if images and (pixels.shape, pixels.dtype) != (images[0].shape, images[0].dtype):
                raise InputError(f"{path}: is {pixels.shape} {pixels.dtype}, {root / names[0]} is {images[0].shape} {images[0].dtype}; "
                                 "whole images are learned from in one size and type")  # fmt: skip
            images.append(pixels)
            kinds.append(number)
            names.append(f"{kind}/{path.name}")
    return np.stack(images), np.array(kinds, np.int64), classes, tuple(names)
