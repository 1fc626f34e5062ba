"""What the page carries of one image: its thumbnail, and its picture, masks and explanations as one line of JSON."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microtome.app.report.explain import read_explained
from microtome.app.report.pictures import Layer, Scale, encode_labels, layer, nearest, outlined, shrunk, to_webp, visible
from microtome.core.errors import InputError, MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.images import read
from microtome.io.masks import read_mask

__all__ = ["Blocks", "blocks_of", "json_text"]

Mask = SemanticMap | InstanceMap
_ATTEMPTS = 8
_LARGE = 1 << 25  # pixels; of images above, only one is held in memory at a time
_one_large = threading.Lock()


class Blocks(NamedTuple):
    """The text of one image's data elements: base64 of a WebP, and JSON."""

    thumbnail: str
    image: str


@dataclass(frozen=True, eq=False)
class _Seen:
    """One image as it was found again on disk."""

    image: Image | None
    masks: dict[str, Mask]
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        rasters = [*self.masks.values(), *([self.image] if self.image else [])]
        shape = rasters[0].shape if rasters else (1, 1)
        return int(shape[-2]), int(shape[-1])


def blocks_of(out: Path, options: Mapping[str, Any], scale: Scale, record: Mapping[str, Any]) -> Blocks:
    """Draw one image, smaller and smaller until its text is no longer than `scale` allows.

    Parameters
    ----------
    out : Path
        The run's folder.
    options : mapping
        The recipe's `input`: how the run read its images.
    scale : Scale
    record : mapping
        What ``run.json`` says of the image.
    """
    with _one_large if math.prod(record.get("shape", ())) > _LARGE else nullcontext():
        return _fitted(out, _look(out, options, record), record, scale)


def _fitted(out: Path, seen: _Seen, record: Mapping[str, Any], scale: Scale) -> Blocks:
    for _ in range(_ATTEMPTS):
        drawn = _draw(out, seen, record, scale)
        length = sum(map(len, drawn))
        if length <= scale.characters:
            break
        scale = replace(scale, side=int(scale.side * 0.95 * (scale.characters / length) ** 0.5) or 1)
    return drawn


def _draw(out: Path, seen: _Seen, record: Mapping[str, Any], scale: Scale) -> Blocks:
    size = scale.fit(seen.shape)
    notes = list(seen.notes)
    picture: NDArray[np.uint8] | None = None
    if seen.image is not None:
        picture, said = visible(seen.image, size)
        notes += said
    layers = {name: layer(mask, size) for name, mask in seen.masks.items()}
    block = {
        "size": size,
        "full": seen.shape,
        "picture": None if picture is None else to_webp(picture),
        "masks": {name: _mask_data(one) for name, one in layers.items()},
        "explained": _explained(out, record, picture, scale.side // 2, notes),
        "notes": notes,
    }
    return Blocks(_thumbnail(picture, layers, scale.thumbnail.fit(size)), json_text(block))


def _mask_data(one: Layer) -> dict[str, Any]:
    return {**encode_labels(one.numbers), "ids": one.ids.tolist(), "colours": "".join(map(str, one.colours.tolist()))}


def _explained(
    out: Path, record: Mapping[str, Any], picture: NDArray[np.uint8] | None, side: int, notes: list[str]
) -> list[dict[str, Any]]:
    if not record.get("explain"):
        return []
    try:
        return read_explained(out / record["explain"], picture, side)
    except InputError as error:
        notes.append(f"The explanation cannot be shown: {error}")
        return []


def _thumbnail(picture: NDArray[np.uint8] | None, layers: Mapping[str, Layer], size: tuple[int, int]) -> str:
    """The small picture with the outlines of the last mask; nothing where there is neither."""
    if picture is None and not layers:
        return ""
    under = np.full(size, 24, np.uint8) if picture is None else shrunk(picture, size)
    last = [replace(one, numbers=nearest(one.numbers, size)) for one in list(layers.values())[-1:]]
    return to_webp(outlined(under, last), 70)


def _look(out: Path, options: Mapping[str, Any], record: Mapping[str, Any]) -> _Seen:
    masks: dict[str, Mask] = {}
    notes: list[str] = []
    for name, output in record["outputs"].items():
        try:
            masks[name] = read_mask(out / output["file"])
        except (MicrotomeError, OSError) as error:
            notes.append(f"The mask {name} cannot be shown: {error}")
    if record["status"] not in ("done", "resumed"):
        return _Seen(None, masks, tuple(notes))
    image, missing = _read_again(record, options)
    if image is not None and any(mask.shape != image.shape for mask in masks.values()):
        image, missing = None, "The picture is not shown: it is not of the mask's size."
    return _Seen(image, masks, (*notes, *([missing] if missing else [])))


def _read_again(record: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Image | None, str]:
    """The image as the run read it, or why it cannot be shown."""
    path = Path(record["source"])
    if not record["source"] or not path.is_file():
        where = f"it is no longer at {path}" if record["source"] else "the run was given pixels, not a file"
        return None, f"The picture is not shown: {where}."
    try:
        with collect_warnings():  # the run has told them
            image = read(path, axes=options.get("axes"))
        if record.get("sha256") and record["sha256"] not in _hashes(path, image):
            return None, f"The picture is not shown: {path} has changed since the run."
        channel = options.get("channel")
        return (image if channel is None else image.channel(channel)), ""
    except (MicrotomeError, OSError) as error:
        return None, f"The picture is not shown: {error}"


def _hashes(path: Path, image: Image) -> Iterator[str]:
    """What the run may have noted: the hash of the file, or of the pixels where it was given an image in memory."""
    with path.open("rb") as file:
        yield hashlib.file_digest(file, "sha256").hexdigest()
    yield hashlib.sha256(np.ascontiguousarray(image.pixels).data).hexdigest()


def json_text(data: Any) -> str:
    """JSON that may stand inside a script element: no text in it can end the element or open a comment; NaN becomes null.

    >>> print(json_text({"name": "</script>"}))
    {"name":"\\u003c/script>"}
    """
    return json.dumps(_finite(data), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not np.isfinite(data):
        return None
    if isinstance(data, Mapping):
        return {name: _finite(value) for name, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, (list, tuple)) else data
