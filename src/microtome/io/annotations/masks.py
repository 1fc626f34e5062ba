"""A folder of label images, a mask file an image: each pixel the number of its object, so that no two objects share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings, warn
from microtome.core.kernels.areas import instance_map, objects_of, runs_of
from microtome.core.kernels.run_lengths import encode
from microtome.core.objects import Object, Objects
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.annotations.account import Account
from microtome.io.annotations.losses import is_finer_than_pixels, losses
from microtome.io.annotations.per_image import files_in, targets
from microtome.io.masks import foreign, read_mask, write_mask, write_mask_as

__all__ = ["SUFFIXES", "read", "recognise", "write"]

SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".gif", ".bmp", ".nii", ".nii.gz")
_WRITTEN = (".png", ".tif", ".tiff", ".nii", ".nii.gz")
_LARGEST = 2**31 - 1


def recognise(path: Path) -> bool:
    """Whether a file has the first bytes of a format that masks are kept in, or one of a folder's files has."""
    if path.is_dir():
        return any(recognise(file) for file in files_in(path, SUFFIXES)[:20])
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return foreign.recognise(head) in ("png", "tiff", "npy", "gif", "bmp") or path.name.lower().endswith((".nii", ".nii.gz"))


def read(path: Path, *, shapes: Mapping[str, tuple[int, int]] | None = None, skip_bad: bool = False) -> list[Objects]:
    """Read masks.

    Parameters
    ----------
    path : Path
        A mask, or a folder of masks.
    shapes : mapping of str to tuple of int, optional
        Not needed: a mask has the size of its image.
    skip_bad : bool
        Leave files that are no masks out with a warning, instead of raising.

    Returns
    -------
    list of Objects
        Runs, exact in every pixel, with the classes and scores that the file's note gives. The image is called as the file, without
        its suffix. Of a mask of classes, whose objects nobody told apart, each class becomes one object, with a warning.

    Raises
    ------
    InputError
        If a file is no mask, or a volume.
    """
    path = Path(path)
    files = files_in(path, SUFFIXES)
    if not files:
        raise InputError(f"{path}: no masks in the folder ({', '.join(SUFFIXES)})")
    images = []
    for file in files:
        try:
            images.append(_objects(file, path))
        except InputError as error:
            if not skip_bad:
                raise
            warn(f"{error}; left out")
    return images


def _objects(file: Path, root: Path) -> Objects:
    name = file.relative_to(root).as_posix() if root.is_dir() else file.name
    image = name[: -len(next(suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(suffix)))]
    mask = read_mask(file)
    if mask.ndim != 2:
        raise InputError(f"{file}: a volume ({mask.axes}); annotations are of flat images: save its planes one by one")
    return _of_classes(mask, image) if isinstance(mask, SemanticMap) else objects_of(mask, image=image)


def _of_classes(mask: SemanticMap, image: str) -> Objects:
    entries = [entry for entry in mask.classes if entry.role not in ("background", "ignore") and entry.value > 0]
    items = [Object(entry.value, runs=encode(mask.pixels == entry.value), class_name=entry.name) for entry in entries]
    warn(f"{mask.source}: a mask of classes; each class became one object (split it by connected_components to have objects)")
    shape = (mask.shape[0], mask.shape[1])
    return Objects(shape, tuple(item for item in items if item.runs is not None and item.runs.area), image, replace(mask.classes))


def write(path: Path, images: Sequence[Objects]) -> Account:
    """Write a mask for each image.

    Parameters
    ----------
    path : Path
        A file (``.png``, ``.tif``) for one image, else a folder: a PNG for each, or a TIFF where its numbers do not fit.
    images : sequence of Objects
        Painted as `instance_map` does. Classes and scores go into the note of the file.

    Returns
    -------
    Account
        What overlaps cost is counted in objects and in pixels. Crowds and boxes have no area of their own and are left out.

    Raises
    ------
    InputError
        If the size of an image is not known, one file shall hold several images, or two images have one name.
    RunError
        If the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> first, second = (Object(k, runs=encode(np.array([[k == 1, 1, k == 2]]))) for k in (1, 2))
    >>> write(Path(tempfile.mkdtemp()), [Objects((1, 3), (first, second), "a.tif")]).lost
    {'objects partly under others': 1, 'pixels under other objects': 1}
    """
    path = Path(path)
    own_values = {entry.name: entry.value for one in images for entry in one.classes}
    lost = losses(images, holds=("scores", "crowds", "classes"), values=own_values)
    written = 0
    for place, objects in targets(path, images, _WRITTEN, ""):
        if not min(objects.shape):
            raise InputError(f"{place}: the size of the image {objects.image!r} is not known; give it by `shapes`, or name the folder "
                             "of the images")  # fmt: skip
        mask = _painted(objects, lost)
        written += len(mask)
        if place == path:
            write_mask_as(mask, place)
        else:
            write_mask(mask, place)
    return Account(path, written, {what: count for what, count in lost.items() if count})


def _painted(objects: Objects, lost: Counter[str]) -> InstanceMap:
    lost["crowds, which have no mask of their own"] += sum(item.crowd for item in objects.items)
    lost["boxes without an area"] += sum(item.form == "box" and not item.crowd for item in objects.items)
    kept = [item for item in objects.items if not item.crowd and item.form != "box"]
    lost["outlines now whole pixels"] += sum(is_finer_than_pixels(item, objects.shape) for item in kept)
    if any(item.number > _LARGEST for item in kept):
        lost["object numbers too large for a mask"] += len(kept)
        kept = [replace(item, number=number) for number, item in enumerate(kept, 1)]
    painted = tuple(replace(item, runs=runs_of(item, objects.shape), polygons=()) for item in kept)
    with collect_warnings():  # all of it is in the account
        mask = instance_map(replace(objects, items=painted))
    numbers, left = np.unique(mask.pixels, return_counts=True)
    seen = dict(zip(numbers.tolist(), left.tolist(), strict=True))
    for item in painted:
        area, rest = item.runs.area if item.runs else 0, seen.get(item.number, 0)
        lost["objects without a pixel"] += area == 0
        lost["objects partly under others"] += 0 < rest < area
        lost["objects wholly under others"] += rest == 0 < area
        lost["pixels under other objects"] += area - rest
    return mask
