"""What each key of `evaluate` means: its formula, what it is averaged over, what counts where nothing is there, how objects are paired."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from microtome.core.errors import RecipeError, did_you_mean

__all__ = ["DEFINITIONS", "FAMILIES", "METRICS", "Metric", "Task", "choose", "definition", "find"]

Task = Literal["semantic", "instance", "boxes"]
TASKS: tuple[Task, ...] = ("semantic", "instance", "boxes")
_OBJECTS: tuple[Task, ...] = ("instance", "boxes")


@dataclass(frozen=True)
class Metric:
    """One key, or one pattern of keys.

    Attributes
    ----------
    key : str
        The key; ``c`` stands for a class value, ``T`` for a threshold in percent or a tolerance, ``U`` for a unit of length.
    about : str
        The definition: averaging, the rule for what is absent, the matching rule.
    family : str
        What it is chosen by, beside its own name.
    tasks : tuple of str
    better : {"higher", "lower", "zero"}
    low, high : float or None
        The range; None: no bound.
    unit : str
        ``"px"``, ``"pixels"`` counted, ``"objects"``, ``"bits"``; empty for plain numbers.
    over : {"set", "images"}
        Whether its parts are summed over the set first, or it is taken of each image and then averaged.
    peers : str
        Where other programs give another number under the same name.
    """

    key: str
    about: str
    family: str
    tasks: tuple[Task, ...] = ("semantic",)
    better: Literal["higher", "lower", "zero"] = "higher"
    low: float | None = 0.0
    high: float | None = 1.0
    unit: str = ""
    over: Literal["set", "images"] = "set"
    peers: str = ""


_SURFACE = "averaged over the image's classes other than the background that are on both sides, then over images"
_ABSENT_SURFACE = (
    "an image without such classes on either side counts 0, one whose classes are all on one side only is left out (one_sided counts them)"
)
_IMAGES_1 = "an image without objects on both sides counts 1"

_LIST = (
    # ---- classes: overlap
    Metric(
        "pa",
        "Pixel accuracy: pixels given to their true class, over all valid pixels of the set; nan without valid pixels.",
        "overlap",
    ),
    Metric(
        "mean_acc",
        "Share of a class's pixels that was found, averaged over the classes the truth has; pooled over the set; nan without valid pixels.",
        "overlap",
    ),
    Metric(
        "miou_set",
        "Mean of iou_c over the classes present on either side, the background among them; pooled over the set; 1 without valid pixels.",
        "overlap",
        peers="scikit-learn's jaccard_score counts an absent class 0, with a warning",
    ),
    Metric(
        "miou_image",
        "The mean IoU of each image over its own classes, then averaged over images; an image without valid pixels counts 1.",
        "overlap",
        over="images",
        peers="other programs count an image without the class 0, or leave it out: the same masks then give another number",
    ),
    Metric(
        "fwiou",
        "Mean of iou_c over classes, each weighted by its share of the truth's pixels; pooled over the set; nan without valid pixels.",
        "overlap",
    ),
    Metric(
        "dice",
        "Mean of dice_c over the classes other than the background; pooled over the set; 1 where no such class is on either side.",
        "overlap",
        peers="without the class on both sides MedPy's dc gives nan and its jc 1, SimpleITK inf",
    ),
    Metric(
        "iou_c",
        "Class c: TP/(TP+FP+FN) in pixels, pooled over the set; a class absent on both sides is left out.",
        "overlap",
        peers="scikit-learn's jaccard_score counts an absent class 0, with a warning",
    ),
    Metric(
        "dice_c",
        "Class c: 2TP/(2TP+FP+FN) in pixels, pooled over the set; a class absent on both sides is left out.",
        "overlap",
    ),
    # ---- classes: agreement
    Metric(
        "precision",
        "Mean of precision_c over the classes other than the background that were predicted; pooled over the set; nan where none was.",
        "agreement",
        peers="scikit-learn gives 0 for 0/0",
    ),
    Metric(
        "recall",
        "Mean of recall_c over the classes other than the background that the truth has; pooled over the set; nan where it has none.",
        "agreement",
        peers="scikit-learn gives 0 for 0/0",
    ),
    Metric(
        "precision_c",
        "Class c: TP/(TP+FP) in pixels, pooled over the set; nan where the class was not predicted.",
        "agreement",
        peers="scikit-learn gives 0 for 0/0",
    ),
    Metric(
        "recall_c",
        "Class c: TP/(TP+FN) in pixels, pooled over the set; nan where the truth lacks the class.",
        "agreement",
        peers="scikit-learn gives 0 for 0/0",
    ),
    Metric(
        "kappa",
        "Cohen's kappa: accuracy beyond what chance gives with the same class frequencies; pooled over the set; "
        "nan where both sides hold one and the same class only.",
        "agreement",
        low=-1.0,
    ),
    Metric(
        "mcc",
        "Matthews correlation of true and predicted classes; pooled over the set; nan where a side holds one class only.",
        "agreement",
        low=-1.0,
        peers="scikit-learn gives 0 where a side holds one class only",
    ),
    # ---- classes: boundaries
    Metric(
        "boundary_f1",
        f"F1 of boundary pixels within 0.75 % of the image's diagonal, {_SURFACE.replace('both sides', 'either side')}; "
        "a class on one side only counts 0, an image without such classes 1.",
        "boundary",
        over="images",
        peers="MATLAB's bfscore has the same default tolerance",
    ),
    Metric(
        "hd_U",
        f"Hausdorff distance: the largest distance from a surface pixel of one side to the other's surface, {_SURFACE}; {_ABSENT_SURFACE}.",
        "boundary",
        better="lower",
        high=None,
        unit="U",
        over="images",
        peers="scikit-image gives inf where one side is empty; SimpleITK and MedPy raise",
    ),
    Metric(
        "hd95_U",
        f"The 95th percentile (linear) of the surface distances of each direction, the greater of the two, {_SURFACE}; {_ABSENT_SURFACE}.",
        "boundary",
        better="lower",
        high=None,
        unit="U",
        over="images",
        peers="MedPy pools both directions; DeepMind's surface-distance weights by the area of surface elements",
    ),
    Metric(
        "assd_U",
        f"Average symmetric surface distance: the mean over the surface pixels of both sides together, {_SURFACE}; {_ABSENT_SURFACE}.",
        "boundary",
        better="lower",
        high=None,
        unit="U",
        over="images",
        peers="MedPy takes the mean of the two directions' means",
    ),
    Metric(
        "nsd_T",
        "Normalised surface distance: the share of both surfaces within T of the other, "
        f"{_SURFACE.replace('both sides', 'either side')}; a class on one side only counts 0, an image without such classes "
        "1.",
        "boundary",
        over="images",
        peers="DeepMind measures the surface by marching squares, and gives nan where both sides are empty",
    ),
    Metric(
        "one_sided",
        "Classes other than the background that an image has on one side only, summed over images: distances leave them out.",
        "boundary",
        better="lower",
        high=None,
        unit="classes",
    ),
    # ---- classes: topology and scores
    Metric(
        "warping",
        "Warping error: the fewest pixels of the true foreground found to differ still after flips of simple "
        "points toward the prediction, over all pixels, averaged over images; a greedy search, so an upper "
        "bound; nan without pixels.",
        "topology",
        better="lower",
        over="images",
    ),
    Metric(
        "roc_auc",
        "Area under the ROC curve of the foreground's probability, over the valid pixels of an image, averaged "
        "over images; an image with one class only is left out.",
        "scores",
        over="images",
        peers="scikit-learn gives nan with a warning for one class",
    ),
    Metric(
        "ap_pixel",
        "Average precision of the foreground's probability: the sum of precision times the step in recall, over "
        "the valid pixels of an image, averaged over images; an image with one class only is left out.",
        "scores",
        over="images",
        peers="not the trapezoid area under the precision-recall curve; scikit-learn gives 0 without positives",
    ),
    Metric(
        "ece",
        "Expected calibration error: the gap between confidence and accuracy in 15 bins (lo, hi], weighted by "
        "their pixels, of an image, averaged over images; empty bins are skipped, an image without valid pixels "
        "is left out.",
        "scores",
        better="lower",
        over="images",
        peers="other programs bin [lo, hi), which moves the value",
    ),
    Metric(
        "brier",
        "Brier score: the mean squared gap between the foreground's probability and the truth, over the valid "
        "pixels of an image, averaged over images; an image without valid pixels is left out.",
        "scores",
        better="lower",
        over="images",
    ),
    # ---- objects
    Metric(
        "f1_T",
        f"F1 of objects: 2TP/(2TP+FP+FN) at IoU T or more per image, then averaged over images; {_IMAGES_1}. "
        "Pairs are one to one, as many as possible.",
        "objects",
        _OBJECTS,
        over="images",
        peers="StarDist counts an image without objects 0",
    ),
    Metric(
        "ap_T",
        "Average precision of objects: TP/(TP+FP+FN) at IoU T or more per image, then averaged over images; "
        f"{_IMAGES_1}. Pairs are one to one, as many as possible. Not COCO's ranked AP (coco_ap_T).",
        "objects",
        _OBJECTS,
        over="images",
        peers="Kaggle's Data Science Bowl asks for IoU above the threshold, not equal; StarDist counts an image without objects 0",
    ),
    Metric(
        "map_50_95",
        f"Mean of the ten ap at IoU .50, .55, ... .95 per image, then averaged over images; {_IMAGES_1}.",
        "objects",
        _OBJECTS,
        over="images",
    ),
    Metric(
        "tp_T",
        "Objects of the truth with a partner in the prediction: pairs one to one at IoU T or more; summed over the set.",
        "objects",
        _OBJECTS,
        high=None,
        unit="objects",
    ),
    Metric(
        "fp_T",
        "Predicted objects without a partner at IoU T or more; summed over the set.",
        "objects",
        _OBJECTS,
        "lower",
        high=None,
        unit="objects",
    ),
    Metric(
        "fn_T",
        "Objects of the truth without a partner at IoU T or more; summed over the set.",
        "objects",
        _OBJECTS,
        "lower",
        high=None,
        unit="objects",
    ),
    # ---- objects: ranked by score
    Metric(
        "coco_ap",
        "COCO's AP: predictions ranked by score over the set, taken greedily, precision interpolated at 101 "
        "recalls, averaged over IoU .50, .55, ... .95 and classes; a class without truth is left out, nan "
        "without any. Needs scores. Not TP/(TP+FP+FN) (map_50_95).",
        "ranked",
        _OBJECTS,
        peers="pycocotools gives -1 without truth",
    ),
    Metric(
        "coco_ap_T",
        "COCO's AP at IoU T alone: predictions ranked by score over the set, precision interpolated at 101 "
        "recalls, averaged over classes; a class without truth is left out, nan without any. Needs scores. Not "
        "TP/(TP+FP+FN) (ap_T).",
        "ranked",
        _OBJECTS,
        peers="pycocotools gives -1 without truth",
    ),
    Metric(
        "coco_ar",
        "COCO's AR: the highest recall over the set with at most 100 predictions an image and class, averaged over IoU .50, .55, ... "
        ".95 and classes; nan without truth. Needs scores.",
        "ranked",
        _OBJECTS,
        peers="pycocotools gives -1 without truth",
    ),
    Metric(
        "voc_ap_T",
        "Pascal VOC's AP at IoU T: the area under precision made monotone over recall, predictions ranked by "
        "score over the set, averaged over classes; nan without truth. Needs scores.",
        "ranked",
        _OBJECTS,
        peers="before 2010 VOC took precision at 11 recalls",
    ),
    # ---- objects: panoptic and other scores
    Metric(
        "pq",
        "Panoptic quality: the sum of IoU over pairs above IoU .5, over TP + FP/2 + FN/2, pooled over the set "
        "and averaged over classes; a class absent on both sides is left out, 1 where all are.",
        "panoptic",
        ("instance",),
        peers="StarDist pairs at IoU .5 or more and takes each image alone",
    ),
    Metric(
        "sq",
        "Segmentation quality: the mean IoU of pairs above IoU .5, pooled over the set and averaged over "
        "classes; a class absent on both sides is left out, 1 where all are; 0 without a pair.",
        "panoptic",
        ("instance",),
    ),
    Metric(
        "rq",
        "Recognition quality: TP over TP + FP/2 + FN/2 at IoU above .5, pooled over the set and averaged over "
        "classes; a class absent on both sides is left out, 1 where all are.",
        "panoptic",
        ("instance",),
    ),
    Metric(
        "aji",
        "Aggregated Jaccard index: each true object takes the prediction with the best IoU, which may serve "
        "twice; shared pixels over the unions and the area of unused predictions, per image, then averaged over "
        "images; without objects 1 on both sides, 0 on one.",
        "panoptic",
        ("instance",),
        over="images",
    ),
    Metric(
        "aji_plus",
        "As aji with objects paired one to one, per image, then averaged over images; without objects 1 on both sides, 0 on one.",
        "panoptic",
        ("instance",),
        over="images",
    ),
    Metric(
        "seg",
        "The Cell Tracking Challenge's SEG: the mean over true objects of the set of the Jaccard index with the "
        "prediction that covers more than half of it, 0 without one; added objects cost nothing; nan without "
        "true objects.",
        "panoptic",
        ("instance",),
    ),
    # ---- objects as a clustering of pixels
    Metric(
        "rand",
        "Rand index: the share of pairs of pixels that both sides put together or both put apart, the background "
        "one cluster; per image, then averaged over images; 1 for images of one pixel.",
        "clusters",
        ("instance",),
        over="images",
    ),
    Metric(
        "ari",
        "Adjusted Rand index: rand corrected for chance, the background one cluster; per image, then averaged "
        "over images; 1 where both sides are one cluster.",
        "clusters",
        ("instance",),
        low=-1.0,
        over="images",
    ),
    Metric(
        "are",
        "Adapted Rand error: 1 - 2 sum p_ij^2 / (sum a_i^2 + sum b_j^2) over the pixels of true objects; per "
        "image, then averaged over images; without true objects 0 if nothing was predicted, else the image is "
        "left out.",
        "clusters",
        ("instance",),
        "lower",
        over="images",
        peers="scikit-image counts pairs of different pixels, and its precision and recall are swapped against its docstring",
    ),
    Metric(
        "voi_split",
        "Variation of information, the part of splits: H(prediction given truth) in bits, the background one "
        "cluster; per image, then averaged over images; 0 where nothing is cut.",
        "clusters",
        ("instance",),
        "lower",
        high=None,
        unit="bits",
        over="images",
    ),
    Metric(
        "voi_merge",
        "Variation of information, the part of merges: H(truth given prediction) in bits, the background one "
        "cluster; per image, then averaged over images; 0 where nothing is joined.",
        "clusters",
        ("instance",),
        "lower",
        high=None,
        unit="bits",
        over="images",
    ),
    # ---- counting
    Metric(
        "count_error",
        "Objects predicted minus objects of the truth, of an image, averaged over images: errors in both directions cancel.",
        "counts",
        _OBJECTS,
        "zero",
        low=None,
        high=None,
        unit="objects",
        over="images",
    ),
    Metric(
        "count_abs_error",
        "The size of the difference between predicted and true number of objects, of an image, averaged over images.",
        "counts",
        _OBJECTS,
        "lower",
        high=None,
        unit="objects",
        over="images",
    ),
    Metric(
        "count_mape",
        "The size of the difference between predicted and true number of objects over the true number, of an "
        "image, averaged over images; an image without true objects is left out.",
        "counts",
        _OBJECTS,
        "lower",
        high=None,
        over="images",
    ),
)

METRICS: dict[str, Metric] = {one.key: one for one in _LIST}
"""Every key and pattern of keys, in the order in which `evaluate` gives them."""

_PATTERN = {
    "c": r"(?P<c>\d+)",
    "T": r"(?P<T>\d+)",
    "U": r"(?P<U>px|nm|um|mm|cm|m)",
}
_TOLERANCE = r"(?P<T>\d+(?:\.\d+)?(?:px|nm|um|mm|cm|m))"

_DEFAULTS: dict[Task, tuple[str, ...]] = {
    "semantic": ("pa", "mean_acc", "miou_set", "miou_image", "fwiou", "dice", "iou_c", "dice_c"),
    "instance": ("f1_50", "ap_50", "ap_75", "ap_90", "map_50_95", "tp_50", "fp_50", "fn_50", "coco_ap", "coco_ap_50", "coco_ap_75"),
    "boxes": ("f1_50", "ap_50", "ap_75", "map_50_95", "tp_50", "fp_50", "fn_50", "coco_ap", "coco_ap_50", "coco_ap_75"),
}
FAMILIES: dict[str, tuple[str, ...]] = {
    "overlap": ("pa", "mean_acc", "miou_set", "miou_image", "fwiou", "dice", "iou_c", "dice_c"),
    "agreement": ("precision", "recall", "precision_c", "recall_c", "kappa", "mcc"),
    "boundary": ("boundary_f1", "hd_px", "hd95_px", "assd_px", "nsd_2px", "one_sided"),
    "topology": ("warping",),
    "scores": ("roc_auc", "ap_pixel", "ece", "brier"),
    "objects": ("f1_50", "ap_50", "ap_75", "ap_90", "map_50_95", "tp_50", "fp_50", "fn_50"),
    "ranked": ("coco_ap", "coco_ap_50", "coco_ap_75", "coco_ar", "voc_ap_50"),
    "panoptic": ("pq", "sq", "rq", "aji", "aji_plus", "seg"),
    "clusters": ("rand", "ari", "are", "voi_split", "voi_merge"),
    "counts": ("count_error", "count_abs_error", "count_mape"),
}
"""What a family's name stands for in `evaluate(metrics=...)`; where the masks have a spacing, lengths are given in its unit as well."""


def find(key: str, *, task: str | None = None) -> Metric:
    """The metric a key belongs to; ``iou_3`` is found under ``iou_c``, ``nsd_2px`` under ``nsd_T``.

    Raises
    ------
    RecipeError
        With near spellings.

    Examples
    --------
    >>> find("hd95_um").better, find("ap_60").over
    ('lower', 'images')
    """
    found = next((one for one in _LIST if _pattern(one.key).fullmatch(key)), None)
    if found is None or (task is not None and task not in found.tasks):
        known = [_example(one.key) for one in _LIST if task is None or task in one.tasks]
        what = "" if task is None else f" for task {task!r}"
        raise RecipeError(f"no metric {key!r}{what}{did_you_mean(key, known)}")
    return found


def definition(key: str) -> str:
    """The sentence that defines a key, its class, threshold or tolerance filled in.

    >>> definition("iou_3")[:7], "at IoU 0.6 or more" in definition("ap_60")
    ('Class 3', True)
    """
    one = find(key)
    match = _pattern(one.key).fullmatch(key)
    parts = match.groupdict() if match else {}
    text = one.about
    if parts.get("c"):
        text = text.replace("Class c", f"Class {parts['c']}")
    if parts.get("T"):
        tolerance = one.key == "nsd_T"
        told = parts["T"] if tolerance else f"{int(parts['T']) / 100:g}"
        text = re.sub(r"\bT\b", told, text.replace("_T)", f"_{parts['T']})"))
    return text


def choose(metrics: str | Iterable[str], task: Task) -> tuple[str, ...]:
    """The keys that names and families stand for, in the order of `METRICS`; ``c`` in a key stands for every class.

    Parameters
    ----------
    metrics : str or iterable of str
        "default", "all", a family of `FAMILIES`, keys; several of them as a list or separated by commas.
    task : {"semantic", "instance", "boxes"}

    Raises
    ------
    RecipeError
        For an unknown task, name, or one that is not for this task.

    Examples
    --------
    >>> choose("counts, ap_60", "instance")
    ('ap_60', 'count_error', 'count_abs_error', 'count_mape')
    """
    if task not in TASKS:
        raise RecipeError(f"task {task!r}{did_you_mean(str(task), TASKS)}")
    names = metrics.split(",") if isinstance(metrics, str) else list(metrics)
    keys: list[str] = []
    for name in (name.strip() for name in names):
        keys += _stands_for(name, task)
    place = {key: number for number, key in enumerate(METRICS)}
    return tuple(sorted(dict.fromkeys(keys), key=lambda key: place[find(key).key]))


def _stands_for(name: str, task: Task) -> Sequence[str]:
    if name == "default":
        return _DEFAULTS[task]
    if name == "all":
        return [*_DEFAULTS[task], *(key for keys in FAMILIES.values() for key in keys if task in find(key).tasks)]
    if name in FAMILIES:
        keys = [key for key in FAMILIES[name] if task in find(key).tasks]
        if not keys:
            fit = [family for family, members in FAMILIES.items() if any(task in find(key).tasks for key in members)]
            raise RecipeError(f"metrics {name!r} are not for task {task!r}; for it there are {', '.join(fit)}")
        return keys
    if not any(_pattern(one.key).fullmatch(name) for one in _LIST):
        known = ["default", "all", *FAMILIES, *(_example(one.key) for one in _LIST)]
        raise RecipeError(f"no metric {name!r}{did_you_mean(name, known)}")
    find(name, task=task)
    return [name]


def _pattern(key: str) -> re.Pattern[str]:
    """What keys of this form look like; the form itself is one of them."""
    stem, _, last = key.rpartition("_")
    if last not in _PATTERN:
        return re.compile(re.escape(key))
    return re.compile(f"{re.escape(stem)}_(?:{_TOLERANCE if key == 'nsd_T' else _PATTERN[last]}|{last})")


def _example(key: str) -> str:
    """A key of this form, for lists of what is known."""
    return {"hd_U": "hd_px", "hd95_U": "hd95_px", "assd_U": "assd_px", "nsd_T": "nsd_2px"}.get(key, re.sub("_T$", "_50", key))


DEFINITIONS: dict[str, str] = {one.key: one.about for one in _LIST}
"""The definition of every key, by key; ``c`` stands for a class, ``T`` for a threshold or a tolerance, ``U`` for a unit."""
