"""Our metrics and those of six libraries on the same masks: equal where the definition is one, the difference named where it is not.

See README.md beside this file. Writes results.md.
"""

from __future__ import annotations

import contextlib
import io
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from medpy.metric import binary as medpy
from numpy.typing import NDArray
from pairs import Labels, Pair, fixtures, random_maps, real
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from skimage import metrics as sk
from sklearn import metrics as sklearn
from stardist.matching import matching
from torchmetrics.functional import classification as tm_class
from torchmetrics.functional import clustering as tm_cluster
from torchmetrics.functional import detection as tm_detection
from torchmetrics.functional import segmentation as tm_segmentation

from microtome.core.kernels.areas import objects_of
from microtome.core.kernels.run_lengths import decode
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap
from microtome.measure.metrics.calibration import brier, ece, mce, reliability
from microtome.measure.metrics.coco_ap import coco_ap
from microtome.measure.metrics.confusion import confusion
from microtome.measure.metrics.contingency import contingency
from microtome.measure.metrics.matching import THRESHOLDS, match_counts, overlaps
from microtome.measure.metrics.overlap import dice, iou, pa
from microtome.measure.metrics.panoptic_quality import panoptic, pq, pq_by_class, rq_by_class, sq_by_class
from microtome.measure.metrics.precision_recall import ap_pixel
from microtome.measure.metrics.rand import are, ari, rand
from microtome.measure.metrics.roc import roc_auc
from microtome.measure.metrics.score_counts import score_counts
from microtome.measure.metrics.surface_distances import assd, hd, hd95, surface_distances
from microtome.measure.metrics.voi import voi_merge, voi_split

HERE = Path(__file__).parent
LIBRARIES = ("torch", "torchmetrics", "pycocotools", "scikit-learn", "scikit-image", "stardist", "MedPy", "numpy")
VOID = 255

Numbers = Any


@dataclass(frozen=True)
class Comparison:
    """One of our numbers and a peer's. `why` is the difference of the definitions; empty where they are one."""

    metric: str
    peer: str
    ours: Callable[[Pair], Numbers]
    theirs: Callable[[Pair], Numbers]
    why: str = ""
    tolerance: float = 1e-12
    on: tuple[str, ...] = ("fixtures", "random", "real")


def index(labels: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(labels).astype(np.int64))


def panoptic_tensor(classes: Labels, numbers: Labels) -> torch.Tensor:
    return torch.stack([index(classes), index(numbers)], -1)[None]


def torch_panoptic(pair: Pair, *, void: bool = False, by_class: bool = True) -> NDArray[np.float64]:
    """PQ, SQ and RQ of things 1 and 2; torchmetrics takes the pixels of a class it is not told of as void."""
    classes = [pair.classes(side) if by_class else (side > 0).astype(np.int32) for side in (pair.pred, pair.truth)]
    if void:
        classes[1] = np.where(void_mask(pair), VOID, classes[1]).astype(np.int32)
    things = {1, 2} if by_class else {1}
    found = tm_detection.panoptic_quality(panoptic_tensor(classes[0], pair.pred), panoptic_tensor(classes[1], pair.truth),
                                          things=things, stuffs={0}, return_sq_and_rq=True, return_per_class=True)  # fmt: skip
    return found.numpy()[: len(things)]


def our_panoptic(pair: Pair, *, void: bool = False, by_class: bool = True) -> NDArray[np.float64]:
    """The same three of each class."""
    if by_class:
        sides = [
            InstanceMap(side, object_class={int(n): 2 - int(n) % 2 for n in np.unique(side[side > 0])}) for side in (pair.pred, pair.truth)
        ]
        sums = panoptic(*sides, ignore=void_mask(pair) if void else None, by_class=True)
    else:
        sums = panoptic(pair.pred, pair.truth, ignore=void_mask(pair) if void else None)
    values = (1, 2) if by_class else (1,)
    each = [of(sums) for of in (pq_by_class, sq_by_class, rq_by_class)]
    return np.array([[one.get(value, 0.0) for one in each] for value in values])


def void_mask(pair: Pair) -> NDArray[np.bool_]:
    """Void columns at the right."""
    mask = np.zeros(pair.truth.shape, bool)
    mask[:, -pair.truth.shape[1] // 4 :] = True
    return mask


def star(pair: Pair, *names: str) -> NDArray[np.float64]:
    return np.array([[getattr(one, name) for name in names] for one in matching(pair.truth, pair.pred, thresh=THRESHOLDS)])


def our_counts(pair: Pair, *names: str) -> NDArray[np.float64]:
    counts = match_counts(overlaps(pair.pred, pair.truth))
    return np.nan_to_num(np.stack([getattr(counts, name) for name in names], axis=1))


def loose_pq(pair: Pair) -> NDArray[np.float64]:
    """The quotient of panoptic quality at each threshold, with pairs exactly at it: StarDist's rule."""
    counts = match_counts(overlaps(pair.pred, pair.truth))
    return counts.iou / (counts.tp + counts.fp / 2 + counts.fn / 2)


def scored(pair: Pair) -> tuple[Objects, Objects]:
    pred, truth = (objects_of(InstanceMap(side)) for side in (pair.pred, pair.truth))
    rng = np.random.default_rng(len(pred))
    return tuple(  # type: ignore[return-value]
        Objects(side.shape, tuple(replace(item, class_name=f"class {1 + item.number % 2}", score=float(score))
                                  for item, score in zip(side.items, rng.integers(1, 9, len(side)) / 8, strict=True)))
        for side in (pred, truth)
    )  # fmt: skip


TWELVE = ("ap", "ap_50", "ap_75", "ap_small", "ap_medium", "ap_large", "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large")


def our_coco(pair: Pair, of: str) -> NDArray[np.float64]:
    found = coco_ap([scored(pair)], of="boxes" if of == "bbox" else "masks")
    return np.array([getattr(found, key) for key in TWELVE])


def their_coco(pair: Pair, of: str) -> NDArray[np.float64]:
    def entry(item: Any) -> dict[str, Any]:
        y0, x0, y1, x1 = item.box
        shape = {"bbox": [x0, y0, x1 - x0, y1 - y0]}
        if of == "segm":
            shape = {"segmentation": coco_masks.encode(np.asfortranarray(decode(item.runs).astype(np.uint8)))}
        return {"image_id": 1, "category_id": int(item.class_name[-1]), **shape}

    pred, truth = scored(pair)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": 1, "height": truth.shape[0], "width": truth.shape[1]}],
            "categories": [{"id": 1, "name": "class 1"}, {"id": 2, "name": "class 2"}],
            "annotations": [{**entry(item), "id": k, "area": item.runs.area, "iscrowd": 0} for k, item in enumerate(truth.items, 1)],
        }
        coco.createIndex()
        result = COCOeval(coco, coco.loadRes([{**entry(item), "score": item.score} for item in pred.items]), of)
        result.evaluate()
        result.accumulate()
        result.summarize()
    return result.stats


def fore(pair: Pair) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return pair.pred > 0, pair.truth > 0


def table(pair: Pair) -> Any:
    return confusion(pair.classes(pair.pred), pair.classes(pair.truth))


def flat(pair: Pair) -> tuple[Any, Any]:
    return pair.classes(pair.truth).ravel(), pair.classes(pair.pred).ravel()


def by_class(values: dict[int, float]) -> list[float]:
    return [values[c] for c in sorted(values)]


def one_hot(mask: NDArray[np.bool_]) -> torch.Tensor:
    return torch.from_numpy(np.stack([~mask, mask])[None])


def surfaces(pair: Pair) -> Any:
    return surface_distances(*fore(pair))


def flat_ids(pair: Pair) -> tuple[Labels, Labels]:
    return pair.truth.ravel(), pair.pred.ravel()


def flat_scores(pair: Pair) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return (pair.truth > 0).astype(np.int64).ravel(), pair.scores.ravel()


def torch_scores(pair: Pair) -> tuple[torch.Tensor, torch.Tensor]:
    truth, scores = flat_scores(pair)
    return torch.from_numpy(scores), torch.from_numpy(truth)


def calibration(pair: Pair, closed: Literal["right", "left"] = "right") -> Any:
    truth, scores = flat_scores(pair)
    return reliability(scores, truth, closed=closed)


def torch_calibration(pair: Pair, norm: Literal["l1", "max"]) -> torch.Tensor:
    return tm_class.binary_calibration_error(*torch_scores(pair), n_bins=15, norm=norm)


def off_edges(pair: Pair) -> Pair:
    """The same with scores of which none is k/15."""
    return replace(pair, scores=pair.scores * 0.9990234)


def our_ari(pair: Pair) -> float:
    return ari(contingency(pair.pred, pair.truth))


def torch_ari(pair: Pair) -> torch.Tensor:
    return tm_cluster.adjusted_rand_score(*map(index, flat_ids(pair)[::-1]))


def corner(pair: Pair, side: int = 128) -> Pair:
    """The upper left of it."""
    return Pair(pair.name, pair.pred[:side, :side], pair.truth[:side, :side], pair.scores[:side, :side])


def torch_hd(pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> torch.Tensor:
    return tm_segmentation.hausdorff_distance(one_hot(pred), one_hot(truth), num_classes=2)[0, 0]


def square(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    height, width = mask.shape
    return np.pad(mask, ((0, max(0, width - height)), (0, max(0, height - width))))


def counted(pair: Pair) -> Any:
    truth, scores = flat_scores(pair)
    return score_counts(scores, truth)


SINGLE = 2e-6  # torchmetrics and StarDist reckon in single precision
COMPARISONS = (
    Comparison("confusion", "scikit-learn confusion_matrix", lambda p: table(p).counts,
               lambda p: sklearn.confusion_matrix(*flat(p)), tolerance=0),
    Comparison("pa", "scikit-learn accuracy_score", lambda p: pa(table(p)), lambda p: sklearn.accuracy_score(*flat(p))),
    Comparison("iou_c", "scikit-learn jaccard_score", lambda p: by_class(iou(table(p))),
               lambda p: sklearn.jaccard_score(*flat(p), average=None)),
    Comparison("iou_c", "torchmetrics multiclass_jaccard_index", lambda p: by_class(iou(table(p))),
               lambda p: tm_class.multiclass_jaccard_index(*map(index, flat(p)[::-1]), num_classes=len(table(p).classes), average=None),
               tolerance=SINGLE),
    Comparison("iou of the foreground", "MedPy jc", lambda p: iou(confusion(*fore(p)))[1], lambda p: medpy.jc(*fore(p))),
    Comparison("dice_c", "scikit-learn f1_score", lambda p: by_class(dice(table(p))), lambda p: sklearn.f1_score(*flat(p), average=None)),
    Comparison("dice_c", "torchmetrics multiclass_f1_score", lambda p: by_class(dice(table(p))),
               lambda p: tm_class.multiclass_f1_score(*map(index, flat(p)[::-1]), num_classes=len(table(p).classes), average=None),
               tolerance=SINGLE),
    Comparison("dice of the foreground", "MedPy dc", lambda p: dice(confusion(*fore(p)))[1], lambda p: medpy.dc(*fore(p))),
    Comparison("ap_t, f1_t, precision, recall at ten t", "StarDist matching", lambda p: our_counts(p, "ap", "f1", "precision", "recall"),
               lambda p: star(p, "accuracy", "f1", "precision", "recall")),
    Comparison("mean IoU of the pairs at ten t", "StarDist mean_matched_score", lambda p: our_counts(p, "mean_iou"),
               lambda p: star(p, "mean_matched_score"), tolerance=SINGLE),
    Comparison("sum of IoU / (TP + FP/2 + FN/2), at least t", "StarDist panoptic_quality", loose_pq,
               lambda p: star(p, "panoptic_quality")[:, 0], tolerance=SINGLE),
    Comparison("pq", "StarDist panoptic_quality at .5", lambda p: pq(panoptic(p.pred, p.truth)),
               lambda p: star(p, "panoptic_quality")[0, 0],
               "StarDist pairs at IoU .5 or more, the paper above .5: an object cut into exact halves has a partner there", SINGLE),
    Comparison("pq, sq, rq", "torchmetrics panoptic_quality", lambda p: our_panoptic(p, by_class=False),
               lambda p: torch_panoptic(p, by_class=False), tolerance=SINGLE),
    Comparison("pq, sq, rq by class", "torchmetrics panoptic_quality", our_panoptic, torch_panoptic, tolerance=SINGLE),
    Comparison("pq, sq, rq by class, a quarter void", "torchmetrics panoptic_quality", lambda p: our_panoptic(p, void=True),
               lambda p: torch_panoptic(p, void=True), tolerance=SINGLE),
    Comparison("coco_ap, masks: all twelve", "pycocotools segm", lambda p: our_coco(p, "segm"), lambda p: their_coco(p, "segm")),
    Comparison("coco_ap, boxes: all twelve", "pycocotools bbox", lambda p: our_coco(p, "bbox"), lambda p: their_coco(p, "bbox")),
    Comparison("rand", "scikit-learn rand_score", lambda p: rand(contingency(p.pred, p.truth)), lambda p: sklearn.rand_score(*flat_ids(p))),
    Comparison("rand", "torchmetrics rand_score", lambda p: rand(contingency(p.pred, p.truth)),
               lambda p: tm_cluster.rand_score(*map(index, flat_ids(p)[::-1])), tolerance=SINGLE),
    Comparison("ari", "scikit-learn adjusted_rand_score", our_ari,
               lambda p: sklearn.adjusted_rand_score(*flat_ids(p))),
    Comparison("ari, up to 128 x 128", "torchmetrics adjusted_rand_score", lambda p: our_ari(corner(p)), lambda p: torch_ari(corner(p)),
               tolerance=SINGLE),
    Comparison("ari", "torchmetrics adjusted_rand_score", our_ari, torch_ari,
               "torchmetrics multiplies counts of pairs as 64-bit integers, which may overflow in pictures of more than some 65,000 pixels "
               "(scikit-learn and ours agree)"),
    Comparison("are", "scikit-image adapted_rand_error", lambda p: are(contingency(p.pred, p.truth)),
               lambda p: sk.adapted_rand_error(p.truth, p.pred)[0],
               "scikit-image counts pairs of two different pixels, ours also a pixel with itself"),
    Comparison("voi_split, voi_merge", "scikit-image variation_of_information",
               lambda p: [f(contingency(p.pred, p.truth)) for f in (voi_split, voi_merge)],
               lambda p: sk.variation_of_information(p.truth, p.pred)),
    Comparison("hd", "MedPy hd", lambda p: hd(surfaces(p)), lambda p: medpy.hd(*fore(p))),
    Comparison("hd, padded to a square", "torchmetrics hausdorff_distance", lambda p: hd(surfaces(p)),
               lambda p: torch_hd(*map(square, fore(p))), tolerance=SINGLE, on=("fixtures", "random")),
    Comparison("hd", "torchmetrics hausdorff_distance", lambda p: hd(surfaces(p)), lambda p: torch_hd(*fore(p)),
               "torchmetrics' distance transform numbers pixels by row x height + column: right for square pictures only "
               "(MedPy and ours agree)", on=("fixtures", "random")),
    Comparison("hd", "scikit-image hausdorff_distance", lambda p: hd(surfaces(p)), lambda p: sk.hausdorff_distance(*fore(p)),
               "scikit-image measures between the masks, ours between their surfaces"),
    Comparison("hd95", "MedPy hd95", lambda p: hd95(surfaces(p)), lambda p: medpy.hd95(*fore(p)),
               "MedPy takes one percentile of both directions pooled, ours the greater of the two directions'"),
    Comparison("assd", "MedPy assd", lambda p: assd(surfaces(p)), lambda p: medpy.assd(*fore(p))),
    Comparison("roc_auc", "scikit-learn roc_auc_score", lambda p: roc_auc(counted(p)), lambda p: sklearn.roc_auc_score(*flat_scores(p))),
    Comparison("roc_auc", "torchmetrics binary_auroc", lambda p: roc_auc(counted(p)), lambda p: tm_class.binary_auroc(*torch_scores(p)),
               tolerance=SINGLE),
    Comparison("ap_pixel", "scikit-learn average_precision_score", lambda p: ap_pixel(counted(p)),
               lambda p: sklearn.average_precision_score(*flat_scores(p))),
    Comparison("ap_pixel", "torchmetrics binary_average_precision", lambda p: ap_pixel(counted(p)),
               lambda p: tm_class.binary_average_precision(*torch_scores(p)), tolerance=SINGLE),
    Comparison("ece, no score on a bin's edge", "torchmetrics binary_calibration_error", lambda p: ece(calibration(off_edges(p))),
               lambda p: torch_calibration(off_edges(p), "l1"), tolerance=SINGLE),
    Comparison("mce, no score on a bin's edge", "torchmetrics, norm max", lambda p: mce(calibration(off_edges(p))),
               lambda p: torch_calibration(off_edges(p), "max"), tolerance=SINGLE),
    Comparison("ece", "torchmetrics binary_calibration_error", lambda p: ece(calibration(p)), lambda p: torch_calibration(p, "l1"),
               "torchmetrics has bins [low, high) and a bin more for the score 1; ours are (low, high], as in the paper; k/15 is an edge"),
    Comparison("Brier score", "scikit-learn brier_score_loss", lambda p: brier(calibration(p)),
               lambda p: sklearn.brier_score_loss(*flat_scores(p))),
)  # fmt: skip
EMPTY = (
    (
        "ap_t of nothing on both sides",
        lambda a, b: match_counts(overlaps(a, b), (0.5,)).ap[0],
        "StarDist",
        lambda a, b: matching(b, a).accuracy,
    ),
    ("pq of nothing on both sides", lambda a, b: pq(panoptic(a, b)), "StarDist", lambda a, b: matching(b, a).panoptic_quality),
    (
        "dice of nothing on both sides",
        lambda a, b: 1.0 if not dice(confusion(a, b)).get(1) else 0.0,
        "MedPy dc",
        lambda a, b: medpy.dc(a, b),
    ),
    ("iou of nothing on both sides", lambda a, b: 1.0 if not iou(confusion(a, b)).get(1) else 0.0, "MedPy jc", lambda a, b: medpy.jc(a, b)),
    ("hd of nothing on both sides", lambda a, b: hd(surface_distances(a, b)), "MedPy hd", lambda a, b: medpy.hd(a, b)),
    ("hd of nothing on both sides", lambda a, b: hd(surface_distances(a, b)), "scikit-image", lambda a, b: sk.hausdorff_distance(a, b)),
)


def main() -> None:
    """Compare, write the tables, fail where two that should be equal are not."""
    warnings.simplefilter("ignore")
    groups = {"fixtures": list(fixtures()), "random": list(random_maps()), "real": list(real())}
    lines = ["| metric | peer | pairs compared | greatest difference | equal to |", "|---|---|---|---|---|"]
    differing = ["| metric | peer | difference | where it is greatest: ours, peer | pairs that differ |", "|---|---|---|---|---|"]
    failed = []
    for one in COMPARISONS:
        gaps = {pair.name: gap(one, pair) for group in one.on for pair in groups[group]}
        worst = max(gaps.values())
        if one.why:
            pair = next(pair for group in one.on for pair in groups[group] if gaps[pair.name] == worst)
            shown = f"{said(one.ours(pair))}, {said(one.theirs(pair))} ({pair.name})"
            apart = sum(value > SINGLE for value in gaps.values())
            differing.append(f"| {one.metric} | {one.peer} | {one.why} | {shown} | {apart} of {len(gaps)} |")
            continue
        lines.append(f"| {one.metric} | {one.peer} | {len(gaps)} | {worst:.1e} | {digits(worst)} |")
        if not worst <= one.tolerance:
            failed.append(f"{one.metric} against {one.peer}: {worst:.3g} on {max(gaps, key=lambda name: gaps[name])}")
    text = "\n".join([
        "# Where our metrics and the peers' are one, and where they are not\n",
        "Written by `compare.py`. " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES) + ".\n",
        f"Pairs: {', '.join(f'{len(group)} {name}' for name, group in groups.items())}.\n",
        "## Equal\n",
        *lines,
        "\ntorchmetrics, and StarDist's IoU, are in single precision: seven digits are all there is. No peer here has SEG, AJI, AJI+,",
        "the warping error or boundary F1; tests hold those to the sums of their papers and to hand calculations.\n",
        "## Different\n",
        *differing,
        "\n## Nothing on either side\n",
        "| case | ours | peer | peer's |",
        "|---|---|---|---|",
        *(f"| {name} | {said(ours(*nothing()))} | {peer} | {answer(theirs)} |" for name, ours, peer, theirs in EMPTY),
        "",
    ])  # fmt: skip
    (HERE / "results.md").write_text(text)
    print(text)
    if failed:
        sys.exit("should be equal and are not:\n" + "\n".join(failed))


def gap(one: Comparison, pair: Pair) -> float:
    """The greatest difference of a comparison's numbers."""
    ours, theirs = (np.asarray(side(pair), np.float64) for side in (one.ours, one.theirs))
    if ours.shape != theirs.shape:
        raise ValueError(f"{one.metric} against {one.peer} on {pair.name}: {ours.shape} numbers and {theirs.shape}")
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return float(np.where(same, 0, np.abs(ours - theirs)).max(initial=0))


def digits(worst: float) -> str:
    return "every bit" if worst == 0 else f"{math.floor(-math.log10(worst))} digits"


def said(value: Any) -> str:
    return ", ".join(f"{number:.6g}" for number in np.ravel(np.asarray(value, np.float64)))


def nothing() -> tuple[Labels, Labels]:
    return np.zeros((5, 5), np.int32), np.zeros((5, 5), np.int32)


def answer(call: Callable[..., Any]) -> str:
    """What a peer says, or the error it raises."""
    try:
        return said(call(*nothing()))
    except (RuntimeError, ValueError, ZeroDivisionError) as error:
        return f"raises {type(error).__name__}"


if __name__ == "__main__":
    main()
