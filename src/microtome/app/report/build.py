"""The report: one page that holds a run, made from what the run left on disk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from microtome.app.report.columns import Columns, read_columns
from microtome.app.report.explain import read_explained
from microtome.app.report.facts import facts_of
from microtome.app.report.palette import OBJECTS
from microtome.app.report.pictures import THUMBNAIL, Layer, Scale, encode_labels, layer, outlined, shrunk, to_webp, visible
from microtome.app.report.pictures import nearest as nearest_pixels
from microtome.core.errors import InputError, MicrotomeError
from microtome.core.events import collect_warnings
from microtome.core.kernels.bands import threads
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.images import read
from microtome.io.masks import read_mask
from microtome.io.whole import whole_file

__all__ = ["build_report"]

Mask = SemanticMap | InstanceMap
T, R = TypeVar("T"), TypeVar("R")

_STYLES = ("page.css",)
_SCRIPTS = ("data.js", "charts.js", "picture.js", "table.js", "sheet.js", "page.js")


def build_report(out: str | os.PathLike[str]) -> Path:
    """Write ``OUT/report.html``: the pictures, objects, charts and facts of a run in one file that needs no other.

    Parameters
    ----------
    out : path
        The folder of a run: ``run.json``, ``objects.csv``, ``images.csv``, ``masks/`` and, if asked for, ``explain/``. Images are
        read again from where the run found them; one that is gone or changed is shown by its mask alone, and the page says so.

    Returns
    -------
    Path
        The page. It appears whole or not at all.

    Raises
    ------
    InputError
        If the folder holds no run, or a damaged one.
    RunError
        If the disk refuses.

    Notes
    -----
    One image at a time and thread is held in memory; the page is written as it grows. Pictures share about 50 MB: the more
    images, the smaller their previews.
    """
    out = Path(out)
    run = _read_run(out)
    images: list[dict[str, Any]] = run["images"]
    columns = read_columns(out / "objects.csv", {image["name"]: place for place, image in enumerate(images)})
    path = out / "report.html"
    draw = partial(_blocks, out, run["recipe"].get("input") or {}, Scale.for_images(len(images)))
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_page(out, run, columns, in_order(draw, images)))
    return path


def _read_run(out: Path) -> dict[str, Any]:
    path = out / "run.json"
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        run["images"], run["recipe"]  # noqa: B018 - a KeyError here is a document of something else
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; name the folder a run wrote its results to") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is not the record of a run ({type(error).__name__}: {error})") from error
    return run


def in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Work on a few items at a time, on as many threads as there are; results in the order of the items."""
    ahead: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads(), thread_name_prefix="report") as pool:
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) > 2 * threads():
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _page(out: Path, run: Mapping[str, Any], columns: Columns, blocks: Iterator[str]) -> Iterator[str]:
    folder = resources.files("microtome.app.report") / "page"
    style = "".join((folder / name).read_text(encoding="utf-8") for name in _STYLES)
    script = '"use strict";\n' + "".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    return template.generate(
        facts=facts_of(run),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        run_data=data_text(_run_data(out, run, columns)),
        table_data=Markup(columns.data()),
        blocks=map(Markup, _numbered(blocks)),
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def data_text(data: Any) -> Markup:
    """JSON that may stand inside a script element: no text in it can end the element or open a comment.

    >>> print(data_text({"name": "</script>"}))
    {"name":"\\u003c/script>"}
    """
    return Markup(json.dumps(_finite(data), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not np.isfinite(data):
        return None
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, (list, tuple)) else data


def _run_data(out: Path, run: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    from microtome.app.report.facts import numbers_by_image

    images = [
        {
            "name": image["name"], "group": image["group"], "status": image["status"], "error": image.get("error"),
            "warnings": image.get("warnings", []), "shape": image.get("shape", []), "axes": image.get("axes", ""),
            "spacing": image.get("spacing"), "unit": image.get("unit", "px"), "explained": bool(image.get("explain")),
            "outputs": [
                {"name": name, "kind": output["kind"], "count": output.get("count"), "classes": output.get("classes", [])}
                for name, output in image["outputs"].items()
            ],
        }
        for image in run["images"]
    ]  # fmt: skip
    return {
        "images": images,
        "columns": columns.describe(),
        "rows": len(columns),
        "rows_in_file": columns.rows,
        "by_image": numbers_by_image(out / "images.csv", [image["name"] for image in run["images"]]),
        "grouped": run.get("group") is not None,
        "palette": OBJECTS,
    }


def _numbered(blocks: Iterator[tuple[str, str]]) -> Iterator[str]:
    for number, (thumbnail, block) in enumerate(blocks):
        yield f'<script type="text/plain" id="thumbnail-{number}">{thumbnail}</script>\n'
        yield f'<script type="application/json" id="image-{number}">{block}</script>\n'


# ---------------------------------------------------------------------------------------------------- one image


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


def _blocks(out: Path, options: Mapping[str, Any], scale: Scale, record: Mapping[str, Any]) -> tuple[str, str]:
    """The thumbnail of one image, and all else the page shows of it, no longer than `scale` allows."""
    seen = _look(out, options, record)
    for _ in range(4):
        thumbnail, block = _draw(out, seen, record, scale)
        length = len(thumbnail) + len(block)
        if length <= scale.characters or scale.side <= THUMBNAIL:
            break
        scale = replace(scale, side=max(int(scale.side * 0.95 * (scale.characters / length) ** 0.5), THUMBNAIL))
    return thumbnail, block


def _draw(out: Path, seen: _Seen, record: Mapping[str, Any], scale: Scale) -> tuple[str, str]:
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
        "explained": _explained(out, record, picture, max(scale.side // 2, 160), notes),
        "notes": notes,
    }
    return _thumbnail(picture, layers, size), data_text(block)


def _mask_data(one: Layer) -> dict[str, Any]:
    return {**encode_labels(one.numbers), "ids": one.ids.tolist(), "colours": "".join(map(str, one.colours.tolist()))}


def _explained(out: Path, record: Mapping[str, Any], picture: NDArray[np.uint8] | None, side: int, notes: list[str]) -> list[dict[str, Any]]:
    if not record.get("explain"):
        return []
    try:
        return read_explained(out / record["explain"], picture, side)
    except InputError as error:
        notes.append(f"The explanation cannot be shown: {error}")
        return []


def _thumbnail(picture: NDArray[np.uint8] | None, layers: Mapping[str, Layer], size: tuple[int, int]) -> str:
    if picture is None and not layers:
        return ""
    small = Scale(THUMBNAIL, 0).fit(size)
    under = np.full(small, 24, np.uint8) if picture is None else shrunk(picture, small)
    scaled = [replace(one, numbers=nearest_pixels(one.numbers, small)) for one in list(layers.values())[-1:]]
    return to_webp(outlined(under, scaled), 70)


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
    yield hashlib.sha256(image.pixels.tobytes()).hexdigest()
