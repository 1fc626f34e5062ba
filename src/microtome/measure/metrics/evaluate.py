"""Every key for one pair of masks, or for a set of pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError, did_you_mean
from microtome.core.events import warn
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.measure.metrics.confusion import Confusion, confusion
from microtome.measure.metrics.matching import THRESHOLDS, Matching, Overlaps, ap, f1, match, overlaps
from microtome.measure.metrics.overlap import dice, iou, mean_acc, miou_image, miou_set, pa

__all__ = ["DEFINITIONS", "Task", "definition", "evaluate", "evaluate_set"]

Task = Literal["semantic", "instance"]
Mask = SemanticMap | InstanceMap
Pairs = Iterable[tuple[Mask, Mask]]
_TASKS = ("semantic", "instance")

DEFINITIONS: dict[str, str] = {
    "pa": "Pixel accuracy: pixels given to their true class, over all valid pixels of the set; nan without valid pixels.",
    "mean_acc": "Share of a class's pixels that was found, averaged over the classes the truth has; pooled over the set; "
    "nan without valid pixels.",
    "iou_c": "Class c: TP/(TP+FP+FN) in pixels, pooled over the set; a class absent on both sides is left out.",
    "miou_set": "Mean of iou_c over the classes present on either side, the background among them; pooled over the set.",
    "miou_image": "The mean IoU of each image over its own classes, then averaged over images; an image without valid pixels counts 1.",
    "dice_c": "Class c: 2TP/(2TP+FP+FN) in pixels, pooled over the set; a class absent on both sides is left out.",
    "dice": "Mean of dice_c over the classes other than the background; pooled over the set; 1 where no such class is on either side.",
    "tp_50": "Objects of the truth with a partner in the prediction: pairs one to one at IoU 0.5 or more; summed over the set.",
    "fp_50": "Predicted objects without a partner at IoU 0.5 or more; summed over the set.",
    "fn_50": "Objects of the truth without a partner at IoU 0.5 or more; summed over the set.",
    "f1_50": "F1 of objects: 2TP/(2TP+FP+FN) at IoU 0.5 or more per image, then averaged over images; "
    "an image without objects on both sides counts 1.",
    "ap_50": "Average precision of objects: TP/(TP+FP+FN) at IoU 0.5 or more per image, then averaged over images; "
    "an image without objects on both sides counts 1. Not COCO's ranked AP.",
    "ap_75": "As ap_50, at IoU 0.75 or more.",
    "ap_90": "As ap_50, at IoU 0.9 or more.",
    "map_50_95": "Mean of the ten ap at IoU .50, .55, ... .95 per image, then averaged over images.",
}


def definition(key: str) -> str:
    """The sentence that defines a key; ``iou_3`` and ``dice_3`` are found under ``iou_c`` and ``dice_c``.

    >>> definition("iou_3")[:7]
    'Class 3'
    """
    numbered = re.fullmatch(r"(iou|dice)_(\d+)", key)
    if numbered:
        return DEFINITIONS[f"{numbered[1]}_c"].replace("Class c", f"Class {numbered[2]}")
    if key not in DEFINITIONS:
        raise RecipeError(f"no metric {key!r}{did_you_mean(key, DEFINITIONS)}")
    return DEFINITIONS[key]


def evaluate(pred: Mask, truth: Mask, *, task: Task, ignore: int | None = None) -> dict[str, float]:
    """Compare one prediction with its truth.

    Parameters
    ----------
    pred, truth : SemanticMap, InstanceMap, or ndarray of integers; same shape
        For "semantic" an InstanceMap counts as foreground. For "instance" both must be InstanceMaps (or arrays of ids).
    task : {"semantic", "instance"}
    ignore : int, optional
        A value of the truth that is no class, such as 255. Classes whose role in the truth's table is "ignore" are ignored anyway.

    Returns
    -------
    dict of str to float
        By key; `DEFINITIONS` says what each is.

    Raises
    ------
    InputError
        If the shapes differ, or a mask is not of the kind the task compares.

    Examples
    --------
    >>> truth = InstanceMap(np.array([[1, 1, 0, 2, 2]]))
    >>> evaluate(InstanceMap(np.array([[7, 7, 0, 0, 8]])), truth, task="instance")["ap_75"]
    0.3333333333333333
    """
    return evaluate_set([(pred, truth)], task=task, ignore=ignore)


def evaluate_set(pairs: Pairs, *, task: Task, ignore: int | None = None) -> dict[str, float]:
    """Compare predictions with their truths, as (prediction, truth) pairs, one at a time.

    Parameters and errors are those of `evaluate`; what is pooled over the set and what is averaged over images, `DEFINITIONS` says.

    Raises
    ------
    InputError
        Also if there is no pair.
    """
    if task not in _TASKS:
        raise RecipeError(f"task {task!r}{did_you_mean(str(task), _TASKS)}")
    keys = _semantic(pairs, ignore) if task == "semantic" else _instance(pairs, ignore)
    if not keys:
        raise InputError("nothing to evaluate: no pair of a prediction and its truth")
    return keys


def _semantic(pairs: Pairs, ignore: int | None) -> dict[str, float]:
    each = [_confusion(pred, truth, ignore) for pred, truth in pairs]
    if not each:
        return {}
    pooled = reduce(add, (one for one, _ in each))
    background = {value for _, values in each for value in values}
    by_class = {value: number for value, number in dice(pooled).items() if value not in background}
    return {
        "pa": pa(pooled),
        "mean_acc": mean_acc(pooled),
        "miou_set": miou_set(pooled),
        "miou_image": miou_image(one for one, _ in each),
        "dice": sum(by_class.values()) / len(by_class) if by_class else 1.0,
        **{f"iou_{value}": number for value, number in iou(pooled).items()},
        **{f"dice_{value}": number for value, number in dice(pooled).items()},
    }


def _confusion(pred: Mask, truth: Mask, ignore: int | None) -> tuple[Confusion, tuple[int, ...]]:
    """The confusion of one pair, and the values that are background."""
    p, t = _classes(pred, "prediction"), _classes(truth, "truth")
    ignored = set(t.classes.values("ignore")) | ({ignore} if ignore is not None else set())
    background = t.classes.values("background") or (0,)
    if _is_a_picture(p, t, ignored):
        warn("one mask holds 0 and 255, the other 0 and 1: a mask saved as a picture; 255 was compared as class 1")
        p, t = (mask.with_pixels((mask.pixels != 0).astype(np.uint8)) for mask in (p, t))
    return confusion(p.pixels, t.pixels, ignore=ignored), background


def _is_a_picture(pred: SemanticMap, truth: SemanticMap, ignored: set[int]) -> bool:
    """Whether one mask is 0 and 255, the other 0 and 1, and 255 is a class."""
    tops = sorted(int(mask.pixels.max(initial=0)) for mask in (pred, truth))
    if tops != [1, 255] or 255 in ignored:
        return False
    wide = pred if pred.pixels.max() == 255 else truth
    return bool(np.isin(wide.pixels, (0, 255)).all())


def _classes(mask: Mask, side: str) -> SemanticMap:
    if isinstance(mask, SemanticMap):
        return mask
    if isinstance(mask, InstanceMap):
        warn(f"the {side} holds objects: compared as foreground, whatever their number")
        return SemanticMap(mask.pixels > 0, **mask.geometry())
    return SemanticMap(np.asarray(mask), axes=_axes(mask, side))


def _instance(pairs: Pairs, ignore: int | None) -> dict[str, float]:
    if ignore is not None:
        raise RecipeError(f"ignore: {ignore} has no meaning for instances; leave it out")
    each = [[match(found, threshold) for threshold in THRESHOLDS] for found in (_overlaps(pred, truth) for pred, truth in pairs)]
    if not each:
        return {}
    at = {round(100 * threshold): [one[k] for one in each] for k, threshold in enumerate(THRESHOLDS)}
    return {
        "f1_50": _mean(f1, at[50]),
        **{f"ap_{percent}": _mean(ap, at[percent]) for percent in (50, 75, 90)},
        "map_50_95": sum(_mean(ap, matchings) for matchings in at.values()) / len(at),
        "tp_50": sum(one.tp for one in at[50]),
        "fp_50": sum(one.fp for one in at[50]),
        "fn_50": sum(one.fn for one in at[50]),
    }


def _mean(metric: Callable[[Matching], float], matchings: list[Matching]) -> float:
    return sum(metric(one) for one in matchings) / len(matchings)


def _overlaps(pred: Mask, truth: Mask) -> Overlaps:
    return overlaps(_objects(pred, "prediction"), _objects(truth, "truth"))


def _objects(mask: Mask, side: str) -> NDArray[Any]:
    if isinstance(mask, SemanticMap):
        raise InputError(f"{mask.source or f'the {side}'} holds classes, not objects: number its objects first "
                         "(a step that labels connected components), or evaluate with task 'semantic'")  # fmt: skip
    return (mask if isinstance(mask, InstanceMap) else InstanceMap(np.asarray(mask), axes=_axes(mask, side))).pixels


def _axes(pixels: Any, side: str) -> str:
    axes = {2: "yx", 3: "zyx"}.get(np.ndim(pixels))
    if axes is None:
        raise InputError(f"the {side} is an array of shape {np.shape(pixels)}: a mask has two axes (yx) or three (zyx)")
    return axes
