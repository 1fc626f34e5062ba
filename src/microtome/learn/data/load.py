"""An entry's files to a Sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.data.dataset import Annotated, Dataset, Entry, LabelFile, ObjectFiles

__all__ = ["load", "load_image", "load_truth", "samples"]

Mask = SemanticMap | InstanceMap


def samples(dataset: Dataset) -> Iterator[Sample]:
    """Every entry that has labels, read when its turn comes."""
    return (load(dataset, entry) for entry in dataset if entry.truth is not None)


def load(dataset: Dataset, entry: Entry) -> Sample:
    """Read an image and its labels.

    Raises
    ------
    InputError
        If a file cannot be read, sizes differ, or the entry has no labels.
    """
    image, truth = load_image(entry), load_truth(dataset, entry)
    if image.shape != truth.shape:
        raise InputError(f"{entry.name}: the image is {image.shape}, its labels {truth.shape}; they must cover the same pixels")
    return Sample(image, truth, entry.group or entry.name, entry.name)


def load_image(entry: Entry) -> Image:
    """Read an entry's image; several files are stacked as channels, named after the files."""
    from microtome.io.images import read

    pictures = [read(path) for path in entry.images]
    if len(pictures) == 1:
        return pictures[0]
    for picture, path in zip(pictures, entry.images, strict=True):
        if picture.has_channels or picture.shape != pictures[0].shape:
            raise InputError(f"{path}: to be a channel of {entry.name} it must have one channel and the shape {pictures[0].shape}, "
                             f"found {picture.axes} {picture.pixels.shape}")  # fmt: skip
    first = pictures[0]
    stacked = np.stack([picture.pixels for picture in pictures], axis=-1)
    return replace(first, pixels=stacked, axes=first.axes + "c", channels=tuple(path.stem for path in entry.images), source=entry.name)


def load_truth(dataset: Dataset, entry: Entry) -> Mask:
    """Read an entry's labels as the data set's kind, with its classes."""
    truth = entry.truth
    if truth is None:
        raise InputError(f"{entry.name}: has no labels")
    if isinstance(truth, LabelFile):
        mask = _label_file(truth.path, dataset)
    elif isinstance(truth, ObjectFiles):
        mask = _object_files(truth.paths)
    else:
        mask = _annotated(truth, dataset)
    return replace(mask, classes=dataset.classes) if isinstance(mask, SemanticMap) and len(dataset.classes) else mask


def _label_file(path: Path, dataset: Dataset) -> Mask:
    from microtome.io.masks import read_mask

    return read_mask(path, kind=dataset.kind)


def _object_files(paths: tuple[Path, ...]) -> InstanceMap:
    """Larger objects first, so that small ones stay visible where masks overlap."""
    from microtome.core.events import warn
    from microtome.io.masks import read_mask

    masks = [(number, read_mask(path, kind="semantic")) for number, path in enumerate(paths, 1)]
    masks.sort(key=lambda one: -int(np.count_nonzero(one[1].pixels)))
    labels = np.zeros(masks[0][1].shape, np.int32)
    overlap = 0
    for number, mask in masks:
        if mask.shape != labels.shape:
            raise InputError(f"{mask.source}: is {mask.shape}, the other masks of the image {labels.shape}")
        there = mask.pixels != 0
        overlap += int(np.count_nonzero(labels[there]))
        labels[there] = number
    if overlap:
        warn(f"{paths[0].parent}: masks of single objects overlap in {overlap} pixels; each went to the smaller object")
    return InstanceMap(labels, **masks[0][1].geometry())


def _annotated(truth: Annotated, dataset: Dataset) -> Mask:
    from microtome.core.kernels.areas import class_map, instance_map

    return instance_map(truth.objects) if dataset.kind == "instance" else class_map(truth.objects)
