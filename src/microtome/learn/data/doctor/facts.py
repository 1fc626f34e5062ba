"""What one look at an image and its labels brings to light: plain numbers, small enough to be kept for every image of a set."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError, MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.objects import Objects
from microtome.core.raster import Image
from microtome.learn.data.dataset import Annotated, Entry, LabelFile, ObjectFiles
from microtome.learn.data.doctor.alignment import Alignment, best_turn, measure
from microtome.learn.data.doctor.colours import Colours, to_ids
from microtome.learn.data.doctor.raw import RawMask, read_raw, relative
from microtome.learn.data.doctor.values import Values, colours_of, values_of
from microtome.learn.data.signature import Signature, signature

__all__ = ["ImageFacts", "LabelFacts", "MaskFacts", "PairFacts", "Parts", "label_facts", "mask_facts", "pair_facts", "with_raw"]

MOST_PARTS = 20_000
_TURNED = (1, 3, 5, 7)


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """An image, or why it could not be read (`error`).

    Attributes
    ----------
    file : str
        Below the data folder; the first one where an image is several files.
    shape, channels, dtype, spacing, unit, extremes
        As in `Image`.
    transparent : int or None
        How many pixels are not opaque; None where the file has no opacity.
    signature : Signature or None
        To find the picture again, whole or in part; its digest is the same for the same pixels.
    most_common : float
        The share of the pixels that have the commonest value (of the first channel).
    """

    file: str
    error: str = ""
    shape: tuple[int, ...] = ()
    channels: int = 0
    dtype: str = ""
    spacing: tuple[float, ...] | None = None
    unit: str = "px"
    extremes: tuple[Any, Any] = (0, 0)
    transparent: int | None = None
    signature: Signature | None = None
    most_common: float = 0.0

    @property
    def digest(self) -> str:
        """The same for the same pixels."""
        return self.signature.digest.hex() if self.signature is not None else ""


@dataclass(frozen=True, eq=False)
class MaskFacts:
    """A mask file as it stands, or why it could not be read (`error`).

    Attributes
    ----------
    file, format, mode, shape, dtype, spacing, noted
        As in `RawMask`; `file` below the data folder.
    values : Values or None
        Which values occur and how; for colours, each as the number 65536 red + 256 green + blue.
    palette : tuple of (int, int, int)
        The colours of a palette, or empty.
    alpha : tuple of int
        The values of the opacity, at most a dozen; empty where the file has none.
    fractions : int
        How many values are not whole numbers.
    follows : float
        The correlation of the values with the image's brightness; 0 where it was not measured.
    digest : str
        The same for the same pixels.
    """

    file: str
    error: str = ""
    format: str = ""
    mode: str = "grey"
    shape: tuple[int, ...] = ()
    dtype: str = ""
    spacing: tuple[float, ...] | None = None
    noted: bool = False
    values: Values | None = None
    palette: tuple[tuple[int, int, int], ...] = ()
    alpha: tuple[int, ...] = ()
    fractions: int = 0
    follows: float = 0.0
    digest: str = ""


@dataclass(frozen=True, eq=False)
class Parts:
    """The connected pieces of the labels, corners included, value by value. All arrays have one row a piece.

    Attributes
    ----------
    value, area : ndarray of int64
    place : ndarray of int64, shape (n, ndim)
        One of its pixels.
    at_border : ndarray of bool
        Whether it touches the edge of the image.
    """

    value: NDArray[np.int64]
    area: NDArray[np.int64]
    place: NDArray[np.int64]
    at_border: NDArray[np.bool_]

    def of(self, value: int) -> Parts:
        """The pieces of one value, the largest first."""
        mine = np.flatnonzero(self.value == value)
        mine = mine[np.argsort(-self.area[mine], kind="stable")]
        return Parts(self.value[mine], self.area[mine], self.place[mine], self.at_border[mine])

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, eq=False)
class LabelFacts:
    """What the labels of one image say, from whichever files: ids over the image's pixels.

    Attributes
    ----------
    shape : tuple of int
    counts : dict of int to int
        Pixels by value.
    parts : Parts
        Without those of value 0; empty where there are more than 20,000.
    pinholes : tuple of tuple of int
        Pixels of enclosed background areas of at most 3 pixels, at most a dozen.
    touching : int
        How many ids share a side with another id.
    alignment : Alignment or None
        On the image; in a volume, in the plane with the most borders.
    turn : tuple of (int, float)
        Where the labels have the image's sides exchanged: the turn that fits, and how clearly.
    contrast : float
        Mean brightness where labelled minus elsewhere, over the image's standard deviation; 0 where one of them is empty.
    overlap, overlap_place : int, tuple of int
        Pixels that several object files claim, and the first of them.
    same : tuple of (str, str)
        Object files with the same pixels.
    blank : tuple of str
        Object files without a pixel.
    """

    shape: tuple[int, ...]
    counts: dict[int, int]
    parts: Parts
    pinholes: tuple[tuple[int, ...], ...] = ()
    touching: int = 0
    alignment: Alignment | None = None
    turn: tuple[int, float] = (0, 0.0)
    contrast: float = 0.0
    overlap: int = 0
    overlap_place: tuple[int, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    blank: tuple[str, ...] = ()

    @property
    def foreground(self) -> float:
        """The share of pixels that are not 0."""
        total = sum(self.counts.values())
        return 1 - self.counts.get(0, 0) / total if total else 0.0


@dataclass(frozen=True, eq=False)
class PairFacts:
    """Everything about one entry: its image, its mask files, and what they say together.

    Attributes
    ----------
    name, split, group : str
        As in `Entry`.
    image : ImageFacts
    masks : tuple of MaskFacts
        One of ids, or one an object; of an annotation file, its name only.
    labels : LabelFacts or None
        None where the files hold no ids.
    objects : Objects or None
        Where an annotation file gives them.
    one_file : bool
        The truth is one file of ids.
    """

    name: str
    split: str
    group: str
    image: ImageFacts
    masks: tuple[MaskFacts, ...] = ()
    labels: LabelFacts | None = None
    objects: Objects | None = None
    one_file: bool = False

    @property
    def file(self) -> str:
        """The file that a fault of the labels is laid to."""
        return self.masks[0].file if self.masks and self.objects is None else self.image.file

    @property
    def mask(self) -> MaskFacts | None:
        """The one file of ids, where there is one and it could be read."""
        return self.masks[0] if self.one_file and not self.masks[0].error else None


def pair_facts(root: Path, colours: Colours, entry: Entry) -> PairFacts:
    """Look at one entry; each of its files is decoded once.

    Parameters
    ----------
    root : Path
        The data folder; files are called by their place in it.
    colours : mapping of (red, green, blue) to int
        The class of each colour, as far as a class list says.
    entry : Entry
    """
    image_facts, image = _image(root, entry)
    facts = PairFacts(entry.name, entry.split, entry.group, image_facts)
    if isinstance(entry.truth, LabelFile):
        return _with_file(facts, root, colours, entry.truth.path, image)
    if isinstance(entry.truth, ObjectFiles):
        return _with_object_files(facts, root, entry.truth.paths, image)
    if isinstance(entry.truth, Annotated):
        return _with_objects(facts, root, entry.truth, image)
    return facts


def _image(root: Path, entry: Entry) -> tuple[ImageFacts, Image | None]:
    from microtome.learn.data.load import load_image

    file = relative(entry.images[0], root)
    try:
        with collect_warnings() as said:
            image = load_image(entry)
    except MicrotomeError as error:
        return ImageFacts(file, str(error)), None
    return image_facts(file, image, _transparent(said)), image


def image_facts(file: str, image: Image, transparent: int | None = None) -> ImageFacts:
    """What there is to say of an image that could be read."""
    first = image.pixels[..., 0] if image.has_channels else image.pixels
    return ImageFacts(
        file, "", image.shape, image.channel_count, image.pixels.dtype.name, image.spacing, image.unit, image.extremes, transparent,
        signature(image), _most_common(first),
    )  # fmt: skip


def _transparent(said: Sequence[str]) -> int | None:
    """The reader counts transparent pixels in its warning: "12 of 400 pixels are transparent"."""
    for message in said:
        if "transparent" in message:
            found = re.search(r"([\d,]+) of [\d,]+ pixels are transparent", message)
            return int(found[1].replace(",", "")) if found else 1
    return None


def _most_common(pixels: NDArray[Any]) -> float:
    if not pixels.size:
        return 1.0
    if pixels.dtype.kind == "f":
        return float(pixels.min() == pixels.max())
    return float(values_of(pixels, places=False).counts.max() / pixels.size)


def _digest(pixels: NDArray[Any]) -> str:
    about = f"{pixels.shape} {pixels.dtype.str}".encode()
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16, key=about[:64]).hexdigest()


# ---- one file of ids


def _with_file(facts: PairFacts, root: Path, colours: Colours, path: Path, image: Image | None) -> PairFacts:
    try:
        raw = read_raw(path)
    except InputError as error:
        return replace(facts, masks=(MaskFacts(relative(path, root), str(error)),), one_file=True)
    return with_raw(facts, root, raw, image, colours)


def with_raw(facts: PairFacts, root: Path, raw: RawMask, image: Image | None, colours: Colours) -> PairFacts:
    """The facts of an entry whose one mask file holds these pixels."""
    mask = mask_facts(relative(raw.path, root), raw, image)
    ids = to_ids(raw.pixels, colours) if raw.mode == "colour" else raw.pixels if raw.pixels.dtype.kind in "bui" else None
    return replace(facts, masks=(mask,), labels=None if ids is None else label_facts(ids, image), one_file=True)


def mask_facts(file: str, raw: RawMask, image: Image | None = None) -> MaskFacts:
    """What there is to say of a mask file that could be decoded."""
    pixels = raw.pixels
    fractions = _fractions(pixels)
    values = colours_of(pixels) if raw.mode == "colour" else None if fractions else values_of(pixels)
    return MaskFacts(
        file, "", raw.format, raw.mode, raw.shape, pixels.dtype.name, raw.spacing, raw.noted, values,
        () if raw.palette is None else tuple((int(r), int(g), int(b)) for r, g, b in raw.palette),
        () if raw.alpha is None else tuple(np.unique(raw.alpha)[:12].tolist()),
        fractions, _follows(pixels, image, values), _digest(pixels),
    )  # fmt: skip


def _fractions(pixels: NDArray[Any]) -> int:
    if pixels.dtype.kind != "f":
        return 0
    return int(np.count_nonzero(~np.isfinite(pixels) | (pixels != np.floor(pixels))))


def _follows(pixels: NDArray[Any], image: Image | None, values: Values | None) -> float:
    """Only a mask of many values can be a picture; the correlation of few would tell nothing."""
    if image is None or image.shape != pixels.shape or (values is not None and len(values) <= 32):
        return 0.0
    return _correlation(_brightness(image), pixels)


def _brightness(image: Image) -> NDArray[np.float32]:
    pixels = image.pixels.astype(np.float32)
    return np.asarray(pixels.mean(axis=-1)) if image.has_channels else pixels


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    a, b = one.ravel()[::7].astype(np.float64), other.ravel()[::7].astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


# ---- several files, or none


def _with_object_files(facts: PairFacts, root: Path, paths: tuple[Path, ...], image: Image | None) -> PairFacts:
    if not paths and image is not None:  # an image without objects
        return replace(facts, labels=label_facts(np.zeros(image.shape, np.int32), image))
    masks: list[MaskFacts] = []
    areas: list[NDArray[np.bool_]] = []
    for path in paths:
        try:
            raw = read_raw(path)
        except InputError as error:
            masks.append(MaskFacts(relative(path, root), str(error)))
            continue
        masks.append(mask_facts(relative(path, root), raw))
        areas.append(np.asarray(raw.pixels.any(axis=-1) if raw.mode == "colour" else raw.pixels != 0))
    facts = replace(facts, masks=tuple(masks))
    sound = [mask for mask in masks if not mask.error]
    if not areas or len({area.shape for area in areas}) > 1:
        return facts
    labels, claims = _stacked(areas)
    clash = claims > 1
    return replace(facts, labels=replace(
        label_facts(labels, image),
        overlap=int(np.count_nonzero(clash)), overlap_place=_first(clash), same=_same(sound),
        blank=tuple(mask.file for mask, area in zip(sound, areas, strict=True) if not area.any()),
    ))  # fmt: skip


def _stacked(areas: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """One map of all objects, larger ones first so that small ones stay visible, and how many objects claim each pixel."""
    labels, claims = np.zeros(areas[0].shape, np.int32), np.zeros(areas[0].shape, np.int32)
    for number in sorted(range(len(areas)), key=lambda k: -int(np.count_nonzero(areas[k]))):
        labels[areas[number]] = number + 1
        claims += areas[number]
    return labels, claims


def _same(masks: Sequence[MaskFacts]) -> tuple[tuple[str, str], ...]:
    first: dict[str, str] = {}
    return tuple((first[mask.digest], mask.file) for mask in masks if first.setdefault(mask.digest, mask.file) != mask.file)


def _first(wanted: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(wanted.argmax()), wanted.shape)) if wanted.any() else ()


def _with_objects(facts: PairFacts, root: Path, truth: Annotated, image: Image | None) -> PairFacts:
    from microtome.core.kernels.areas import instance_map

    facts = replace(facts, masks=(MaskFacts(relative(truth.path, root), format="annotations"),), objects=truth.objects)
    if not truth.objects.items or all(item.form == "box" for item in truth.objects.items):
        return facts
    with collect_warnings():
        labels = instance_map(truth.objects)
    return replace(facts, labels=label_facts(labels.pixels, image))


# ---- ids


def label_facts(labels: NDArray[Any], image: Image | None) -> LabelFacts:
    """What ids over the pixels of an image say.

    Parameters
    ----------
    labels : ndarray of integers, shape (H, W) or (D, H, W)
    image : Image or None

    Examples
    --------
    >>> facts = label_facts(np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]]), None)
    >>> facts.counts, facts.parts.area.tolist()
    ({0: 6, 1: 3}, [2, 1])
    """
    values = values_of(labels, around=False)
    dense = np.searchsorted(values.value, labels).astype(np.uint16 if len(values) < 65536 else np.uint32) if len(values) else labels
    numbered = _numbered(values, dense)
    parts, background = _parts(numbered, values)
    counts = dict(zip(values.value.tolist(), values.counts.tolist(), strict=True))
    pinholes = tuple(tuple(place) for place in background.place[(background.area <= 3) & ~background.at_border][:12].tolist())
    facts = LabelFacts(labels.shape, counts, parts, pinholes, _touching(labels))
    return facts if image is None else _on_image(facts, labels, image)


def _numbered(values: Values, dense: NDArray[Any]) -> NDArray[Any]:
    """Pieces of every value, the background's as well: cc3d passes over 0, so all ranks move up by one."""
    return np.asarray(dense.astype(np.uint32) + 1)


def _parts(numbered: NDArray[Any], values: Values) -> tuple[Parts, Parts]:
    """The pieces of all values but 0, and those of 0."""
    ndim = numbered.ndim
    pieces, count = cc3d.connected_components(numbered, connectivity=8 if ndim == 2 else 26, return_N=True)
    nothing = Parts(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, ndim), np.int64), np.zeros(0, bool))
    if count > MOST_PARTS:
        return nothing, nothing
    flat = pieces.ravel()
    first = np.zeros(count + 1, np.int64)
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)
    value = values.value[numbered.ravel()[first[1:]] - 1]
    area = np.bincount(flat, minlength=count + 1)[1:]
    place = np.stack(np.unravel_index(first[1:], pieces.shape), axis=1)
    at_border = np.zeros(count + 1, bool)
    for axis in range(ndim):
        at_border[np.take(pieces, (0, -1), axis)] = True
    named = value != 0
    return tuple(Parts(value[rows], area[rows], place[rows], at_border[1:][rows]) for rows in (named, ~named))  # type: ignore[return-value]


def _touching(labels: NDArray[Any]) -> int:
    """How many ids have a pixel beside one of another id, the background aside."""
    touched: set[int] = set()
    for axis in range(labels.ndim):
        one, other = np.delete(labels, -1, axis), np.delete(labels, 0, axis)
        meet = (one != other) & (one != 0) & (other != 0)
        touched.update(np.unique(one[meet]).tolist(), np.unique(other[meet]).tolist())
    return len(touched)


def _on_image(facts: LabelFacts, labels: NDArray[Any], image: Image) -> LabelFacts:
    if image.shape == labels.shape:
        plane = _fullest_plane(labels)
        pixels = image.pixels if plane is None else image.pixels[plane]
        flat = labels if plane is None else labels[plane]
        return replace(facts, alignment=measure(pixels, flat), contrast=_contrast(image, labels))
    if labels.ndim == 2 and image.shape == labels.shape[::-1]:
        return replace(facts, turn=_sideways(image.pixels, labels))
    return facts


def _fullest_plane(labels: NDArray[Any]) -> int | None:
    if labels.ndim == 2:
        return None
    return int(np.argmax([np.count_nonzero(plane[1:] != plane[:-1]) for plane in labels]))


def _sideways(pixels: NDArray[Any], labels: NDArray[Any]) -> tuple[int, float]:
    turn, near = best_turn(pixels, labels)
    return (turn, near) if turn in _TURNED else (5, 0.0)


def _contrast(image: Image, labels: NDArray[Any]) -> float:
    brightness, inside = _brightness(image), labels != 0
    spread = float(brightness.std())
    if not inside.any() or inside.all() or spread == 0 or not np.isfinite(spread):
        return 0.0
    return float(brightness[inside].mean() - brightness[~inside].mean()) / spread
