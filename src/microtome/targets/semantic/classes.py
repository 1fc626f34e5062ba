"""Classes: every pixel's class, as it is."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.parameters import Range
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.core.step import step
from microtome.core.tiling import Local
from microtome.targets._layers import finite, names_of
from microtome.targets.heads import Head

__all__ = ["classes", "encode", "heads"]


def heads(table: ClassTable, ndim: int) -> tuple[Head, ...]:
    """One head, a channel for each class that is not ignored.

    >>> [(head.layers, head.activation) for head in heads(ClassTable.binary("cell"), 2)]
    [(('background', 'cell'), 'softmax')]
    """
    return (Head("classes", tuple(entry.name for entry in _taught(table)), "softmax"),)


def encode(mask: SemanticMap | InstanceMap, *, ignore: Annotated[int, Range(-1, 255)] = 255) -> dict[str, NDArray[Any]]:
    """The place of each pixel's class in the class table, and `ignore` where nothing is to be learned.

    Parameters
    ----------
    mask : SemanticMap or InstanceMap, axes yx or zyx
        Of objects each pixel's object's class is taken; 1 where objects have none.
    ignore : int
        Given to pixels of classes whose role is "ignore".

    Returns
    -------
    dict
        ``classes``: uint8 (*spatial), or int32 where uint8 does not hold them.

    Raises
    ------
    InputError
        If the mask holds a value its table does not name, with the first place.
    RecipeError
        If `ignore` is also the place of a class.

    Examples
    --------
    >>> table = ClassTable((ClassEntry(0, "sky"), ClassEntry(7, "road"), ClassEntry(9, "void", "ignore")))
    >>> encode(SemanticMap(np.array([[7, 9, 0]]), classes=table))["classes"].tolist()
    [[1, 255, 0]]
    """
    taught = _taught(mask.classes)
    if 0 <= ignore < len(taught):
        raise RecipeError(f"classes: ignore: {ignore} is the place of class {taught[ignore].name}; use -1 or a number from {len(taught)}")
    pixels = _of_objects(mask) if isinstance(mask, InstanceMap) else mask.pixels
    values = np.array([entry.value for entry in mask.classes], np.int64)
    places = np.full(len(values), ignore)
    places[[entry.role != "ignore" for entry in mask.classes]] = np.arange(len(taught))
    order = np.argsort(values)
    at = np.searchsorted(values[order], pixels).clip(max=len(values) - 1)
    unknown = values[order][at] != pixels
    if unknown.any():
        where = tuple(int(i) for i in np.argwhere(unknown)[0])
        named = ", ".join(map(str, values[order][:12]))
        raise InputError(f"{mask.source or 'classes: the mask'}: value {pixels[where]} at {where} is in no class; the table has {named}")
    small = ignore >= 0 and len(taught) <= 256
    return {"classes": places[order][at].astype(np.uint8 if small else np.int32)}


@step(tiling=Local(0), channels="joint")
def classes(
    scores: ScoreMap,
    *,
    threshold: Annotated[float, Range(0, 1, search=(0.1, 0.9))] = 0.5,
    values: tuple[int, ...] | None = None,
) -> SemanticMap:
    """Give each pixel the class of its greatest score.

    Parameters
    ----------
    scores : ScoreMap
        A layer a class, whose names become the classes' names; or one layer, the foreground's score.
    threshold : float
        Of one layer: foreground is above it. Of several it says nothing.
    values : whole numbers, optional
        The value each class has in the mask, the layers' places by default; of one layer those of background and foreground.

    Returns
    -------
    SemanticMap
        The first of equal scores wins.

    Raises
    ------
    InputError
        If a score is NaN or infinite.
    RecipeError
        If there are not as many values as classes.

    Examples
    --------
    >>> scores = ScoreMap(np.array([[[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]]), axes="yxc", layers=("sky", "road", "car"))
    >>> classes(scores, values=(0, 3, 5)).pixels.tolist()
    [[0, 5]]
    """
    pixels = finite(scores, "classes")
    if scores.has_channels and pixels.shape[-1] > 1:
        found, names = pixels.argmax(-1), names_of(scores)
    else:
        found, names = (pixels.reshape(scores.shape) > threshold).astype(np.int64), ("background", *names_of(scores))
    count = pixels.shape[-1] if scores.has_channels and pixels.shape[-1] > 1 else 2
    table = _table(count, names, values)
    top = max(entry.value for entry in table)
    known = np.array([entry.value for entry in table], np.uint8 if top < 256 else np.uint16 if top < 65536 else np.int32)
    return SemanticMap(known[found], **scores.geometry(), classes=table)


def _taught(table: ClassTable) -> list[ClassEntry]:
    return [entry for entry in table if entry.role != "ignore"]


def _of_objects(mask: InstanceMap) -> NDArray[np.int32]:
    ids = mask.ids
    of = np.array([0, *(mask.object_class.get(int(number), 1) for number in ids)], np.int32)
    return of[np.searchsorted(np.concatenate([[0], ids]), mask.pixels)]


def _table(count: int, names: tuple[str, ...], values: tuple[int, ...] | None) -> ClassTable:
    if values is not None and (len(set(values)) != count or len(values) != count or min(values) < 0):
        raise RecipeError(f"classes: values: found {list(values)}, expected {count} different numbers from 0, one a class")
    if len(names) != count:
        names = ("background", *(f"class {k}" for k in range(1, count)))
    role_of = {True: "background", False: "thing" if count == 2 else "stuff"}
    places = values or tuple(range(count))
    entries = [ClassEntry(places[k], name, role_of[name == "background"]) for k, name in enumerate(names)]  # type: ignore[arg-type]
    return ClassTable(tuple(entries))
