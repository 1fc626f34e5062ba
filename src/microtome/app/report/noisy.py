"""The page of `microtome noisy`: the objects and images whose labels held-out models disagree with most. No script, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

import microtome
from microtome.core.errors import InputError
from microtome.core.events import warn
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.masks import read_mask
from microtome.io.whole import whole_file
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.load import load
from microtome.learn.noisy.folds import Fold
from microtome.learn.noisy.judge import LIKELY, Judged, seen_by
from microtome.learn.noisy.outputs import all_doubts
from microtome.learn.noisy.rank import KINDS, Doubt
from microtome.learn.training.pictures import draw

__all__ = ["MOST_IMAGES", "MOST_OBJECTS", "PAGE", "build_noisy_page"]

PAGE = "noisy.html"

MOST_OBJECTS, MOST_IMAGES = 48, 24
"""How many of each the page shows."""

_AROUND = 1.0  # of an object's size, on each side
_LEAST = 24  # pixels to each side of its centre
_STYLES = ("page.css", "check.css", "noisy.css")

Mask = SemanticMap | InstanceMap


@dataclass(frozen=True)
class Shown:
    """A picture of the page, as a data URI."""

    caption: str
    data: str
    width: int
    height: int


@dataclass(frozen=True)
class Card:
    """An object or an image, with its pictures."""

    title: str
    told: str
    pictures: tuple[Shown, ...]


def build_noisy_page(dataset: Dataset, folds: Sequence[Fold], judged: Sequence[Judged], out: Path, *, said: Sequence[str] = ()) -> Path:
    """Write ``OUT/noisy.html``.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold
    judged : sequence of Judged
        Ranked; their predictions lie in `out`.
    out : Path
    said : sequence of str
        What was assumed or left out.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    objects, images = _cards(dataset, {fold.name: fold for fold in folds}, judged)
    style = "".join((resources.files("microtome.app.report") / "page" / name).read_text(encoding="utf-8") for name in _STYLES)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = (resources.files("microtome.app.report") / "page" / "noisy.html.jinja").read_text(encoding="utf-8")
    page = environment.from_string(template).generate(
        microtome=microtome.__version__,
        title=dataset.root.resolve().name,
        kind=dataset.kind,
        judged=judged,
        models=len(folds),
        likely=LIKELY,
        counts={kind: sum(one.likely[kind] for one in judged) for kind in KINDS},
        kinds=KINDS,
        objects=objects,
        images=images,
        said=list(dict.fromkeys(said)),
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
    )
    path = out / PAGE
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page)
    return path


def _cards(dataset: Dataset, folds: Mapping[str, Fold], judged: Sequence[Judged]) -> tuple[list[Card], list[Card]]:
    """Of the first objects and images; each image is read once."""
    top = [(one.entry.name, row) for one, row in all_doubts(judged)[:MOST_OBJECTS] if row.disagreement > 0]
    first = {one.entry.name for one in judged[:MOST_IMAGES]}
    objects: dict[tuple[str, Doubt], Card] = {}
    images: dict[str, Card] = {}
    for one in judged:
        name = one.entry.name
        wanted = [row for of, row in top if of == name]
        if not wanted and name not in first:
            continue
        try:
            sample = seen_by(folds[one.fold], load(dataset, one.entry))
        except InputError as error:
            warn(f"{name}: not shown: {error}")
            continue
        found = read_mask(one.predicted)
        objects |= {(name, row): _of_object(name, row, sample.image, found, sample.truth) for row in wanted}
        if name in first:
            images[name] = _of_image(one, sample.image, found, sample.truth)
    ordered = [objects[pair] for pair in top if pair in objects]
    return ordered, [images[one.entry.name] for one in judged if one.entry.name in images]


def _of_image(one: Judged, image: Image, found: Mask, truth: Mask) -> Card:
    likely = ", ".join(f"{count} {kind}" for kind, count in one.likely.items() if count)
    told = f"disagreement {one.disagreement:.2f}: {likely or 'nothing that is likely wrong'}"
    return Card(one.entry.name, told, tuple(_pictures(image, found, truth)))


def _of_object(name: str, row: Doubt, image: Image, found: Mask, truth: Mask) -> Card:
    cut = _around(row, image.shape)
    parts = (_cut(image, cut), _cut(found, cut), _cut(truth, cut))
    place = ", ".join(f"{value:.0f}" for value in row.place)
    which = " and ".join(words for words in (f"label {row.label}" if row.label else "", f"found {row.found}" if row.found else "") if words)
    if row.kind == "other class":
        which = f"label {row.label}, found {row.found}"
    return Card(row.kind, f"{row.disagreement:.2f}: {name} at ({place}), {which}", tuple(_pictures(*parts)))


def _pictures(image: Image, found: Mask, truth: Mask) -> Iterator[Shown]:
    yield _shown("image", draw(image, truth=truth, bare=True))
    if isinstance(found, SemanticMap) and len(found.classes) > 2:  # tints of two masks cannot lie over each other
        yield _shown("label", draw(image, truth=truth))
        yield _shown("found", draw(image, mask=found))
    else:
        yield _shown("labels blue, found orange", draw(image, found, truth))


def _shown(caption: str, png: bytes) -> Shown:
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    return Shown(caption, "data:image/png;base64," + base64.b64encode(png).decode("ascii"), width, height)


def _around(row: Doubt, shape: Sequence[int]) -> tuple[int | slice, ...]:
    """The object with what lies around it; of a volume the plane through its centre."""
    axes = len(shape)
    cut: list[int | slice] = [] if axes == 2 else [min(round(row.place[0]), shape[0] - 1)]
    for axis in range(axes - 2, axes):
        low, high = row.box[axis], row.box[axes + axis]
        reach = max(_LEAST, round((high - low) * (0.5 + _AROUND)))
        middle = (low + high) // 2
        cut.append(slice(max(0, middle - reach), min(shape[axis], middle + reach)))
    return tuple(cut)


def _cut(noun: Any, cut: tuple[int | slice, ...]) -> Any:
    """The part of an image or a mask, flat."""
    options: dict[str, Any] = {"axes": noun.axes.replace("z", "")}
    if isinstance(noun, SemanticMap):
        options["classes"] = noun.classes
    return type(noun)(np.ascontiguousarray(noun.pixels[cut]), **options)
