"""Parts of objects, as files list them, joined to objects by the group that a file names."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from microtome.core.classes import ClassTable
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.kernels.patches import union
from microtome.core.objects import Box, Object, Objects, Runs
from microtome.core.outlines import Polygon
from microtome.io.annotations.numbers import object_numbers

__all__ = ["Part", "joined"]


@dataclass(frozen=True, eq=False)
class Part:
    """One shape of a file: polygons, or runs, or a box.

    Attributes
    ----------
    group : hashable or None
        Shapes of one group and one class are one object; None: an object of its own. It is the object's number where it can be.
    """

    polygons: tuple[Polygon, ...] = ()
    runs: Runs | None = None
    box: Box | None = None
    group: Hashable = None
    class_name: str = ""
    score: float | None = None
    crowd: bool = False


def joined(parts: Sequence[Part], shape: tuple[int, int], image: str, classes: ClassTable, *, boxes_are_areas: bool = True) -> Objects:
    """The objects of one image, in the order of their first parts.

    Parameters
    ----------
    boxes_are_areas : bool
        What a box is beside other parts of its object: one of its areas, or the box around them. Alone it is a box.

    Examples
    --------
    >>> ring = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> found = joined([Part((Polygon(ring),), group=7), Part((Polygon(ring + 2),), group=7)], (4, 4), "", ClassTable(()))
    >>> [(item.number, len(item.polygons)) for item in found.items]
    [(7, 2)]
    """
    groups: dict[Hashable, list[Part]] = {}
    for place, part in enumerate(parts):
        groups.setdefault((part.class_name, part.group) if part.group is not None else ("", None, place), []).append(part)
    of_objects = list(groups.values())
    numbers = object_numbers(["" if own[0].group is None else str(own[0].group) for own in of_objects])
    items = tuple(_object(number, own, shape, boxes_are_areas) for number, own in zip(numbers, of_objects, strict=True))
    return Objects(shape, items, image, classes)


def _object(number: int, parts: list[Part], shape: tuple[int, int], boxes_are_areas: bool) -> Object:
    first, boxes = parts[0], [part.box for part in parts if part.box is not None]
    score = next((part.score for part in parts if part.score is not None), None)
    bare = Object(number, class_name=first.class_name, score=score, crowd=any(part.crowd for part in parts))
    if len(parts) == len(boxes) == 1:
        return replace(bare, given_box=boxes[0])
    if len(boxes) == 1 and not boxes_are_areas:
        bare, boxes = replace(bare, given_box=boxes[0]), []
    rectangles = [polygon for box in boxes for polygon in polygons_of(Object(number, given_box=box))]
    polygons = (*(polygon for part in parts for polygon in part.polygons), *rectangles)
    masks = [part.runs for part in parts if part.runs is not None]
    if not masks:
        return replace(bare, polygons=polygons)
    if polygons:
        masks.append(runs_of(Object(number, polygons), shape))
    return replace(bare, runs=union(masks) if len(masks) > 1 else masks[0])
