"""An entry's files to a Sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.data.coloured import is_coloured, read_coloured
from microtome.learn.data.dataset import Annotated, Dataset, Entry, LabelFile, ObjectFiles
from microtome.learn.data.layouts.names import VOID_IN_VOC, is_voc

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
    """Read an entry's image; several files are stacked as channels, named by what tells the files apart."""
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
    return replace(first, pixels=stacked, axes=first.axes + "c", channels=_channel_names(entry.images), source=entry.name)


def _channel_names(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """The folders, where the files are called the same; else what is left of the names without their common beginning."""
    stems = [path.stem for path in paths]
    if len(set(stems)) < len(stems):
        return tuple(path.parent.name for path in paths)
    alike = next((k for k, letters in enumerate(zip(*stems, strict=False)) if len(set(letters)) > 1), min(map(len, stems)))
    cut = max(stems[0].rfind(mark, 0, alike) for mark in "_-. ") + 1
    return tuple(stem[cut or alike :] or stem for stem in stems)


def load_truth(dataset: Dataset, entry: Entry) -> Mask:
    """Read an entry's labels as the data set's kind, with its classes."""
    truth = entry.truth
    if truth is None:
        raise InputError(f"{entry.name}: has no labels")
    if isinstance(truth, LabelFile):
        mask = _label_file(truth.path, dataset)
    elif isinstance(truth, ObjectFiles):
        mask = _object_files(truth.paths, entry) if dataset.kind == "instance" else _all_of_them(truth.paths, entry, dataset)
    else:
        mask = _annotated(truth, dataset)
    return replace(mask, classes=_classes(dataset, mask)) if isinstance(mask, SemanticMap) and len(dataset.classes) else mask


def _classes(dataset: Dataset, mask: SemanticMap) -> ClassTable:
    """The data set's. Where it knows only what to ignore, the mask's own classes besides; where it begins at 1, the background."""
    listed = {entry.value: entry for entry in dataset.classes}
    if all(entry.role == "ignore" for entry in dataset.classes):
        own = {entry.value: entry for entry in mask.classes}
    elif 0 in listed or "background" in {entry.name for entry in dataset.classes}:
        return dataset.classes
    else:
        own = {0: ClassEntry(0, "background", "background")}
    return ClassTable(tuple(sorted((own | listed).values(), key=lambda entry: entry.value)))


def _label_file(path: Path, dataset: Dataset) -> Mask:
    from microtome.io.masks import read_mask

    coloured = is_coloured(path)
    if dataset.colours and coloured:
        return read_coloured(path, dataset.colours, dataset.classes)
    try:
        mask = read_mask(path, kind=dataset.kind)
    except InputError as error:
        if coloured and dataset.kind == "semantic":
            raise InputError(
                f"{error}; or say what the colours mean: class_dict.csv in the data folder, with the columns name, r, g, b"
            ) from None
        raise
    if isinstance(mask, InstanceMap) and is_voc(path):
        return replace(mask, pixels=np.where(mask.pixels == VOID_IN_VOC, 0, mask.pixels))
    return mask


def _object_files(paths: tuple[Path, ...], entry: Entry) -> InstanceMap:
    """Larger objects first, so that small ones stay visible where masks overlap."""
    from microtome.core.events import warn
    from microtome.io.masks import read_mask

    if not paths:
        image = load_image(entry)
        return InstanceMap(np.zeros(image.shape, np.int32), **image.geometry())
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


def _all_of_them(paths: tuple[Path, ...], entry: Entry, dataset: Dataset) -> SemanticMap:
    """Several masks of one image as classes: what any of them has. Where the data set names no classes, foreground and background."""
    if not paths:
        image = load_image(entry)
        return SemanticMap(np.zeros(image.shape, np.int32), **image.geometry())
    masks = [_label_file(path, dataset) for path in paths]
    if different := next((mask for mask in masks if mask.shape != masks[0].shape), None):
        raise InputError(f"{different.source}: is {different.shape}, the other masks of the image {masks[0].shape}")
    pixels = np.max([mask.pixels for mask in masks], axis=0)
    return SemanticMap(pixels if len(dataset.classes) else pixels != 0, **masks[0].geometry())


def _annotated(truth: Annotated, dataset: Dataset) -> Mask:
    from microtome.core.kernels.areas import class_map, instance_map

    return instance_map(truth.objects) if dataset.kind == "instance" else class_map(truth.objects)
