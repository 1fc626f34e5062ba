"""One pair of class maps (or a map of probabilities and a class map): every key of semantic segmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.core.units import length_in_pixels, parse_spacing
from microtome.measure.metrics import overlap
from microtome.measure.metrics.confusion import Confusion, confusion
from microtome.measure.metrics.definitions import find
from microtome.measure.metrics.pair import Labels, Score, axes_of, mean_of

__all__ = ["of_confusion", "score_classes"]


def score_classes(pred: Labels, truth: Labels, keys: tuple[str, ...], ignore: int | None, spacing: str | Sequence[str] | None) -> Score:
    p, t = _classes(pred, "prediction"), _classes(truth, "truth")
    ignored = set(t.classes.values("ignore")) | ({ignore} if ignore is not None else set())
    background = t.classes.values("background") or ((0,) if all(entry.value for entry in t.classes) else ())
    if _is_a_picture(p, t, ignored):
        warn("one mask holds 0 and 255, the other 0 and 1: a mask saved as a picture; 255 was compared as class 1")
        p, t = (mask.with_pixels((mask.pixels != 0).astype(np.uint8)) for mask in (p, t))
    found = confusion(p.pixels, t.pixels, ignore=ignored)
    values, sums = of_confusion(found, background, keys), {}
    if "miou_image" in keys:
        values["miou_image"] = overlap.miou_image([found])
    if boundary := [key for key in keys if find(key).family == "boundary"]:
        more, one_sided = _boundaries(p.pixels, t, boundary, ignored, background, spacing)
        values |= more
        sums["one_sided"] = np.array([one_sided], float)
    if "warping" in keys:
        values["warping"] = _warping(p, t, ignored)
    if asked := [key for key in keys if find(key).family == "scores"]:
        values |= _of_probabilities(pred, t, asked, ignored)
    return Score("semantic", keys, values, sums, found, background)


def of_confusion(whole: Confusion, background: Iterable[int], keys: Iterable[str]) -> dict[str, float]:
    """Those of the keys that follow from a confusion, ``iou_c`` for every class."""
    found: dict[str, float] = {}
    outside = set(background)
    for key in keys:
        if key.endswith("_c"):
            by_class = _BY_CLASS[key](whole)
            found |= {f"{key[:-1]}{value}": number for value, number in by_class.items()}
        elif key in _OVER_CLASSES:
            rule, empty = _OVER_CLASSES[key]
            values = [number for value, number in rule(whole).items() if value not in outside and np.isfinite(number)]
            found[key] = sum(values) / len(values) if values else empty
        elif key in _OF_CONFUSION:
            found[key] = _OF_CONFUSION[key](whole)
        elif (form := find(key).key) in _BY_CLASS:
            found[key] = _BY_CLASS[form](whole).get(int(key.rpartition("_")[2]), float("nan"))
    return found


_OF_CONFUSION: dict[str, Callable[[Confusion], float]] = {
    "pa": overlap.pa, "mean_acc": overlap.mean_acc, "miou_set": overlap.miou_set, "fwiou": overlap.fwiou, "kappa": overlap.kappa,
    "mcc": overlap.mcc,
}  # fmt: skip


_BY_CLASS: dict[str, Callable[[Confusion], Mapping[int, float]]] = {
    "iou_c": overlap.iou, "dice_c": overlap.dice, "precision_c": overlap.precision, "recall_c": overlap.recall,
}  # fmt: skip


_OVER_CLASSES: dict[str, tuple[Callable[[Confusion], Mapping[int, float]], float]] = {
    "dice": (overlap.dice, 1.0), "precision": (overlap.precision, float("nan")), "recall": (overlap.recall, float("nan")),
}  # fmt: skip


def _is_a_picture(pred: SemanticMap, truth: SemanticMap, ignored: set[int]) -> bool:
    """Whether one mask is 0 and 255, the other 0 and 1, and 255 is a class."""
    tops = sorted(int(mask.pixels.max(initial=0)) for mask in (pred, truth))
    if tops != [1, 255] or 255 in ignored:
        return False
    wide = pred if pred.pixels.max() == 255 else truth
    return bool(np.isin(wide.pixels, (0, 255)).all())


def _classes(mask: Labels, side: str) -> SemanticMap:
    if isinstance(mask, SemanticMap):
        return mask
    if isinstance(mask, InstanceMap):
        warn(f"the {side} holds objects: compared as foreground, whatever their number")
        return SemanticMap(mask.pixels > 0, **mask.geometry())
    if isinstance(mask, ScoreMap):
        return SemanticMap(_probability(mask, side) >= 0.5, **mask.geometry())
    if isinstance(mask, Objects):
        raise InputError(f"{mask.image or f'the {side}'} holds objects as boxes or outlines: make a mask of them, or take task 'boxes'")
    return SemanticMap(np.asarray(mask), axes=axes_of(mask, side))


def _probability(mask: ScoreMap, side: str) -> NDArray[Any]:
    pixels = mask.pixels[..., 0] if mask.has_channels and mask.pixels.shape[-1] == 1 else mask.pixels
    if pixels.ndim != mask.ndim:
        raise InputError(
            f"the {side} has {mask.pixels.shape[-1]} layers of scores: take the foreground's alone, or the class of the highest"
        )
    if not (np.isfinite(pixels).all() and float(pixels.min(initial=0)) >= 0 and float(pixels.max(initial=0)) <= 1):
        raise InputError(f"{mask.source or f'the {side}'} holds values outside 0..1: probabilities are expected")
    return pixels


def _boundaries(
    pred: NDArray[Any], truth: SemanticMap, keys: Sequence[str], ignored: set[int], background: Iterable[int],
    spacing: str | Sequence[str] | None,
) -> tuple[dict[str, float], int]:  # fmt: skip
    """The mean over the classes other than the background, and how many of them are on one side only."""
    from microtome.measure.metrics.boundary_f1 import boundary_f1, default_tolerance
    from microtome.measure.metrics.surface_distances import SurfaceDistances, assd, hd, hd95, nsd, surface_distances

    steps, unit = _spacing(truth, spacing)
    finest = min(steps)
    void = np.isin(truth.pixels, list(ignored)) if ignored else None
    valid = truth.pixels if void is None else truth.pixels[~void]
    answers = pred if void is None else pred[~void]
    classes = sorted({*np.unique(valid).tolist(), *np.unique(answers).tolist()} - set(background) - ignored)
    each = [surface_distances(pred == c, truth.pixels == c, spacing=steps, ignored=void) for c in classes]
    lengths: dict[str, Callable[[SurfaceDistances], float]] = {"hd": hd, "hd95": hd95, "assd": assd}
    values: dict[str, float] = {}
    for key in keys:
        name, _, tail = key.rpartition("_")
        if name in lengths and each:
            values[key] = mean_of(lengths[name](one) for one in each) / _one(tail, finest, unit)
        elif name in lengths:
            values[key] = 0.0
        elif key == "boundary_f1":
            values[key] = mean_of(boundary_f1(one, default_tolerance(truth.shape, steps)) for one in each) if each else 1.0
        elif name == "nsd":
            number = tail.rstrip("abcdefghijklmnopqrstuvwxyz")
            tolerance = float(number) * _one(tail[len(number) :], finest, unit)
            values[key] = mean_of(nsd(one, tolerance) for one in each) if each else 1.0
        if name in lengths and tail == "px" and unit != "px":
            values[f"{name}_{unit}"] = values[key] * finest
    one_sided = sum((len(one.pred) == 0) != (len(one.truth) == 0) for one in each)
    return values | ({"one_sided": float(one_sided)} if "one_sided" in keys else {}), one_sided


def _spacing(truth: SemanticMap, spacing: str | Sequence[str] | None) -> tuple[tuple[float, ...], str]:
    if spacing is not None:
        numbers, unit = parse_spacing(spacing)
        return (numbers * truth.ndim if len(numbers) == 1 else numbers), unit
    return (truth.spacing, truth.unit) if truth.spacing else ((1.0,) * truth.ndim, "px")


def _one(unit: str, finest: float, own: str) -> float:
    """One of `unit` in the masks' own unit; a pixel is as long as the finest axis."""
    if unit in ("px", own):
        return finest if unit == "px" else 1.0
    if own == "px":
        raise InputError(f"a length in {unit} needs the pixel spacing, and the masks have none: give it (--spacing '0.65 um'), or use px")
    return length_in_pixels(f"1 {unit}", (1.0,), own)[0]


def _warping(pred: SemanticMap, truth: SemanticMap, ignored: set[int]) -> float:
    from microtome.measure.metrics.warping import warping

    p, t = pred.foreground(), truth.foreground()
    if ignored:
        void = np.isin(truth.pixels, list(ignored))
        p = np.where(void, t, p)
    return warping(p, t)


def _of_probabilities(pred: Labels, truth: SemanticMap, keys: Sequence[str], ignored: set[int]) -> dict[str, float]:
    """Of the foreground's probability, over the pixels that are not ignored."""
    from microtome.measure.metrics.calibration import brier, ece, reliability
    from microtome.measure.metrics.precision_recall import ap_pixel
    from microtome.measure.metrics.roc import roc_auc
    from microtome.measure.metrics.score_counts import score_counts

    if not isinstance(pred, ScoreMap):
        return {}
    valid = np.isin(truth.pixels, list(ignored), invert=True)
    probability, foreground = _probability(pred, "prediction")[valid], truth.foreground()[valid]
    values: dict[str, float] = {}
    if {"roc_auc", "ap_pixel"} & set(keys):
        counts = score_counts(probability, foreground)
        values |= {"roc_auc": roc_auc(counts), "ap_pixel": ap_pixel(counts)}
    if {"ece", "brier"} & set(keys):
        chosen = probability >= 0.5
        sure = reliability(np.where(chosen, probability, 1 - probability), chosen == foreground)
        values |= {"ece": ece(sure), "brier": brier(sure)}
    return {key: values[key] for key in keys}
