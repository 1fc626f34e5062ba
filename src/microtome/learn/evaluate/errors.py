"""What went wrong: objects found, missed, added, merged and split; pixels given to the wrong class, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, RecipeError
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap
from microtome.core.table import Table
from microtome.measure.metrics.matching import Overlaps, match, overlaps
from microtome.measure.metrics.pair_boxes import box_overlaps

__all__ = ["FATES", "Fates", "Where", "box_fates", "class_counts", "fates", "quartiles", "size_counts", "where_errors_lie"]

FATES: dict[str, str] = {
    "matched": "An object of the truth and one of the prediction whose IoU reaches the threshold, paired one to one.",
    "missed": "An object of the truth without a partner that was neither merged nor split.",
    "added": "A predicted object without a partner that neither merges nor splits.",
    "merged": "One prediction covers more than half of each of two or more true objects; those without a partner are merged, "
    "and so is the prediction if it has none.",
    "split": "Two or more predictions lie with more than half of their area in one true object; it is split if it has no partner, "
    "and so are those of the predictions that have none.",
}
"""Each object has one fate; where several would do, the first that fits of matched, merged, split, and then missed or added."""


@dataclass(frozen=True, eq=False)
class Fates:
    """What became of every object of one image.

    Attributes
    ----------
    objects : Table
        A row an object, first those of the truth: ``side`` ("truth" or "pred"), ``label``, ``class`` (empty where it has none), ``fate``,
        ``partner`` (the label on the other side: of the pair, else of the object with the highest IoU; 0 for none), ``iou`` (with that
        object), ``area_px``.
    merges, splits : int
        Predictions that cover two or more true objects, and true objects that hold two or more predictions, those with a partner too.
    """

    objects: Table
    merges: int
    splits: int

    def count(self, side: str, fate: str) -> int:
        """How many objects of a side met this fate."""
        return int(np.count_nonzero((self.objects["side"] == side) & (self.objects["fate"] == fate)))


def fates(pred: InstanceMap, truth: InstanceMap, *, threshold: float = 0.5) -> Fates:
    """Say of every object what became of it.

    Parameters
    ----------
    pred, truth : InstanceMap of one shape
    threshold : float
        The IoU from which on a pair is matched.

    Raises
    ------
    InputError
        If the shapes differ.

    Notes
    -----
    `FATES` defines them. They follow from shared areas alone; a fate is a description, and enters no score.

    Examples
    --------
    One prediction over two objects, and nothing on the third:

    >>> found = fates(InstanceMap(np.array([[4, 4, 4, 4, 0, 0]])), InstanceMap(np.array([[1, 1, 2, 2, 0, 3]])), threshold=0.6)
    >>> list(zip(found.objects["side"], found.objects["label"].tolist(), found.objects["fate"]))
    [('truth', 1, 'merged'), ('truth', 2, 'merged'), ('truth', 3, 'missed'), ('pred', 4, 'merged')]
    """
    shared = overlaps(pred.pixels, truth.pixels)
    covers = 2 * shared.shared > shared.truth_areas[shared.truth]  # more than half of the true object
    inside = 2 * shared.shared > shared.pred_areas[shared.pred]  # more than half of the prediction
    merging = np.bincount(shared.pred[covers], minlength=len(shared.pred_ids)) >= 2
    holding = np.bincount(shared.truth[inside], minlength=len(shared.truth_ids)) >= 2
    t_merged, p_split = np.zeros(len(shared.truth_ids), bool), np.zeros(len(shared.pred_ids), bool)
    t_merged[shared.truth[covers & merging[shared.pred]]] = True
    p_split[shared.pred[inside & holding[shared.truth]]] = True
    t_partner, p_partner, t_paired, p_paired = _partners(shared, threshold)
    t_fate = np.select([t_paired, t_merged, holding], ["matched", "merged", "split"], "missed")
    p_fate = np.select([p_paired, merging, p_split], ["matched", "merged", "split"], "added")
    objects = Table.concat([
        _side("truth", _class_names(truth, shared.truth_ids), shared.truth_ids, t_fate, t_partner, shared.truth_areas),
        _side("pred", _class_names(pred, shared.pred_ids), shared.pred_ids, p_fate, p_partner, shared.pred_areas),
    ])  # fmt: skip
    return Fates(objects, int(merging.sum()), int(holding.sum()))


Partner = tuple[NDArray[np.int64], NDArray[np.float64]]


def _partners(found: Overlaps, threshold: float) -> tuple[Partner, Partner, NDArray[np.bool_], NDArray[np.bool_]]:
    """For the objects of both sides: the partner, or else the object of the highest IoU, with that IoU; and whether it is a partner."""
    t_best = _best(found.truth, found.truth_ids, found.pred, found.pred_ids, found.iou)
    p_best = _best(found.pred, found.pred_ids, found.truth, found.truth_ids, found.iou)
    pairs = match(found, threshold)
    i, j = np.searchsorted(found.truth_ids, pairs.pairs[:, 0]), np.searchsorted(found.pred_ids, pairs.pairs[:, 1])
    t_paired, p_paired = np.zeros(len(found.truth_ids), bool), np.zeros(len(found.pred_ids), bool)
    t_paired[i], p_paired[j] = True, True
    t_best[0][i], t_best[1][i] = pairs.pairs[:, 1], pairs.iou
    p_best[0][j], p_best[1][j] = pairs.pairs[:, 0], pairs.iou
    return t_best, p_best, t_paired, p_paired


def _best(
    own: NDArray[np.int64], ids: NDArray[np.int32], other: NDArray[np.int64], other_ids: NDArray[np.int32], iou: NDArray[np.float64]
) -> Partner:
    label, best = np.zeros(len(ids), np.int64), np.zeros(len(ids))
    order = np.argsort(iou, kind="stable")  # the highest is written last
    label[own[order]], best[own[order]] = other_ids[other[order]], iou[order]
    return label, best


def box_fates(pred: Objects, truth: Objects, *, threshold: float = 0.5) -> Fates:
    """Say of every box whether it was matched, missed or added; boxes overlap anyway, so none is called merged or split.

    Parameters
    ----------
    pred, truth : Objects
        Crowds are left out.
    threshold : float
        The IoU of boxes from which on a pair is matched.
    """
    found = box_overlaps(pred, truth)
    t_partner, p_partner, t_paired, p_paired = _partners(found, threshold)
    names = [{item.number: item.class_name for item in side.items} for side in (truth, pred)]
    objects = Table.concat([
        _side("truth", [names[0][number] for number in found.truth_ids.tolist()], found.truth_ids,
              np.where(t_paired, "matched", "missed"), t_partner, found.truth_areas),
        _side("pred", [names[1][number] for number in found.pred_ids.tolist()], found.pred_ids,
              np.where(p_paired, "matched", "added"), p_partner, found.pred_areas),
    ])  # fmt: skip
    return Fates(objects, 0, 0)


def _class_names(mask: InstanceMap, ids: NDArray[np.int32]) -> list[str]:
    return [mask.classes.name_of(mask.object_class[number]) if number in mask.object_class else "" for number in ids.tolist()]


def _side(side: str, names: Sequence[str], ids: NDArray[np.int32], fate: NDArray[Any], partner: Partner, areas: NDArray[Any]) -> Table:
    return Table(
        {
            "side": np.full(len(ids), side, dtype=object),
            "label": ids.astype(np.int64),
            "class": np.array(names, dtype=object),
            "fate": fate.astype(object),
            "partner": partner[0],
            "iou": partner[1],
            "area_px": areas,
        },
        {"area_px": "px"},
    )


def quartiles(areas: Sequence[float] | NDArray[Any]) -> tuple[float, ...]:
    """The three areas that part true objects into four groups of about equal number; fewer where areas are equal, none without objects.

    >>> quartiles([10, 20, 30, 40, 50])
    (20.0, 30.0, 40.0)
    """
    return tuple(np.unique(np.percentile(areas, (25, 50, 75))).tolist()) if len(areas) else ()


def size_counts(objects: Table, edges: Sequence[float]) -> list[dict[str, Any]]:
    """Objects by size and fate.

    Parameters
    ----------
    objects : Table
        Of one or many images, as `Fates` gives them.
    edges : sequence of float
        Areas in pixels that part the sizes, ascending; an object whose area is an edge belongs to the larger ones.

    Returns
    -------
    list of dict
        A row a size: ``size`` in words, ``from_px`` and ``below_px``; and what `class_counts` counts. True objects count by their own area,
        predictions by theirs.
    """
    if list(edges) != sorted(set(edges)):
        raise RecipeError(f"sizes {', '.join(f'{edge:g}' for edge in edges)}: give areas in ascending order, each once")
    bounds = [0.0, *edges, float("inf")]
    place = np.searchsorted(np.asarray(edges, float), objects["area_px"], side="right")
    rows = []
    for number, (low, high) in enumerate(pairwise(bounds)):
        words = f"{low:g} px and more" if high == float("inf") else f"below {high:g} px" if not number else f"{low:g} to below {high:g} px"
        rows.append({"size": words, "from_px": low, "below_px": high, **_tally(objects, place == number)})
    return rows


def class_counts(objects: Table) -> list[dict[str, Any]]:
    """Objects by class and fate, a row a class: ``true``, ``matched``, ``missed``, ``merged``, ``split`` of the truth; ``predicted``,
    ``added`` of the prediction; ``recall`` (matched of the true ones) and ``precision`` (matched of the predicted ones)."""
    names = sorted(set(objects["class"].tolist()))
    return [{"class": name, **_tally(objects, objects["class"] == name)} for name in names]


def _tally(objects: Table, chosen: NDArray[np.bool_]) -> dict[str, Any]:
    side, fate = objects["side"][chosen], objects["fate"][chosen]
    true, predicted = side == "truth", side == "pred"
    counts: dict[str, Any] = {"true": int(true.sum())}
    counts |= {name: int(np.count_nonzero(true & (fate == name))) for name in ("matched", "missed", "merged", "split")}
    counts |= {"predicted": int(predicted.sum()), "added": int(np.count_nonzero(predicted & (fate == "added")))}
    found = int(np.count_nonzero(predicted & (fate == "matched")))
    counts["recall"] = counts["matched"] / counts["true"] if counts["true"] else float("nan")
    counts["precision"] = found / counts["predicted"] if counts["predicted"] else float("nan")
    return counts


@dataclass(frozen=True)
class Where:
    """Wrong pixels near the borders between true classes, and away from them. Those of several images add up with ``+``.

    Attributes
    ----------
    band_pixels, band_wrong : int
        Valid pixels within the band, and the wrong ones among them.
    inside_pixels, inside_wrong : int
        The same for all other valid pixels.
    """

    band_pixels: int = 0
    band_wrong: int = 0
    inside_pixels: int = 0
    inside_wrong: int = 0

    def __add__(self, other: Where) -> Where:
        return Where(self.band_pixels + other.band_pixels, self.band_wrong + other.band_wrong,
                     self.inside_pixels + other.inside_pixels, self.inside_wrong + other.inside_wrong)  # fmt: skip

    def summary(self) -> dict[str, float]:
        """Shares: how much of the valid pixels the band holds, how much of the errors, and the error rate in the band and inside."""
        wrong, pixels = self.band_wrong + self.inside_wrong, self.band_pixels + self.inside_pixels
        return {
            "band_share": _ratio(self.band_pixels, pixels),
            "band_share_of_errors": _ratio(self.band_wrong, wrong),
            "band_error_rate": _ratio(self.band_wrong, self.band_pixels),
            "inside_error_rate": _ratio(self.inside_wrong, self.inside_pixels),
        }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def where_errors_lie(pred: NDArray[Any], truth: NDArray[Any], *, ignore: Sequence[int] = (), band: int = 3) -> Where:
    """Count wrong pixels near the borders between true classes and away from them.

    Parameters
    ----------
    pred, truth : ndarray of integers, one shape, 2-D or 3-D
    ignore : sequence of int
        Values of the truth that are no class; a border to them is none.
    band : int
        How many pixels, along rows and columns (and planes), the band reaches to each side of a border; 1: the pixels that touch it.

    Examples
    --------
    >>> where_errors_lie(np.array([[0, 0, 0, 1, 1, 0]]), np.array([[0, 0, 1, 1, 1, 1]]), band=1)
    Where(band_pixels=2, band_wrong=1, inside_pixels=4, inside_wrong=1)
    """
    if pred.shape != truth.shape:
        raise InputError(f"the prediction has shape {pred.shape} and the truth {truth.shape}: both must cover the same pixels")
    if band < 1:
        raise RecipeError(f"band: {band} pixels; it must be at least 1")
    valid = np.isin(truth, list(ignore), invert=True)
    wrong = (pred != truth) & valid
    near = _grown(_borders(truth, valid), band - 1) & valid
    in_band, wrong_in_band = int(near.sum()), int((wrong & near).sum())
    return Where(in_band, wrong_in_band, int(valid.sum()) - in_band, int(wrong.sum()) - wrong_in_band)


def _borders(truth: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True at both pixels on either side of a border between two valid classes."""
    borders = np.zeros(truth.shape, bool)
    for axis in range(truth.ndim):
        ahead = (slice(None),) * axis + (slice(1, None),)
        back = (slice(None),) * axis + (slice(None, -1),)
        differ = (truth[ahead] != truth[back]) & valid[ahead] & valid[back]
        borders[ahead] |= differ
        borders[back] |= differ
    return borders


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask and all pixels up to `by` away along every axis."""
    if not by:
        return mask
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(mask, size=2 * by + 1, mode="constant"))
