"""What a network will see of a data set: windows of some images before and after augmentation, with the outlines of their masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.raster import SemanticMap
from microtome.core.result import Sample
from microtome.learn.augment.chain import Chain, Plain, apply, chain_of
from microtome.learn.augment.contact_sheet import picture_of, side_by_side
from microtome.learn.augment.content import content_of
from microtome.learn.augment.default import Content, Suggested, default_chain
from microtome.learn.augment.example import example_of
from microtome.learn.augment.grain import grain_of, have_grain
from microtome.learn.augment.randomness import generator
from microtome.learn.data.dataset import Dataset, Entry
from microtome.learn.data.load import load
from microtome.learn.data.windows import Sampling, Survey, plan, survey_of

__all__ = ["Preview", "Row", "preview"]

_LOOKED_AT = 48  # images, for whether they have a grain
_TRIED = 3  # times as many images as are wanted, where files cannot be read
_SIDE = {2: 256, 3: 128}
_DEPTH = 32

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Row:
    """The windows of one image.

    Attributes
    ----------
    name : str
    windows : tuple of ndarray of uint8, shape (H, W, 3)
        One as it is, the same one changed, and others changed.
    """

    name: str
    windows: tuple[Picture, ...]

    def picture(self) -> Picture:
        """All of them beside each other."""
        return side_by_side(self.windows, len(self.windows))


@dataclass(frozen=True, eq=False)
class Preview:
    """Some images of a set as a network will see them.

    Attributes
    ----------
    rows : tuple of Row
    steps : tuple of Suggested
        What is done to windows; without reasons where the user chose the steps.
    about : str
        What the pictures are, in words.
    left_out : tuple of str
        Which images could not be shown, and why.
    """

    rows: tuple[Row, ...]
    steps: tuple[Suggested, ...]
    about: str
    left_out: tuple[str, ...] = ()

    def sheet(self) -> Picture:
        """All rows, one under the other."""
        return side_by_side([window for row in self.rows for window in row.windows], len(self.rows[0].windows))


def preview(dataset: Dataset, augment: Plain | Chain | None = None, *, images: int = 8, windows: int = 5, seed: int = 0) -> Preview:
    """Draw windows of some images, evenly spread over the set.

    Parameters
    ----------
    dataset : Dataset
        Images without labels, and files that cannot be read, are left out.
    augment : list or Chain, optional
        Steps. Left out: those that training begins with (`default_chain`).
    images, windows : int
        How many images, and how many changed windows of each.
    seed : int
        Which windows, and what is done to them.

    Returns
    -------
    Preview

    Raises
    ------
    InputError
        If no image with its labels can be read, or a step does not fit the images.
    RecipeError
        If `augment` is no chain.

    Notes
    -----
    Images are normalised as for training (percentiles 1 and 99.8 become 0 and 1; together for red, green and blue of a camera), made
    grey where only some of them have colours, and shown from 0, black, to 1, white. A window has at most 256 x 256 pixels, of volumes
    32 x 128 x 128, of which the middle plane is shown.
    """
    chosen = augment if augment is None or isinstance(augment, Chain) else chain_of(augment)
    samples, left_out = _readable([entry for entry in dataset if entry.truth is not None], dataset, images)
    if not samples:
        raise InputError(f"{dataset.root}: there is no image with labels to show" + (f"; {left_out[0]}" if left_out else ""))
    content, why = content_of(sample.image for sample in samples)
    if {1, 3} <= {min(sample.image.channel_count, 3) for sample in samples}:
        content, why = "grey", "some are grey and some are coloured, so all are made grey"
    prepared = [_prepared(sample, content) for sample in samples]
    shape = _window([sample.image.shape for sample in prepared])
    if chosen is None:
        grain, way = have_grain(_grains(dataset))
        oriented: bool | Literal["grain"] = "grain" if grain else False
        steps = default_chain(channels=prepared[0].image.channel_count, window=shape, content=content, oriented=oriented)
        what = f"the steps that training begins with, for {content} pictures ({why}; {way})"
    else:
        steps = [Suggested({name: settings}, "") for one in chosen.document() for name, settings in one.items()]
        what = "your steps"
    chain = chain_of([one.step for one in steps])
    rows = tuple(Row(one.name, tuple(_windows(one, chain, shape, windows, (seed, number)))) for number, one in enumerate(prepared))
    about = f"Windows of {' x '.join(map(str, shape))} pixels: one as it is, the same after {what}, then {windows - 1} others."
    return Preview(rows, tuple(steps), about, tuple(left_out))


def _readable(entries: Sequence[Entry], dataset: Dataset, images: int) -> tuple[list[Sample], list[str]]:
    """As many samples as are wanted, and why some are not among them."""
    found: list[Sample] = []
    left_out: list[str] = []
    for entry in _spread(entries, images)[: _TRIED * images]:
        if len(found) == images:
            break
        try:
            with collect_warnings():  # the check itself says what is assumed of a file
                sample = load(dataset, entry)
                example_of(sample)
        except MicrotomeError as error:
            left_out.append(str(error))
            continue
        if found and (sample.image.ndim, sample.image.channel_count > 4) != (found[0].image.ndim, found[0].image.channel_count > 4):
            left_out.append(f"{entry.name}: its axes and channels are others than those of {found[0].name}")
            continue
        found.append(sample)
    return found, left_out


def _grains(dataset: Dataset) -> list[float]:
    """Of some groups, the median of their pictures; more of them than are shown, since of few all may look alike by chance."""
    found = defaultdict(list)
    for entry in _spread(dataset.entries, _LOOKED_AT)[:_LOOKED_AT]:
        try:
            with collect_warnings():
                sample = load(dataset, entry)
        except MicrotomeError:
            continue  # told where images are checked, or shown
        if isfinite(grain := grain_of(sample.image)):
            found[sample.group or sample.name].append(grain)
    return [float(np.median(of)) for of in found.values()]


def _spread(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Some evenly spread entries, then the others, to stand in for those that cannot be read."""
    first = dict.fromkeys(k * len(entries) // count for k in range(count)) if entries else {}
    return [entries[k] for k in first] + [entry for k, entry in enumerate(entries) if k not in first]


def _prepared(sample: Sample, content: Content) -> Sample:
    from microtome.methods.prepare.normalise import normalise
    from microtome.methods.prepare.to_grey import to_grey

    image = sample.image
    if image.pixels.dtype == bool:
        image = replace(image, pixels=image.pixels.astype(np.uint8))
    with collect_warnings():
        image = to_grey(image) if content == "grey" and image.channel_count in (3, 4) else image
        image = normalise(image, joint=content in ("colour", "histology"))
    return replace(sample, image=image)


def _window(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """A common size, no larger than the largest image."""
    ndim = len(shapes[0])
    most = (_DEPTH,) * (ndim - 2) + (_SIDE[ndim],) * 2
    return tuple(min(limit, max(sides)) for limit, sides in zip(most, zip(*shapes, strict=True), strict=True))


def _windows(sample: Sample, chain: Chain, shape: tuple[int, ...], count: int, numbers: tuple[int, int]) -> Iterator[Picture]:
    example = example_of(sample)
    survey = survey_of(example)
    places = plan([survey], shape, classes=_classes(sample, survey), sampling=Sampling(windows=count), seed=numbers[0], epoch=numbers[1])
    yield picture_of(apply((), example, shape=shape, centre=places[0].centre))
    for place in places:
        drawn = chain.draw(generator(place.seed), replace(example.frame, shape=shape))
        yield picture_of(apply(drawn, example, shape=shape, centre=place.centre))


def _classes(sample: Sample, survey: Survey) -> list[int]:
    """Those that windows are centred on."""
    classes = sample.truth.classes if isinstance(sample.truth, SemanticMap) else None
    outside = {0} if classes is None else {0, *classes.values("background", "ignore")}
    return [value for value in survey.counts if value not in outside]
