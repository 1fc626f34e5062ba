"""Part of one example into another, with everything that lies over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.learn.augment.example import Example, boxes_of

__all__ = ["alike", "paste"]


def alike(examples: Sequence[Example], step: str) -> None:
    """Refuse examples that cannot be pasted into each other."""
    found = {(one.image.shape, str(one.image.dtype), one.classes is None, one.objects is None) for one in examples}
    if len(found) > 1:
        shapes = ", ".join(sorted({f"{one.image.shape} {one.image.dtype}" for one in examples}))
        raise InputError(f"{step}: samples must have one shape, dtype and the same kinds of labels, found {shapes}")


def paste(example: Example, partner: Example, inside: NDArray[np.bool_]) -> Example:
    """The example, with the partner where `inside` is true.

    The partner's objects get numbers above the example's. Boxes are taken anew from the objects that show, where there are objects, and
    points follow the pixel they stand on; with objects, ids of points are taken for numbers of objects and renumbered too.
    """
    image = np.where(inside[..., None], partner.image, example.image)
    classes = None if example.classes is None or partner.classes is None else np.where(inside, partner.classes, example.classes)
    out = replace(example, image=image, classes=classes)
    top = 0
    if example.objects is not None and partner.objects is not None:
        top = max([int(example.objects.max(initial=0)), *example.object_class])
        theirs = np.where(partner.objects > 0, partner.objects + np.int32(top), 0)
        objects = np.where(inside, theirs, example.objects).astype(np.int32)
        classes_of = {**example.object_class, **{top + one: value for one, value in partner.object_class.items()}}
        out = replace(out, objects=objects, object_class=classes_of)
        if example.boxes is not None:
            boxes, ids = boxes_of(objects)
            out = replace(out, boxes=boxes, box_ids=ids)
    if example.points is not None and partner.points is not None:
        own, others = ~_stands_on(inside, example.points), _stands_on(inside, partner.points)
        points = np.concatenate([example.points[own], partner.points[others]])
        out = replace(out, points=points, point_ids=np.concatenate([example.point_ids[own], partner.point_ids[others] + top]))
    return out


def _stands_on(inside: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    places = np.clip(np.floor(points).astype(int), 0, np.asarray(inside.shape) - 1)
    return inside[tuple(places.T)]
