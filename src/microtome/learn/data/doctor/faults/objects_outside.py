"""Boxes and outlines of annotation files that leave the image, or enclose nothing."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.core.objects import Object
from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """Problems of annotated entries, by image."""
    for pair in survey.pairs:
        if pair.objects is None:
            continue
        if not pair.image.error and pair.objects.shape != pair.image.shape[:2]:
            yield Problem(
                "sizes-differ",
                f"the image is {_size(pair.image.shape)}, its annotations say {_size(pair.objects.shape)}",
                pair.image.file,
                "the image was resized, cropped or turned after it was annotated",
                "use the image that was annotated",
                (pair.image.shape, pair.objects.shape),
                others=(pair.masks[0].file,),
            )
            continue
        yield from _objects(pair, pair.objects.items)


def _objects(pair: PairFacts, items: tuple[Object, ...]) -> Iterator[Problem]:
    height, width = pair.image.shape[:2] if not pair.image.error else (1 << 40, 1 << 40)
    empty = [item for item in items if min(item.box[2] - item.box[0], item.box[3] - item.box[1]) <= 0 or _is_a_dot(item)]
    outside = [item for item in items if item not in empty and _leaves(item, height, width)]
    if empty:
        yield Problem(
            "object-without-area",
            f"{count(len(empty), 'object')} without area: {_listed(empty)}",
            pair.image.file,
            "a click without a drag",
            "remove them",
            tuple(item.number for item in empty[:12]),
            _places(empty),
            others=(pair.masks[0].file,),
        )
    if outside:
        yield Problem(
            "object-outside",
            f"{count(len(outside), 'object')} beyond the image ({_size((height, width))}): {_listed(outside)}",
            pair.image.file,
            "drawn past the edge, or on another version of the image",
            "crop them to the image, or check that this is the image that was annotated",
            tuple(item.number for item in outside[:12]),
            _places(outside),
            others=(pair.masks[0].file,),
        )
    boxes = {item.box: item for item in reversed(items) if item.form == "box"}
    twice = [
        item
        for item in items
        if item.form == "box" and item not in empty and boxes[item.box] is not item and boxes[item.box].class_name == item.class_name
    ]
    if twice:
        yield Problem(
            "object-twice",
            f"{count(len(twice), 'box', 'boxes')} given twice: {_listed(twice)}",
            pair.image.file,
            "an object was labelled twice",
            "remove one of the two",
            tuple(item.number for item in twice[:12]),
            _places(twice),
            others=(pair.masks[0].file,),
        )


def _is_a_dot(item: Object) -> bool:
    """A box of one pixel, which is how formats with inclusive edges write one of none."""
    return item.form == "box" and max(item.box[2] - item.box[0], item.box[3] - item.box[1]) <= 1


def _leaves(item: Object, height: int, width: int) -> bool:
    top, left, bottom, right = item.box
    return min(top, left) < -0.5 or bottom > height + 0.5 or right > width + 0.5


def _listed(items: list[Object]) -> str:
    return listed(
        [
            f"{item.class_name or 'object'} {item.number} at y {item.box[0]:g} to {item.box[2]:g}, x {item.box[1]:g} to {item.box[3]:g}"
            for item in items
        ],
        3,
    )


def _places(items: list[Object]) -> tuple[tuple[int, ...], ...]:
    return tuple((int((item.box[0] + item.box[2]) / 2), int((item.box[1] + item.box[3]) / 2)) for item in items[:12])


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
