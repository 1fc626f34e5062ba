"""What the check's page shows of one finding: the image with the mask's outline, the mask as it stands, and mended where that is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.app.report.palette import OBJECTS, colours_apart, dense, rgb
from microtome.app.report.pictures import HIGH, LOW, edges, nearest, to_webp
from microtome.core.errors import MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.learn.data.dataset import Annotated, Dataset, Entry, Kind, LabelFile, ObjectFiles
from microtome.learn.data.doctor.check import Checkup
from microtome.learn.data.doctor.facts import PairFacts
from microtome.learn.data.doctor.raw import RawMask, read_raw
from microtome.learn.data.problem import Problem

__all__ = ["Picture", "pictures_of"]

_CLOSE = 96
_WIDE = 424
_SHOWN = 360
_MARKS = 4
_MOST_OUTLINE = 0.4  # of the pixels: a picture in the mask's place has no outline
_NEAR_KINDS = ("specks", "pinholes", "soft-edges", "jpeg-mask", "unknown-values", "objects-overlap", "object-without-area")
_IN_GREY = ("jpeg-mask", "soft-edges", "mask-0-255", "intensities-as-labels", "fractions", "mask-in-alpha")
_OUTLINE = np.array([255, 64, 200], np.uint8)

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes
    ----------
    caption : str
    data : str
        A WebP file in base64.
    width, height : int
        As shown.
    marks : tuple of (float, float)
        x and y of places, in shown pixels.
    """

    caption: str
    data: str
    width: int
    height: int
    marks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class _Window:
    """The part of the image that is shown: rows, columns, and the plane of a volume."""

    top: int
    left: int
    bottom: int
    right: int
    plane: int | None = None

    def cut(self, pixels: Pixels) -> Pixels:
        """That part; less where the pixels end before."""
        flat = pixels if self.plane is None else pixels[min(self.plane, len(pixels) - 1)]
        return flat[self.top : self.bottom, self.left : self.right]


def pictures_of(checkup: Checkup, finding: Problem) -> Iterator[Picture]:
    """The pictures of a finding; none where its files cannot be read or it is about no file."""
    dataset = checkup.survey.dataset
    for number, (pair, entry) in enumerate(_entries(checkup, finding)):
        image, raw, labels = _read_image(entry), _read_mask(entry), _labels(dataset, entry)
        window = _window(finding if number == 0 else None, image, raw, labels)
        if window is None:
            continue
        places = finding.places if number == 0 else ()
        if image is not None:
            outline = labels if labels is not None and labels.shape == image.shape else None
            what = "image" if outline is None else "image, with the mask's outline"
            yield _drawn(f"{pair.image.file}: {what}", _overlaid(image, outline, window), window, places)
        if raw is not None:
            yield _drawn(f"{pair.file}: as it is", _as_it_is(checkup.survey.kind, finding, raw, window), window, places)
        if raw is not None and finding.fixable and number == 0:
            yield from _mended(checkup, finding, pair, raw, window)


def _entries(checkup: Checkup, finding: Problem) -> Iterator[tuple[PairFacts, Entry]]:
    """The entry of the file the finding is laid to, then those of other images it names, two at most."""
    wanted = [finding.file, *finding.others]
    entries = {entry.name: entry for entry in checkup.survey.dataset}
    taken: list[str] = []
    for file in wanted:
        for pair in checkup.survey.pairs:
            files = {pair.image.file, *(() if pair.objects is not None else (mask.file for mask in pair.masks))}
            if file in files and pair.name not in taken and len(taken) < 2:
                taken.append(pair.name)
                yield pair, entries[pair.name]


def _read_image(entry: Entry) -> Image | None:
    from microtome.learn.data.load import load_image

    try:
        with collect_warnings():
            return load_image(entry)
    except MicrotomeError:  # the page says so in the finding itself
        return None


def _read_mask(entry: Entry) -> RawMask | None:
    if not isinstance(entry.truth, LabelFile):
        return None
    try:
        return read_raw(entry.truth.path)
    except MicrotomeError:
        return None


def _labels(dataset: Dataset, entry: Entry) -> Pixels | None:
    """The ids to draw outlines of, from whatever form the labels have."""
    from microtome.learn.data.load import load_truth

    if isinstance(entry.truth, LabelFile):
        raw = _read_mask(entry)
        if raw is None or raw.mode == "colour" or raw.pixels.dtype.kind not in "bui":
            return None
        return raw.pixels
    if isinstance(entry.truth, ObjectFiles | Annotated):
        try:
            with collect_warnings():
                return load_truth(dataset, entry).pixels
        except MicrotomeError:
            return None
    return None


def _window(finding: Problem | None, image: Image | None, raw: RawMask | None, labels: Pixels | None) -> _Window | None:
    shape = image.shape if image is not None else raw.shape if raw is not None else labels.shape if labels is not None else None
    if shape is None:
        return None
    place = finding.places[0] if finding is not None and finding.places else None
    plane = None if len(shape) == 2 else place[0] if place is not None and len(place) == 3 else shape[0] // 2
    height, width = shape[-2:]
    if finding is None or place is None or finding.kind not in (*_NEAR_KINDS, "object-in-pieces"):
        return _Window(0, 0, height, width, plane)
    rows, columns = zip(*(place[-2:] for place in finding.places[: 2 if finding.kind == "object-in-pieces" else 1]), strict=True)
    side = max(_CLOSE, max(rows) - min(rows) + 48, max(columns) - min(columns) + 48)
    top = int(np.clip((max(rows) + min(rows)) // 2 - side // 2, 0, max(height - side, 0)))
    left = int(np.clip((max(columns) + min(columns)) // 2 - side // 2, 0, max(width - side, 0)))
    return _Window(top, left, min(top + side, height), min(left + side, width), plane)


def _overlaid(image: Image, labels: Pixels | None, window: _Window) -> Pixels:
    flat = window.cut(image.pixels)
    shown = _stretched(flat, image.pixels if window.plane is None else image.pixels[min(window.plane, len(image.pixels) - 1)])
    size = _size(shown.shape)
    shown = _resized(shown, size)
    if labels is not None:
        numbers = nearest(window.cut(labels), size)
        _, ranks = np.unique(numbers, return_inverse=True)
        outline = edges(ranks.reshape(numbers.shape).astype(np.int32) + 1)
        if outline.mean() < _MOST_OUTLINE:
            shown = shown.copy()
            shown[outline] = _OUTLINE
    return shown


def _stretched(part: Pixels, whole: Pixels) -> Pixels:
    """8-bit RGB of a part; what has more bits or little contrast is stretched between percentiles of the whole."""
    low, high = (float(value) for value in np.nanpercentile(whole, (LOW, HIGH)))
    colours = np.repeat(part[..., None], 3, axis=2) if part.ndim == 2 else part[..., [0, 1, 2] if part.shape[-1] > 2 else [0, 0, 0]]
    if colours.dtype == np.uint8 and high - low > 128:
        return colours
    return np.nan_to_num(np.clip((colours.astype(np.float32) - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)


def _as_it_is(kind: Kind, finding: Problem, raw: RawMask, window: _Window) -> Pixels:
    """Colours as they are; ids in colours; in grey, as every viewer shows them, where the values are no ids."""
    pixels = raw.pixels
    if raw.mode == "colour":
        part = window.cut(pixels)
        return _resized((part if part.dtype == np.uint8 else part >> 8).astype(np.uint8), _size(part.shape))
    part = window.cut(raw.alpha if raw.alpha is not None and (pixels == pixels.flat[0]).all() else pixels)
    grey = finding.kind in _IN_GREY or part.dtype.kind == "f" or int(part.min(initial=0)) < 0
    return _resized(_grey(part) if grey else _coloured(kind, part), _size(part.shape))


def _grey(part: Pixels) -> Pixels:
    return np.repeat(part[..., None], 3, axis=2) if part.dtype == np.uint8 else _stretched(part, part)


def _coloured(kind: Kind, part: Pixels) -> Pixels:
    """Classes in fixed colours; objects so that neighbours differ."""
    colours = np.concatenate([np.zeros((1, 3), np.uint8), rgb(OBJECTS)])
    if kind == "semantic":
        return colours[np.where(part == 0, 0, (part.astype(np.int64) - 1) % len(OBJECTS) + 1)]
    numbers, ids = dense(part.astype(np.int64))
    return colours[np.concatenate([[0], colours_apart(numbers, len(ids)).astype(np.int64) + 1])[numbers]]


def _mended(checkup: Checkup, finding: Problem, pair: PairFacts, raw: RawMask, window: _Window) -> Iterator[Picture]:
    fault = checkup.menders.get(finding.kind)
    if fault is None or pair.mask is None:
        return
    pixels, change = fault.mend(raw, finding, checkup.survey, pair)
    if change:
        whole = window if pixels.shape == raw.shape else _Window(0, 0, pixels.shape[-2], pixels.shape[-1], window.plane)
        part = whole.cut(pixels)
        yield _drawn("mended by --fix", _resized(_coloured(checkup.survey.kind, part), _size(part.shape)), whole, ())


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    """So large that the longer side is about 360: whole steps where that enlarges."""
    side = max(shape[:2])
    if side <= _SHOWN // 2:
        step = _SHOWN // side
        return shape[0] * step, shape[1] * step
    factor = min(1.0, _WIDE / side)
    return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


def _resized(picture: Pixels, size: tuple[int, int]) -> Pixels:
    import cv2

    if size[0] < picture.shape[0] and len(np.unique(picture.reshape(-1, 3)[::97], axis=0)) > 32:
        return np.asarray(cv2.resize(np.ascontiguousarray(picture), size[::-1], interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(nearest(picture, size))


def _drawn(caption: str, picture: Pixels, window: _Window, places: tuple[tuple[int, ...], ...]) -> Picture:
    height, width = picture.shape[:2]
    scale = height / max(window.bottom - window.top, 1)
    marks = tuple(
        (round((place[-1] + 0.5 - window.left) * scale, 1), round((place[-2] + 0.5 - window.top) * scale, 1))
        for place in places[:_MARKS]
        if window.top <= place[-2] < window.bottom and window.left <= place[-1] < window.right
    )
    return Picture(caption, to_webp(np.asarray(picture, np.uint8), 88), width, height, marks)
