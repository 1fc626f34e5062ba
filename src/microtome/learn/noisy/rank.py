"""How far a sure prediction disagrees with the labels: of each object, and of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.learn.evaluate.errors import fates

__all__ = ["KINDS", "SHARPNESS", "Doubt", "doubts", "foreground_of", "image_doubt"]

KINDS: dict[str, str] = {
    "not labelled": "The model is sure of an object, and the labels have none there.",
    "not found": "The labels have an object, and the model is sure that there is none.",
    "outline": "Both have the object, and its outline runs elsewhere.",
    "merged": "The model sees one object where the labels have several.",
    "split": "The model sees several objects where the labels have one.",
    "other class": "The model is sure of another class than the labels give these pixels.",
}
"""What an object's doubt is about. In an image without mistakes of either side, every object is "outline" with a low doubt."""

SHARPNESS = 0.1
"""The temperature at which the doubts of an image are pooled: the lower, the more the greatest decides."""

_SAME = 0.25  # the IoU from which on two objects without a better partner are one and the same
_LEAST_REGION = 9  # pixels of another class that hang together

Mask = SemanticMap | InstanceMap
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """One object, or one region of pixels, and how far the model disagrees with its label.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    label, found : int
        Its number in the labels and in the prediction; 0 where it is only in the other. Of classes: the two values.
    disagreement : float
        0: all the same; 1: all pixels differ, and the model is certain.
    place : tuple of float
        Its centre, in pixels along each axis.
    box : tuple of int
        The first pixel along each axis, then one past the last.
    area : int
        In pixels.
    """

    kind: str
    label: int
    found: int
    disagreement: float
    place: tuple[float, ...]
    box: tuple[int, ...]
    area: int


def foreground_of(scores: ScoreMap | None, shape: tuple[int, ...]) -> Floats | None:
    """The probability of each pixel to be part of an object; None where the scores hold none (distances), or there are no scores.

    >>> foreground_of(ScoreMap(np.array([[[0.7, 0.2, 0.1]]]), axes="yxc", layers=("background", "interior", "border")), (1, 1)).round(3)
    array([[0.3]])
    """
    if scores is None:
        return None
    pixels = np.asarray(scores.pixels, np.float64).reshape(*shape, -1)
    layers = list(scores.layers)
    if "foreground" in layers:
        return np.asarray(pixels[..., layers.index("foreground")].clip(0, 1))
    if "background" in layers:
        return np.asarray((1 - pixels[..., layers.index("background")]).clip(0, 1))
    return None


def doubts(found: Mask, labels: Mask, scores: ScoreMap | None = None) -> list[Doubt]:
    """Compare a prediction with labels that it was not trained on, object by object.

    Parameters
    ----------
    found, labels : InstanceMap or SemanticMap, both of one kind and shape
        The prediction, and what somebody has drawn.
    scores : ScoreMap, optional
        What the prediction was made of. Without probabilities in it every pixel counts as certain.

    Returns
    -------
    list of Doubt
        A row for each labelled object and each object found beside them (of classes: each region of pixels of another class), greatest
        disagreement first.

    Raises
    ------
    InputError
        If shapes or kinds differ.

    Notes
    -----
    A labelled object has the found one that it is matched with (IoU of 0.5), else the one that it overlaps most. Its disagreement is the
    sum over the pixels that only one of the two has, divided by the pixels that either has; a pixel counts with the probability of
    what the model says there: of foreground where it has an object, of background where it has none. Of a sure model that is 1 - IoU,
    and it is less where the model doubts itself. Of classes the pixels of one label that are found to be one other class make a region
    where they hang together, once strips up to two pixels wide are taken off: along borders nobody is sure. Their disagreement is the
    mean of the probability of the class found less that of the label.

    Examples
    --------
    >>> labels = InstanceMap(np.array([[1, 1, 0, 0, 0, 3, 3]]))
    >>> found = InstanceMap(np.array([[1, 1, 0, 2, 2, 0, 0]]))
    >>> [(one.kind, one.label, one.found, one.disagreement) for one in doubts(found, labels)]
    [('not labelled', 0, 2, 1.0), ('not found', 3, 0, 1.0), ('outline', 1, 1, 0.0)]
    """
    if found.shape != labels.shape:
        raise InputError(f"{labels.source or 'the labels'}: are {labels.shape}, the prediction {found.shape}")
    if isinstance(found, InstanceMap) and isinstance(labels, InstanceMap):
        rows = list(_of_objects(found, labels, foreground_of(scores, found.shape)))
    elif isinstance(found, SemanticMap) and isinstance(labels, SemanticMap):
        rows = list(_of_classes(found, labels, scores))
    else:
        raise InputError(f"{labels.source or 'the labels'}: one side holds classes, the other objects; compare two of a kind")
    return sorted(rows, key=lambda one: (-one.disagreement, -one.area, one.label, one.found))


def image_doubt(rows: Sequence[Doubt]) -> float:
    """The disagreement of an image: a mean in which the greatest count most; 0 without objects.

    Parameters
    ----------
    rows : sequence of Doubt

    Notes
    -----
    The weights are exp(d / 0.1): a single object that is surely wrong is seen among a hundred that are right.

    References
    ----------
    V. Lad and J. Mueller, Estimating label quality and errors in semantic segmentation data via any model, 2023, arXiv:2307.05080: their
    softmin of label qualities, here of objects instead of pixels.

    Examples
    --------
    >>> right = [Doubt("outline", k, k, 0.05, (0.0, 0.0), (0, 0, 1, 1), 1) for k in range(1, 100)]
    >>> wrong = Doubt("not found", 100, 0, 1.0, (0.0, 0.0), (0, 0, 1, 1), 1)
    >>> round(image_doubt(right), 3), round(image_doubt([*right, wrong]), 3)
    (0.05, 0.993)
    """
    if not rows:
        return 0.0
    values = np.array([one.disagreement for one in rows])
    weights = np.exp((values - values.max()) / SHARPNESS)
    return float(np.sum(weights * values) / np.sum(weights))


def _of_objects(found: InstanceMap, labels: InstanceMap, share: Floats | None) -> Iterator[Doubt]:
    sure = np.ones(found.shape) if share is None else np.where(found.pixels > 0, share, 1 - share)
    sums = _Sums(labels, found, sure)
    table = fates(found, labels).objects
    where = {"truth": _places(labels), "pred": _places(found)}
    paired: set[int] = set()
    columns = [table[name].tolist() for name in ("side", "label", "fate", "partner", "iou")]
    rows = list(zip(*columns, strict=True))
    split = {partner for side, _, fate, partner, _ in rows if side == "pred" and fate == "split"}  # some of them matched by one part
    for side, label, fate, partner, iou in rows:
        if side == "truth":
            partner = partner if iou > 0 else 0
            kind = "split" if label in split else _kind(fate, iou)
            paired |= {partner} if kind == "outline" else set()
            yield Doubt(kind, label, 0 if kind == "not found" else partner, sums.of(label, partner), *where["truth"][label])
        elif fate == "added" and label not in paired:
            yield Doubt("not labelled", 0, label, sums.of(0, label), *where["pred"][label])


def _kind(fate: str, iou: float) -> str:
    """Of a labelled object, by what became of it."""
    if fate == "matched" or (fate == "missed" and iou >= _SAME):
        return "outline"
    return "not found" if fate == "missed" else fate


class _Sums:
    """Of two label maps, the pixels of each object and each pair, and how sure they are together."""

    def __init__(self, labels: InstanceMap, found: InstanceMap, sure: Floats) -> None:
        self.ids = labels.ids, found.ids
        one, other = (np.searchsorted(np.concatenate([[0], ids]), noun.pixels) for ids, noun in
                      ((labels.ids, labels), (found.ids, found)))  # fmt: skip
        self.wide = len(found.ids) + 1
        keys, inverse, counts = np.unique((one * self.wide + other).ravel(), return_inverse=True, return_counts=True)
        weights = np.bincount(inverse.ravel(), sure.ravel())
        self.pairs = {int(key): (int(count), float(weight)) for key, count, weight in zip(keys, counts, weights, strict=True)}
        self.sides = (
            list(zip(np.bincount(one.ravel()), np.bincount(one.ravel(), sure.ravel()), strict=True)),
            list(zip(np.bincount(other.ravel()), np.bincount(other.ravel(), sure.ravel()), strict=True)),
        )

    def of(self, label: int, found: int) -> float:
        """The sureness of pixels that only one of the two has, over the pixels that either has; 0: no such object."""
        i, j = (int(np.searchsorted(ids, number)) + 1 if number else 0 for ids, number in zip(self.ids, (label, found), strict=True))
        (area, weight), (other_area, other_weight) = (side[k] if k else (0, 0.0) for side, k in zip(self.sides, (i, j), strict=True))
        shared, shared_weight = self.pairs.get(i * self.wide + j, (0, 0.0)) if i and j else (0, 0.0)
        return round(float((weight + other_weight - 2 * shared_weight) / (area + other_area - shared)), 6)


Where = tuple[tuple[float, ...], tuple[int, ...], int]


def _places(mask: InstanceMap) -> dict[int, Where]:
    """Of each object its centre, box and area, in pixels."""
    from scipy.ndimage import find_objects

    found: dict[int, Where] = {}
    numbers = np.searchsorted(np.concatenate([[0], mask.ids]), mask.pixels).astype(np.int32)
    for number, box in enumerate(find_objects(numbers), 1):
        inside = np.nonzero(numbers[box] == number)
        centre = tuple(round(float(axis.mean()) + side.start, 2) for axis, side in zip(inside, box, strict=True))
        corners = (*(side.start for side in box), *(side.stop for side in box))
        found[int(mask.ids[number - 1])] = (centre, corners, len(inside[0]))
    return found


def _of_classes(found: SemanticMap, labels: SemanticMap, scores: ScoreMap | None) -> Iterator[Doubt]:
    from scipy.ndimage import binary_opening, label

    margin = _margin(found, labels, scores)
    valid = np.isin(labels.pixels, labels.classes.values("ignore"), invert=True)
    differ = valid & (found.pixels != labels.pixels)
    thick = binary_opening(differ, np.ones((3,) * labels.ndim, bool))
    for own in np.unique(labels.pixels[thick]).tolist():
        for other in np.unique(found.pixels[thick & (labels.pixels == own)]).tolist():
            regions = InstanceMap(label(thick & (labels.pixels == own) & (found.pixels == other))[0], axes=labels.axes)
            sums = np.bincount(regions.pixels.ravel(), margin.ravel())
            for number, place in _places(regions).items():
                if place[2] >= _LEAST_REGION:
                    yield Doubt("other class", own, other, round(min(max(float(sums[number]) / place[2], 0.0), 1.0), 6), *place)


def _margin(found: SemanticMap, labels: SemanticMap, scores: ScoreMap | None) -> Floats:
    """By how much the class found is likelier than the label, pixel by pixel; 1 where nothing says."""
    values = [entry.value for entry in found.classes if entry.role != "ignore"]
    if scores is None:
        return np.ones(found.shape)
    pixels: NDArray[Any] = np.asarray(scores.pixels, np.float64).reshape(*found.shape, -1)
    if pixels.shape[-1] == 1 and len(values) == 2:
        pixels = np.concatenate([1 - pixels, pixels], axis=-1)
    if pixels.shape[-1] != len(values):
        return np.ones(found.shape)
    own, other = (np.zeros(found.shape) for _ in range(2))
    for layer, value in enumerate(values):
        own[labels.pixels == value] = pixels[..., layer][labels.pixels == value]
        other[found.pixels == value] = pixels[..., layer][found.pixels == value]
    return other - own
