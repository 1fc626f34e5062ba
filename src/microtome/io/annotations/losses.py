"""What objects say beside their area, counted where a format has no place for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from microtome.core.kernels.areas import runs_of
from microtome.core.objects import Object, Objects, class_table
from microtome.core.outlines import Polygon

__all__ = ["by_name", "filled_holes", "is_finer_than_pixels", "losses"]


def losses(images: Sequence[Objects], *, holds: Collection[str] = (), values: Mapping[str, int] | None = None) -> Counter[str]:
    """Count what a file does not hold.

    Parameters
    ----------
    images : sequence of Objects
    holds : collection of {"scores", "crowds", "boxes", "classes"}
        What the format has a place for: scores, crowd marks, boxes beside an area, classes that no object has.
    values : mapping of str to int, optional
        The value that each class will have when the file is read. Left out: by name, as `by_name` numbers them.

    Returns
    -------
    Counter of str
        In words, how often; without zeros.

    Examples
    --------
    >>> dict(losses([Objects((2, 2), (Object(1, given_box=(0, 0, 1, 1), score=0.5),))]))
    {'scores': 1}
    """
    items = [item for one in images for item in one.items]
    scores = [item.score for item in items if item.score is not None]
    lost: Counter[str] = Counter()
    if "scores" in holds:
        lost["scores that are not finite"] = sum(not math.isfinite(score) for score in scores)
    else:
        lost["scores"] = len(scores)
    if "crowds" not in holds:
        lost["crowd marks"] = sum(item.crowd for item in items)
    if "boxes" not in holds:
        lost["boxes that are not the area's own"] = sum(_has_other_box(item) for item in items)
    lost.update(_of_classes(images, values if values is not None else by_name(images), "classes" in holds))
    return Counter({what: count for what, count in lost.items() if count})


def by_name(images: Sequence[Objects]) -> dict[str, int]:
    """The value that each class has where a file knows only the names its objects have: from 1, in alphabetical order."""
    return {entry.name: entry.value for entry in class_table([item.class_name for one in images for item in one.items])}


def _has_other_box(item: Object) -> bool:
    return item.given_box is not None and item.form != "box" and item.given_box != replace(item, given_box=None).box


def _of_classes(images: Sequence[Objects], values: Mapping[str, int], holds_unused: bool) -> Counter[str]:
    entries = {entry for one in images for entry in one.classes if entry.role != "background"}
    lost: Counter[str] = Counter()
    if not holds_unused:
        used = {item.class_name for one in images for item in one.items}
        lost["classes without an object"] = len({entry.name for entry in entries} - used)
    lost["class values"] = len({entry.name for entry in entries if values.get(entry.name, entry.value) != entry.value})
    lost["class roles"] = len({entry.name for entry in entries if entry.name in values and entry.role != "thing"})
    return lost


def is_finer_than_pixels(item: Object, shape: tuple[int, int]) -> bool:
    """Whether an area is more than its pixels say: with edges that cut pixels, or outside of the image.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> [is_finer_than_pixels(Object(1, (Polygon(ring),)), (4, 4)) for ring in (square, square[:3], square + 0.5, square + 3)]
    [False, True, True, True]
    """
    return item.runs is None and not all(_on_pixel_edges(polygon, shape) for polygon in item.polygons)


def _on_pixel_edges(polygon: Polygon, shape: tuple[int, int]) -> bool:
    """Whether all edges run along those of pixels of an image of this shape, so that its pixels say all of it."""
    inside = (polygon.outer >= 0).all() and (polygon.outer <= shape).all()
    rings = (polygon.outer, *polygon.holes)
    return bool(inside) and all((one == np.floor(one)).all() and (one == np.roll(one, 1, axis=0)).any(axis=1).all() for one in rings)


def filled_holes(item: Object, polygons: Sequence[Polygon], shape: tuple[int, int]) -> Counter[str]:
    """What it costs to give an object's polygons without their holes: how many holes, and the pixels gained.

    Examples
    --------
    >>> ring = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> frame = Object(1, (Polygon(4 * ring, (1 + 2 * ring,)),))
    >>> dict(filled_holes(frame, frame.polygons, (5, 5)))
    {'holes filled in': 1, 'pixels gained by filled holes': 4}
    """
    holes = sum(len(polygon.holes) for polygon in polygons)
    if not holes:
        return Counter()
    whole = replace(item, runs=None, polygons=tuple(Polygon(polygon.outer) for polygon in polygons))
    gained = runs_of(whole, shape).area - runs_of(item, shape).area
    return Counter({"holes filled in": holes, "pixels gained by filled holes": gained})
