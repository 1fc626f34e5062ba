"""Objects of a set ranked by their scores: the average precision of COCO and of Pascal VOC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap
from microtome.measure.metrics.definitions import find
from microtome.measure.metrics.matching import THRESHOLDS, Overlaps

__all__ = ["Ranked", "as_objects", "of_ranked"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """One image's objects, to be ranked by score over the set."""

    pred: Objects
    truth: Objects
    found: Overlaps
    boxes: bool

    @classmethod
    def of(cls, pred: InstanceMap | Objects, truth: InstanceMap | Objects, found: Overlaps, keys: Sequence[str]) -> Ranked | None:
        """None where no such key is asked for, or a predicted object has no score; who asked for one by name is told."""
        if not any(find(key).family == "ranked" for key in keys):
            return None
        boxes = isinstance(pred, Objects)
        p, t = (one if isinstance(one, Objects) else as_objects(one) for one in (pred, truth))
        if p is None or t is None or any(item.score is None for item in p.items):
            return None
        return cls(p, t, found, boxes)


def as_objects(mask: InstanceMap) -> Objects | None:
    from microtome.core.kernels.areas import objects_of

    return objects_of(mask, image=mask.source) if mask.ndim == 2 else None


def of_ranked(each: Sequence[Ranked], keys: Sequence[str]) -> dict[str, float]:
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


def _voc(each: Sequence[Ranked], threshold: float) -> float:
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


def _voc_hits(one: Ranked, name: str, threshold: float) -> tuple[list[float], list[bool], int]:
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
