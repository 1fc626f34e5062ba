"""One pair of object maps: every key of objects found and outlined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.measure.metrics.aji import aji, aji_plus
from microtome.measure.metrics.contingency import Contingency, contingency
from microtome.measure.metrics.count_error import count_errors
from microtome.measure.metrics.definitions import Task
from microtome.measure.metrics.matching import THRESHOLDS, Overlaps, match_counts, overlaps
from microtome.measure.metrics.pair import Labels, Score, axes_of
from microtome.measure.metrics.panoptic_quality import panoptic, panoptic_objects
from microtome.measure.metrics.rand import are, ari, rand
from microtome.measure.metrics.ranking import Ranked
from microtome.measure.metrics.seg import seg_each
from microtome.measure.metrics.voi import voi_merge, voi_split

__all__ = ["objects_in", "of_pairs", "of_sums", "score_objects", "with_set_keys"]


def score_objects(pred: Labels, truth: Labels, keys: tuple[str, ...]) -> Score:
    p, t = objects_in(pred, "prediction"), objects_in(truth, "truth")
    found = overlaps(p.pixels, t.pixels)
    values, sums = of_pairs(found, keys)
    ranked = Ranked.of(p, t, found, keys)
    if "seg" in keys:
        each = seg_each(found)
        sums["seg"] = np.array([each.sum(), len(each)], float)
    if {"pq", "sq", "rq"} & set(keys):
        sums |= _panoptic(p, t, found)
    values |= {key: rule(found) for key, rule in {"aji": aji, "aji_plus": aji_plus}.items() if key in keys}
    if asked := [key for key in keys if key in _CLUSTERS]:
        table = contingency(p.pixels, t.pixels)
        values |= {key: _CLUSTERS[key](table) for key in asked}
    return with_set_keys("instance", keys, values, sums, ranked)


_CLUSTERS: dict[str, Callable[[Contingency], float]] = {
    "rand": rand, "ari": ari, "are": are, "voi_split": voi_split, "voi_merge": voi_merge,
}  # fmt: skip


def _panoptic(pred: InstanceMap, truth: InstanceMap, found: Overlaps) -> dict[str, NDArray[np.float64]]:
    """By class where every object of both sides has one, else over all objects: IoU of pairs, TP, FP, FN."""
    classed = all(mask.object_class and set(mask.ids.tolist()) <= set(mask.object_class) for mask in (pred, truth))
    sums = panoptic(pred, truth, by_class=True) if classed else panoptic_objects(found)
    rows = np.stack([sums.iou, sums.tp, sums.fp, sums.fn], axis=1)
    return {f"panoptic {value}": row for value, row in zip(sums.classes, rows, strict=True)}


def with_set_keys(
    task: Task, keys: tuple[str, ...], values: dict[str, float], sums: dict[str, NDArray[np.float64]], ranked: Ranked | None
) -> Score:
    """The keys that are pooled over a set have a value for the image alone as well; those that rank a set's objects do not."""
    pooled = {key: float(value) for key, value in of_sums(sums, keys).items()}
    return Score(task, keys, _in_order(values | pooled, keys), sums, ranked=ranked)


def _in_order(values: dict[str, float], keys: Sequence[str]) -> dict[str, float]:
    return {key: values[key] for key in keys if key in values}


def of_pairs(found: Overlaps, keys: Sequence[str]) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
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


def objects_in(mask: Labels, side: str) -> InstanceMap:
    if isinstance(mask, InstanceMap):
        return mask
    if isinstance(mask, (SemanticMap, ScoreMap)):
        raise InputError(f"{mask.source or f'the {side}'} holds classes, not objects: number its objects first "
                         "(a step that labels connected components), or evaluate with task 'semantic'")  # fmt: skip
    if isinstance(mask, Objects):
        from microtome.core.kernels.areas import instance_map

        return instance_map(mask)
    return InstanceMap(np.asarray(mask), axes=axes_of(mask, side))
