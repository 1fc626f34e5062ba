"""Every key for one pair of masks, or for a set of pairs: each pair is scored alone, and the scores are pooled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import warn
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.core.units import length_in_pixels, parse_spacing
from microtome.measure.metrics import overlap
from microtome.measure.metrics.aji import aji, aji_plus
from microtome.measure.metrics.confusion import Confusion, confusion
from microtome.measure.metrics.contingency import Contingency, contingency
from microtome.measure.metrics.count_error import count_errors
from microtome.measure.metrics.definitions import DEFINITIONS, METRICS, Task, choose, definition, find
from microtome.measure.metrics.matching import THRESHOLDS, Overlaps, match_counts, overlaps
from microtome.measure.metrics.panoptic_quality import panoptic, panoptic_objects
from microtome.measure.metrics.rand import are, ari, rand
from microtome.measure.metrics.seg import seg_each
from microtome.measure.metrics.voi import voi_merge, voi_split

__all__ = [
    "DEFINITIONS",
    "Score",
    "Task",
    "box_overlaps",
    "boxed",
    "definition",
    "evaluate",
    "evaluate_set",
    "left_out",
    "pool",
    "score",
]

_NEEDS = {
    "ranked": "needs a score for every predicted object, and these have none",
    "scores": "needs the foreground's probability for every pixel, and these are masks",
}

Mask = SemanticMap | InstanceMap
Labels = Mask | ScoreMap | Objects | NDArray[Any]
Pairs = Iterable[tuple[Any, Any]]


@dataclass(frozen=True, eq=False)
class Score:
    """One pair compared: its own numbers, and what must be added up over a set before a number is taken.

    Attributes
    ----------
    task : str
    keys : tuple of str
        What was asked for; ``iou_c`` stands for every class.
    values : dict of str to float
        The keys of this pair alone; nan where a key does not exist for it.
    sums : dict of str to ndarray
        Numbers that add up over images: pairs and objects without partner, by threshold and class.
    confusion : Confusion or None
        For classes; they add up too.
    background : tuple of int
        The class values that are background.
    ranked : object or None
        Objects with their scores, to be ranked over the set; None where they have none.
    """

    task: Task
    keys: tuple[str, ...]
    values: dict[str, float]
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    confusion: Confusion | None = None
    background: tuple[int, ...] = (0,)
    ranked: _Ranked | None = None


def evaluate(
    pred: Labels,
    truth: Labels,
    *,
    task: Task,
    ignore: int | None = None,
    metrics: str | Iterable[str] = "default",
    spacing: str | Sequence[str] | None = None,
) -> dict[str, float]:
    """Compare one prediction with its truth.

    Parameters
    ----------
    pred, truth : SemanticMap, InstanceMap, Objects or ndarray of integers; same shape
        For "semantic" an InstanceMap counts as foreground, and a ScoreMap of one layer as the foreground's probability, foreground from
        0.5 up. For "instance" both must be InstanceMaps (or arrays of ids). For "boxes" Objects, or InstanceMaps for the boxes around
        their objects.
    task : {"semantic", "instance", "boxes"}
    ignore : int, optional
        A value of the truth that is no class, such as 255. Classes whose role in the truth's table is "ignore" are ignored anyway.
    metrics : str or iterable of str
        "default", "all", families ("boundary", "clusters", "panoptic", ...) or keys, as a list or separated by commas.
    spacing : str or sequence of str, optional
        The pixel spacing, such as ``"0.65 um"``, for lengths in a unit; by default the truth's own.

    Returns
    -------
    dict of str to float
        By key; `definition` says what each is. A key that does not exist for these masks is nan.

    Raises
    ------
    InputError
        If the shapes differ, or a mask is not of the kind the task compares.
    RecipeError
        If the task or a metric is not known, or a metric is not for this task.

    Examples
    --------
    >>> truth = InstanceMap(np.array([[1, 1, 0, 2, 2]]))
    >>> evaluate(InstanceMap(np.array([[7, 7, 0, 0, 8]])), truth, task="instance")["ap_75"]
    0.3333333333333333
    """
    return evaluate_set([(pred, truth)], task=task, ignore=ignore, metrics=metrics, spacing=spacing)


def evaluate_set(
    pairs: Pairs,
    *,
    task: Task,
    ignore: int | None = None,
    metrics: str | Iterable[str] = "default",
    spacing: str | Sequence[str] | None = None,
) -> dict[str, float]:
    """Compare predictions with their truths, as (prediction, truth) pairs, one at a time.

    Parameters and errors are those of `evaluate`; what is pooled over the set and what is averaged over images, `definition` says.
    Images for which a key does not exist are left out of its mean, and a warning counts them.

    Raises
    ------
    InputError
        Also if there is no pair.
    """
    keys = choose(metrics, task)
    scores = [score(pred, truth, task=task, metrics=keys, ignore=ignore, spacing=spacing) for pred, truth in pairs]
    for key, count in left_out(scores).items() if len(scores) > 1 else ():
        warn(f"{key}: {count} of {len(scores)} images are left out of the mean, it does not exist for them")
    found = pool(scores)
    for key, why in lacking(keys, found).items() if metrics != "default" else ():
        warn(f"{key}: left out, it {why}")
    return found


def score(
    pred: Labels,
    truth: Labels,
    *,
    task: Task,
    metrics: str | Iterable[str] = "default",
    ignore: int | None = None,
    spacing: str | Sequence[str] | None = None,
) -> Score:
    """Compare one pair; `pool` makes the keys of a set of several. Parameters and errors are those of `evaluate`.

    Examples
    --------
    >>> truth = np.array([[1, 1, 0, 2, 2]])
    >>> both = [score(pred, truth, task="instance") for pred in (truth, np.zeros_like(truth))]
    >>> both[1].values["ap_50"], pool(both)["ap_50"]
    (0.0, 0.5)
    """
    keys = choose(metrics, task)
    if task == "semantic":
        return _score_classes(pred, truth, keys, ignore, spacing)
    if ignore is not None:
        raise RecipeError(f"ignore: {ignore} has no meaning for instances; leave it out")
    return _score_objects(pred, truth, keys) if task == "instance" else _score_boxes(pred, truth, keys)


def pool(scores: Sequence[Score]) -> dict[str, float]:
    """The keys of a set from the scores of its pairs: what is pooled is added up first, what is averaged is the mean over images.

    Raises
    ------
    InputError
        If there is no score.
    """
    if not scores:
        raise InputError("nothing to evaluate: no pair of a prediction and its truth")
    pooled = _pooled(scores)
    keys = dict.fromkeys(key for one in scores for key in one.values)
    means = {key: _mean(one.values.get(key, float("nan")) for one in scores) for key in keys if key not in pooled}
    found = {key: value for key, value in (pooled | means).items() if key in pooled or find(key).over == "images"}
    place = {key: number for number, key in enumerate(METRICS)}
    return {key: _whole(key, found[key]) for key in sorted(found, key=lambda key: place[find(key).key])}


def _whole(key: str, value: float) -> float:
    """What is counted over a set is a whole number."""
    return int(value) if find(key).over == "set" and find(key).unit in ("objects", "classes") else value


def left_out(scores: Sequence[Score]) -> dict[str, int]:
    """For each key that is a mean over images, how many images have no such number; keys that all have are not listed."""
    keys = dict.fromkeys(key for one in scores for key in one.values if find(key).over == "images")
    counts = {key: sum(not np.isfinite(one.values.get(key, np.nan)) for one in scores) for key in keys}
    return {key: count for key, count in counts.items() if count}


def lacking(keys: Iterable[str], found: Iterable[str]) -> dict[str, str]:
    """The keys asked for that predictions of this kind do not have, each with what it needs."""
    there = set(found)
    return {key: _NEEDS[find(key).family] for key in keys if find(key).family in _NEEDS and key not in there}


def _mean(values: Iterable[float]) -> float:
    there = [value for value in values if np.isfinite(value)]
    return sum(there) / len(there) if there else float("nan")


def _pooled(scores: Sequence[Score]) -> dict[str, float]:
    first = scores[0]
    sums = _added([one.sums for one in scores])
    if first.task == "semantic":
        whole = reduce(add, (one.confusion for one in scores if one.confusion is not None))
        background = {value for one in scores for value in one.background}
        return of_confusion(whole, background, first.keys) | {key: float(sums[key][0]) for key in first.keys if key in sums}
    found = {key: float(value) for key, value in of_sums(sums, first.keys).items()}
    ranked = [one.ranked for one in scores if one.ranked is not None]
    return found | (_of_ranked(ranked, first.keys) if len(ranked) == len(scores) else {})


def _added(each: Sequence[Mapping[str, NDArray[np.float64]]]) -> dict[str, NDArray[np.float64]]:
    names = dict.fromkeys(name for sums in each for name in sums)
    return {name: np.sum([sums[name] for sums in each if name in sums], axis=0) for name in names}


# ---- classes


def _score_classes(pred: Labels, truth: Labels, keys: tuple[str, ...], ignore: int | None, spacing: str | Sequence[str] | None) -> Score:
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
    return SemanticMap(np.asarray(mask), axes=_axes(mask, side))


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
            values[key] = _mean(lengths[name](one) for one in each) / _one(tail, finest, unit)
        elif name in lengths:
            values[key] = 0.0
        elif key == "boundary_f1":
            values[key] = _mean(boundary_f1(one, default_tolerance(truth.shape, steps)) for one in each) if each else 1.0
        elif name == "nsd":
            number = tail.rstrip("abcdefghijklmnopqrstuvwxyz")
            tolerance = float(number) * _one(tail[len(number) :], finest, unit)
            values[key] = _mean(nsd(one, tolerance) for one in each) if each else 1.0
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


# ---- objects


def _score_objects(pred: Labels, truth: Labels, keys: tuple[str, ...]) -> Score:
    p, t = _objects(pred, "prediction"), _objects(truth, "truth")
    found = overlaps(p.pixels, t.pixels)
    values, sums = _of_pairs(found, keys)
    ranked = _Ranked.of(p, t, found, keys)
    if "seg" in keys:
        each = seg_each(found)
        sums["seg"] = np.array([each.sum(), len(each)], float)
    if {"pq", "sq", "rq"} & set(keys):
        sums |= _panoptic(p, t, found)
    values |= {key: rule(found) for key, rule in {"aji": aji, "aji_plus": aji_plus}.items() if key in keys}
    if asked := [key for key in keys if key in _CLUSTERS]:
        table = contingency(p.pixels, t.pixels)
        values |= {key: _CLUSTERS[key](table) for key in asked}
    return _with_set_keys("instance", keys, values, sums, ranked)


_CLUSTERS: dict[str, Callable[[Contingency], float]] = {
    "rand": rand, "ari": ari, "are": are, "voi_split": voi_split, "voi_merge": voi_merge,
}  # fmt: skip


def _panoptic(pred: InstanceMap, truth: InstanceMap, found: Overlaps) -> dict[str, NDArray[np.float64]]:
    """By class where every object of both sides has one, else over all objects: IoU of pairs, TP, FP, FN."""
    classed = all(mask.object_class and set(mask.ids.tolist()) <= set(mask.object_class) for mask in (pred, truth))
    sums = panoptic(pred, truth, by_class=True) if classed else panoptic_objects(found)
    rows = np.stack([sums.iou, sums.tp, sums.fp, sums.fn], axis=1)
    return {f"panoptic {value}": row for value, row in zip(sums.classes, rows, strict=True)}


def _score_boxes(pred: Labels, truth: Labels, keys: tuple[str, ...]) -> Score:
    p, t = boxed(pred, "prediction"), boxed(truth, "truth")
    if p.shape != t.shape:
        raise InputError(f"the prediction has shape {p.shape} and the truth {t.shape}: both must cover the same pixels")
    found = box_overlaps(p, t)
    values, sums = _of_pairs(found, keys)
    return _with_set_keys("boxes", keys, values, sums, _Ranked.of(p, t, found, keys))


def _with_set_keys(
    task: Task, keys: tuple[str, ...], values: dict[str, float], sums: dict[str, NDArray[np.float64]], ranked: _Ranked | None
) -> Score:
    """The keys that are pooled over a set have a value for the image alone as well; those that rank a set's objects do not."""
    pooled = {key: float(value) for key, value in of_sums(sums, keys).items()}
    return Score(task, keys, _in_order(values | pooled, keys), sums, ranked=ranked)


@dataclass(frozen=True, eq=False)
class _Ranked:
    """One image's objects, to be ranked by score over the set."""

    pred: Objects
    truth: Objects
    found: Overlaps
    boxes: bool

    @classmethod
    def of(cls, pred: InstanceMap | Objects, truth: InstanceMap | Objects, found: Overlaps, keys: Sequence[str]) -> _Ranked | None:
        """None where no such key is asked for, or a predicted object has no score; who asked for one by name is told."""
        if not any(find(key).family == "ranked" for key in keys):
            return None
        boxes = isinstance(pred, Objects)
        p, t = (one if isinstance(one, Objects) else _as_objects(one) for one in (pred, truth))
        if p is None or t is None or any(item.score is None for item in p.items):
            return None
        return cls(p, t, found, boxes)


def _as_objects(mask: InstanceMap) -> Objects | None:
    from microtome.core.kernels.areas import objects_of

    return objects_of(mask, image=mask.source) if mask.ndim == 2 else None


def _of_ranked(each: Sequence[_Ranked], keys: Sequence[str]) -> dict[str, float]:
    """COCO's and VOC's numbers of a set; nan where COCO gives -1, without truth. None where nothing was predicted at all."""
    from microtome.measure.metrics.coco_ap import coco_ap

    if not any(one.pred.items for one in each):
        return {}
    values: dict[str, float] = {}
    if asked := [key for key in keys if key.startswith("coco_")]:
        classed = any(item.class_name for one in each for item in (*one.pred.items, *one.truth.items))
        found = coco_ap([(one.pred, one.truth) for one in each], of="boxes" if each[0].boxes else "masks", by_class=classed)
        names = {"coco_ap": found.ap, "coco_ar": found.ar_100}
        for key in asked:
            number = names[key] if key in names else _coco_at(found.precision, int(key.rpartition("_")[2]))
            values[key] = number if number >= 0 else float("nan")
    return values | {key: _voc(each, int(key.rpartition("_")[2]) / 100) for key in keys if key.startswith("voc_ap_")}


def _coco_at(precision: NDArray[np.float64], percent: int) -> float:
    if percent / 100 not in THRESHOLDS:
        raise RecipeError(f"coco_ap_{percent}: COCO knows the IoU thresholds 50, 55, ... 95")
    at = precision[THRESHOLDS.index(percent / 100), ..., 0, -1]
    return float(at[at >= 0].mean()) if (at >= 0).any() else float("nan")


def _voc(each: Sequence[_Ranked], threshold: float) -> float:
    """The mean over classes of VOC's AP: each prediction, the surest first, takes the object of its best IoU if nobody has it."""
    from microtome.measure.metrics.voc_ap import voc_ap

    names = sorted({item.class_name for one in each for item in one.truth.items if not item.crowd})
    aps = []
    for name in names:
        hits, scores, true = [], [], 0
        for one in each:
            own, right, count = _voc_hits(one, name, threshold)
            scores += own
            hits += right
            true += count
        order = np.argsort(-np.array(scores, float), kind="stable")
        tp = np.cumsum(np.array(hits, bool)[order])
        aps.append(voc_ap((tp / np.arange(1, len(tp) + 1)).tolist(), (tp / true).tolist()))
    return sum(aps) / len(aps) if aps else float("nan")


def _voc_hits(one: _Ranked, name: str, threshold: float) -> tuple[list[float], list[bool], int]:
    """The scores of one image's predictions of a class, whether each is right, and the class's true objects."""
    true = {item.number for item in one.truth.items if item.class_name == name and not item.crowd}
    best: dict[int, tuple[float, int]] = {}
    for i, j, iou in zip(one.found.truth.tolist(), one.found.pred.tolist(), one.found.iou.tolist(), strict=True):
        t, p = int(one.found.truth_ids[i]), int(one.found.pred_ids[j])
        if t in true and iou > best.get(p, (0.0, 0))[0]:
            best[p] = (iou, t)
    scores, hits, taken = [], [], set()
    for item in sorted((item for item in one.pred.items if item.class_name == name), key=lambda item: -(item.score or 0.0)):
        iou, t = best.get(item.number, (0.0, 0))
        hits.append(iou >= threshold and t not in taken)
        scores.append(item.score or 0.0)
        if hits[-1]:
            taken.add(t)
    return scores, hits, len(true)


def _in_order(values: dict[str, float], keys: Sequence[str]) -> dict[str, float]:
    return {key: values[key] for key in keys if key in values}


def _of_pairs(found: Overlaps, keys: Sequence[str]) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """What follows from objects paired one to one: the image's own keys, and the counts that are summed over the set."""
    percents = _percents(keys)
    counts = match_counts(found, [percent / 100 for percent in percents])
    place = {percent: number for number, percent in enumerate(percents)}
    values, sums = {}, {}
    for key in keys:
        name, _, tail = key.rpartition("_")
        if name in ("f1", "ap"):
            values[key] = float(getattr(counts, name)[place[int(tail)]])
        elif name in ("tp", "fp", "fn"):
            sums[key] = np.array([getattr(counts, name)[place[int(tail)]]], float)
    if "map_50_95" in keys:
        values["map_50_95"] = float(counts.ap[[place[round(100 * threshold)] for threshold in THRESHOLDS]].mean())
    if {"count_error", "count_abs_error", "count_mape"} & set(keys):
        errors = count_errors([len(found.pred_ids)], [len(found.truth_ids)])
        values |= {"count_error": errors.bias, "count_abs_error": errors.mae, "count_mape": errors.mape}
    return values, sums


def _percents(keys: Sequence[str]) -> list[int]:
    percents = {int(key.rpartition("_")[2]) for key in keys if key.rpartition("_")[0] in ("f1", "ap", "tp", "fp", "fn")}
    for percent in percents:
        if not 1 <= percent <= 100:
            raise RecipeError(f"IoU threshold {percent} %: from 1 to 100 is expected, as in ap_50")
    return sorted(percents | ({round(100 * threshold) for threshold in THRESHOLDS} if "map_50_95" in keys else set()))


def of_sums(sums: Mapping[str, NDArray[np.float64]], keys: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """The keys of objects that are taken of sums over a set.

    Parameters
    ----------
    sums : mapping of str to ndarray, shape (..., K)
        As `Score` has them; leading axes are several sets at once.
    keys : sequence of str

    Returns
    -------
    dict of str to ndarray, shape (...)
    """
    found = {key: sums[key][..., 0] for key in keys if key[:3] in ("tp_", "fp_", "fn_") and key in sums}
    if "seg" in sums:
        found["seg"] = _over(sums["seg"][..., 0], sums["seg"][..., 1])
    if {"pq", "sq", "rq"} & set(keys):
        found |= {key: value for key, value in _of_panoptic(sums).items() if key in keys}
    return found


def _of_panoptic(sums: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    classes = [row for name, row in sums.items() if name.startswith("panoptic ")]
    if not classes:
        return dict.fromkeys(("pq", "sq", "rq"), np.array(1.0))
    iou, tp, fp, fn = np.moveaxis(np.stack(classes, axis=-2), -1, 0)
    objects = tp + (fp + fn) / 2
    each = {"pq": _over(iou, objects), "sq": np.where(objects > 0, _over(iou, np.maximum(tp, 1)), np.nan), "rq": _over(tp, objects)}
    there = np.maximum((objects > 0).sum(axis=-1), 1)
    return {key: np.where((objects > 0).any(axis=-1), np.nansum(value, axis=-1) / there, 1.0) for key, value in each.items()}


def _over(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _objects(mask: Labels, side: str) -> InstanceMap:
    if isinstance(mask, InstanceMap):
        return mask
    if isinstance(mask, (SemanticMap, ScoreMap)):
        raise InputError(f"{mask.source or f'the {side}'} holds classes, not objects: number its objects first "
                         "(a step that labels connected components), or evaluate with task 'semantic'")  # fmt: skip
    if isinstance(mask, Objects):
        from microtome.core.kernels.areas import instance_map

        return instance_map(mask)
    return InstanceMap(np.asarray(mask), axes=_axes(mask, side))


def boxed(labels: Labels, side: str) -> Objects:
    """Objects as they are; those of a mask, for the boxes around them."""
    if isinstance(labels, Objects):
        return labels
    if isinstance(labels, SemanticMap):
        raise InputError(f"{labels.source or f'the {side}'} holds classes: boxes are of objects; number its objects first")
    found = _as_objects(_objects(labels, side))
    if found is None:
        raise InputError(f"the {side} is a volume: boxes are compared in 2-D")
    return found


def box_overlaps(pred: Objects, truth: Objects) -> Overlaps:
    """All pairs of boxes that share an area; crowds are left out, and that is told.

    Examples
    --------
    >>> from microtome.core.objects import Object
    >>> boxes = Objects((9, 9), (Object(1, given_box=(0, 0, 4, 4)),)), Objects((9, 9), (Object(1, given_box=(0, 0, 4, 2)),))
    >>> box_overlaps(*boxes).iou.tolist()
    [0.5]
    """
    (p_ids, p), (t_ids, t) = _corners(pred, "prediction"), _corners(truth, "truth")
    sides = np.minimum(t[:, None, 2:], p[None, :, 2:]) - np.maximum(t[:, None, :2], p[None, :, :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    t_areas, p_areas = (np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=-1) for corners in (t, p))
    i, j = np.nonzero(shared)
    iou = shared[i, j] / (t_areas[i] + p_areas[j] - shared[i, j])
    return Overlaps(t_ids, p_ids, t_areas, p_areas, i, j, shared[i, j], iou)


def _corners(objects: Objects, side: str) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The numbers, ascending, and the boxes y0 x0 y1 x1 of all objects but crowds."""
    items = sorted((item for item in objects.items if not item.crowd), key=lambda item: item.number)
    if crowds := len(objects.items) - len(items):
        warn(f"{objects.image or f'the {side}'}: {crowds} crowds are no objects and were left out, but of coco_ap")
    return np.array([item.number for item in items], np.int32), np.array([item.box for item in items], np.float64).reshape(-1, 4)


def _axes(pixels: Any, side: str) -> str:
    axes = {2: "yx", 3: "zyx"}.get(np.ndim(pixels))
    if axes is None:
        raise InputError(f"the {side} is an array of shape {np.shape(pixels)}: a mask has two axes (yx) or three (zyx)")
    return axes
