"""What the page of an evaluation carries of one image: its picture, and over it what was found, missed, added, merged and split."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from microtome.app.report.one_image import json_text
from microtome.app.report.palette import OBJECTS, rgb
from microtome.app.report.pictures import Scale, edges, middle_plane, nearest, to_webp, visible
from microtome.core.classes import ClassTable
from microtome.core.errors import MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.core.table import Table
from microtome.learn.evaluate.pairs import Labels, Pair, Source, load_labels, load_picture
from microtome.learn.evaluate.score import Order, Scored, fates_of

__all__ = ["COLOURS", "class_colours", "outcome_block"]

COLOURS = {"matched": "#009e73", "missed": "#d55e00", "added": "#56b4e9", "merged": "#f0e442", "split": "#cc79a7", "wrong": "#d55e00",
           "ignored": "#8a8f98"}  # fmt: skip
"""Okabe and Ito's, so that people with any colour vision can tell them apart."""

_ATTEMPTS = 6
_FILL, _EDGE = 90, 255
_DIM = 160
Layers = dict[str, str]


def class_colours(count: int) -> list[str]:
    """A colour a class: the six for objects, then darker and lighter ones of the same hues.

    >>> class_colours(7)[::6]
    ['#e69f00', '#8f6300']
    """
    shades = [rgb(OBJECTS), (rgb(OBJECTS) * 0.62).round().astype(np.uint8), (255 - (255 - rgb(OBJECTS)) * 0.45).round().astype(np.uint8)]
    return ["#" + bytes(shades[k // len(OBJECTS) % 3][k % len(OBJECTS)]).hex() for k in range(count)]


def outcome_block(order: Order, things: Sequence[int], scale: Scale, job: tuple[Pair, Scored]) -> str:
    """Draw one image, smaller and smaller until its JSON is no longer than `scale` allows.

    Parameters
    ----------
    order : Order
    things : sequence of int
        The class values of the set that are shown in colours, in their order; all others are background or not judged.
    scale : Scale
    job : tuple of Pair and Scored
    """
    pair, scored = job
    with collect_warnings():  # told when the pair was scored
        truth = load_labels(pair.truth, order.task, classes=order.classes, truth=True)
        sides = [_found(order, source, truth) for source in (pair.pred, pair.against) if source is not None]
        picture, notes = _picture(pair, truth)
    if scored.fates is not None and sides:
        sides[0] = (sides[0][0], scored.fates.objects)
    for _ in range(_ATTEMPTS):
        text = _drawn(order, things, scale, truth, sides, picture, notes)
        if len(text) <= scale.characters:
            break
        scale = replace(scale, side=int(scale.side * 0.95 * (scale.characters / len(text)) ** 0.5) or 1)
    return text


def _found(order: Order, source: Source, truth: Labels) -> tuple[Labels, Table | None]:
    labels = load_labels(source, order.task)
    fates = fates_of(order.task, labels, truth)
    return labels, fates.objects if fates is not None else None


def _picture(pair: Pair, truth: Labels) -> tuple[Any, list[str]]:
    if not pair.image:
        return None, ["No picture was found; --images names its folder."]
    try:
        image = load_picture(pair)
    except (MicrotomeError, OSError) as error:
        return None, [f"The picture is not shown: {error}"]
    if image.shape != truth.shape:
        return None, ["The picture is not shown: it is not of the mask's size."]
    return image, []


def _drawn(
    order: Order, things: Sequence[int], scale: Scale, truth: Labels, sides: Sequence[tuple[Labels, Table | None]], picture: Any,
    notes: Sequence[str],
) -> str:  # fmt: skip
    size = scale.fit(truth.shape[-2:])
    said = list(notes)
    shown = None
    if picture is not None:
        pixels, more = visible(picture, size)
        if pixels.ndim == 2 and pixels.size and (top := float(np.percentile(pixels, 99.8))) < _DIM:
            pixels = np.clip(pixels * (255 / max(top, 1.0)), 0, 255).astype(np.uint8)
            more = [*more, "The picture is dim and was made brighter for display."]
        shown, said = to_webp(pixels), [*said, *more]
    layers = [_layers(order, things, pred, truth, objects, size) for pred, objects in sides]
    return json_text({"size": size, "picture": shown, "results": layers, "notes": said})


def _layers(order: Order, things: Sequence[int], pred: Labels, truth: Labels, objects: Table | None, size: tuple[int, int]) -> Layers:
    if isinstance(truth, SemanticMap):
        return _class_layers(order, things, pred, truth, size)
    assert objects is not None
    if order.task == "boxes":
        return _box_layers(pred, truth, objects, size)
    assert isinstance(pred, InstanceMap)
    assert isinstance(truth, InstanceMap)
    return _object_layers(_seen(pred, size), _seen(truth, size), objects)


def _seen(mask: InstanceMap | SemanticMap, size: tuple[int, int]) -> NDArray[Any]:
    return nearest(middle_plane(mask.pixels, mask.axes), size)


def _object_layers(pred: NDArray[np.int32], truth: NDArray[np.int32], objects: Table) -> Layers:
    """A layer a fate: objects of the truth filled, and the outlines of both sides' objects that met it; matched ones of the prediction."""
    layers = {}
    p_edges, t_edges = edges(pred), edges(truth)
    for fate in ("matched", "missed", "added", "merged", "split"):
        p, t = (np.isin(numbers, _labels(objects, side, fate)) for side, numbers in (("pred", pred), ("truth", truth)))
        filled = t if fate in ("missed", "merged", "split") else p if fate == "added" else np.zeros_like(p)
        outlined = p & p_edges | (t & t_edges if fate != "matched" else False)
        if filled.any() or outlined.any():
            layers[fate] = _layer(np.where(outlined, 2, filled.astype(np.uint8)), [COLOURS[fate]] * 2, [_FILL, _EDGE])
    return layers | ({"truth": _layer((t_edges & (truth > 0)).astype(np.uint8), ["#ffffff"], [_EDGE])} if truth.any() else {})


def _labels(objects: Table, side: str, fate: str) -> NDArray[np.int64]:
    chosen = (objects["side"] == side) & (objects["fate"] == fate)
    return np.asarray(objects["label"][chosen], np.int64)


def _box_layers(pred: Labels, truth: Labels, objects: Table, size: tuple[int, int]) -> Layers:
    from microtome.measure.metrics.pair_boxes import boxed

    layers = {}
    for fate in ("matched", "missed", "added"):
        drawn = np.zeros(size, np.uint8)
        side, labels = ("truth", truth) if fate == "missed" else ("pred", pred)
        wanted = set(_labels(objects, side, fate).tolist())
        found = boxed(labels, side)
        for item in found.items:
            if item.number in wanted:
                _rectangle(drawn, item.box, found)
        if drawn.any():
            layers[fate] = _layer(drawn, [COLOURS[fate]], [_EDGE])
    return layers


def _rectangle(drawn: NDArray[np.uint8], box: tuple[float, float, float, float], objects: Objects) -> None:
    """The inner edge of a box, one pixel wide, at the preview's size."""
    height, width = drawn.shape
    down, right = height / objects.shape[0], width / objects.shape[1]
    top, left = max(int(box[0] * down), 0), max(int(box[1] * right), 0)
    bottom, far = min(max(int(box[2] * down), top + 1), height), min(max(int(box[3] * right), left + 1), width)
    drawn[top:bottom, [left, far - 1] if left < width else []] = 1
    drawn[[top, bottom - 1] if top < height else [], left:far] = 1


def _class_layers(order: Order, things: Sequence[int], pred: Labels, truth: SemanticMap, size: tuple[int, int]) -> Layers:
    """Errors first; then the truth and the prediction in the classes' colours, and what is not judged."""
    ignored = (*truth.classes.values("ignore"), *([order.ignore] if order.ignore is not None else []))
    t, p = _seen(truth, size), _seen(_as_classes(pred), size)
    judged = ~np.isin(t, ignored)
    wrong = (t != p) & judged
    layers: Layers = {}
    if len(things) == 1:
        inside = t == things[0]
        found = (t == p) & judged & inside
        errors = {"matched": found & edges(found.astype(np.int32)), "missed": wrong & inside, "added": wrong & ~inside}
    else:
        errors = {"wrong": wrong}
    for name, where in errors.items():
        if where.any():
            layers[name] = _layer(where.astype(np.uint8), [COLOURS[name]], [_EDGE if name == "matched" else 170])
    colours = class_colours(len(things))
    for name, labels in (("truth", t), ("prediction", p)):
        numbers = np.zeros(size, np.uint8)
        for k, value in enumerate(things, 1):
            numbers[labels == value] = k
        if numbers.any():
            layers[name] = _layer(numbers, colours, [150] * len(colours))
    return layers | ({"ignored": _layer((~judged).astype(np.uint8), [COLOURS["ignored"]], [150])} if not judged.all() else {})


def _as_classes(labels: Labels) -> SemanticMap:
    if isinstance(labels, SemanticMap):
        return labels
    if isinstance(labels, ScoreMap):
        pixels = labels.pixels[..., 0] if labels.has_channels else labels.pixels
        return SemanticMap(pixels >= 0.5, **labels.geometry())
    assert isinstance(labels, InstanceMap)
    return SemanticMap(labels.pixels > 0, **labels.geometry(), classes=ClassTable.binary())


def _layer(numbers: NDArray[Any], colours: Sequence[str], alphas: Sequence[int]) -> str:
    """Base64 of a PNG with a palette: 0 is clear, number k has the k-th colour and opacity."""
    image = PIL.Image.fromarray(numbers.astype(np.uint8), mode="P")
    image.putpalette([0, 0, 0, *rgb(tuple(colours)).ravel().tolist()])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=bytes([0, *alphas]))
    return base64.b64encode(file.getvalue()).decode("ascii")
