"""What a data set holds, in numbers: images, sizes, spacing, splits, classes, objects."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from microtome.learn.data.doctor.faults.spacing_differs import micrometres
from microtome.learn.data.doctor.survey import Survey

__all__ = ["QUANTILES", "ClassShare", "ObjectSizes", "Summary", "summarise"]

QUANTILES = (0, 5, 25, 50, 75, 95, 100)


@dataclass(frozen=True)
class ClassShare:
    """A class: its value and name, its pixels and their share of all labelled images, and the images it is in."""

    value: int
    name: str
    pixels: int
    share: float
    images: int


@dataclass(frozen=True)
class ObjectSizes:
    """The objects of a set.

    Attributes
    ----------
    count : int
    per_image : tuple of float
        Least, median and most objects of an image.
    areas : tuple of float
        In pixels (voxels), at the percentiles `QUANTILES`; of boxes where nothing more is known.
    histogram : tuple of (float, int)
        Lower edge and count of each bin; edges a fifth of a decade apart.
    touching : int
        How many touch another object.
    classes : dict of str to int
        Objects by class name, where they have one.
    """

    count: int
    per_image: tuple[float, ...]
    areas: tuple[float, ...]
    histogram: tuple[tuple[float, int], ...]
    touching: int
    classes: dict[str, int]


@dataclass(frozen=True)
class Summary:
    """Counts of what could be read and is no fault.

    Attributes
    ----------
    images, labelled, groups : int
    splits : dict of str to int
        Images by split.
    sizes, kinds : dict of str to int
        Images by size ("360 x 480") and by type ("uint8, 3 channels"), the commonest first.
    spacing : dict of str to int
        Images by pixel size; "unknown" where the file says none.
    classes : tuple of ClassShare
        Of a semantic set.
    objects : ObjectSizes or None
        Of an instance set.
    """

    images: int
    labelled: int
    groups: int
    splits: dict[str, int]
    sizes: dict[str, int]
    kinds: dict[str, int]
    spacing: dict[str, int]
    classes: tuple[ClassShare, ...]
    objects: ObjectSizes | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def summarise(survey: Survey) -> Summary:
    """Count."""
    images = [pair.image for pair in survey.pairs if not pair.image.error]
    groups = {pair.group for pair in survey.pairs if pair.group}
    return Summary(
        len(survey.pairs),
        sum(bool(pair.masks) for pair in survey.pairs),
        len(groups),
        dict(Counter(pair.split for pair in survey.pairs if pair.split)),
        _counted(" x ".join(map(str, image.shape)) for image in images),
        _counted(f"{image.dtype}, {image.channels} channel{'s' if image.channels != 1 else ''}" for image in images),
        _counted("unknown" if (spacing := micrometres(image)) is None else _said(spacing) for image in images),
        _classes(survey) if survey.kind == "semantic" else (),
        _objects(survey) if survey.kind == "instance" else None,
    )


def _counted(words: Any) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _said(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{step:.4g}" for step in spacing) + " um"


def _classes(survey: Survey) -> tuple[ClassShare, ...]:
    pixels, files = survey.pixels_by_value, survey.files_by_value
    total = sum(pixels.values())
    values = sorted({*pixels, *(entry.value for entry in survey.classes)})[:256]
    return tuple(
        ClassShare(value, survey.classes.name_of(value), pixels[value], pixels[value] / total if total else 0.0, files[value])
        for value in values
    )


def _objects(survey: Survey) -> ObjectSizes | None:
    areas: list[float] = []
    per_image: list[int] = []
    classes: Counter[str] = Counter()
    touching = 0
    boxes = {pair.name for pair in survey.pairs if pair.objects is not None and pair.labels is None}
    for pair in survey.pairs:
        if pair.name in boxes and pair.objects is not None:
            found = [max(item.box[2] - item.box[0], 0) * max(item.box[3] - item.box[1], 0) for item in pair.objects.items]
            areas += found
            per_image.append(len(found))
        if pair.objects is not None:
            classes.update(item.class_name for item in pair.objects.items if item.class_name)
    for _, labels in survey.labelled():
        sizes = [float(number) for value, number in labels.counts.items() if value > 0]
        areas += sizes
        per_image.append(len(sizes))
        touching += labels.touching
    if not areas:
        return None
    quantiles = tuple(float(q) for q in np.percentile(areas, QUANTILES).round(1))
    spread = (float(min(per_image)), float(np.median(per_image)), float(max(per_image)))
    return ObjectSizes(len(areas), spread, quantiles, _histogram(areas), touching, dict(classes.most_common()))


def _histogram(areas: list[float]) -> tuple[tuple[float, int], ...]:
    steps = np.floor(np.log10(np.maximum(areas, 1)) * 5).astype(int)
    counts = np.bincount(steps - steps.min())
    return tuple((float(round(10 ** ((steps.min() + k) / 5), 2)), int(number)) for k, number in enumerate(counts))
