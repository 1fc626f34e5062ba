"""The report: one page that holds a run, made from what the run left on disk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import jinja2
from markupsafe import Markup

from microtome.app.report.columns import Columns, numbers_by_image, read_columns
from microtome.app.report.facts import facts_of
from microtome.app.report.one_image import Blocks, blocks_of, json_text
from microtome.app.report.palette import OBJECTS
from microtome.app.report.pictures import Scale
from microtome.core.errors import InputError
from microtome.core.kernels.bands import threads
from microtome.io.whole import whole_file

__all__ = ["build_report"]

T = TypeVar("T")
R = TypeVar("R")

LARGEST_PAGE = 56_000_000  # characters; browsers stay quick below some 60 MB
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
    Each thread holds one image, and large ones are taken one at a time; the page is written as it grows. Pictures share what
    56 million characters leave beside the table: the more images, the smaller their previews.
    """
    out = Path(out)
    run = _read_run(out)
    images: list[dict[str, Any]] = run["images"]
    columns = read_columns(out / "objects.csv", {image["name"]: place for place, image in enumerate(images)})
    table_data = columns.data()
    scale = Scale.for_images(len(images), total=LARGEST_PAGE - len(table_data))
    draw = partial(blocks_of, out, run["recipe"].get("input") or {}, scale)
    path = out / "report.html"
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_page(run, _run_data(out, run, columns), table_data, in_order(draw, images)))
    return path


def _read_run(out: Path) -> dict[str, Any]:
    path = out / "run.json"
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if missing := {"images", "recipe"} - run.keys():
            raise ValueError(f"it has no {' and no '.join(sorted(missing))}")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; name the folder a run wrote its results to") from None
    except (ValueError, AttributeError) as error:
        raise InputError(f"{path}: is not the record of a run: {error}") from error
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


def _page(run: Mapping[str, Any], run_data: Mapping[str, Any], table_data: str, blocks: Iterator[Blocks]) -> Iterator[str]:
    style, script = _joined(_STYLES), '"use strict";\n' + _joined(_SCRIPTS)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_joined(("page.html.jinja",))).generate(
        facts=facts_of(run),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        run_data=Markup(json_text(run_data)),
        table_data=Markup(table_data),
        blocks=map(Markup, _numbered(blocks)),
    )


def _joined(names: Iterable[str]) -> str:
    folder = resources.files("microtome.app.report") / "page"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """What the page's content security policy allows to run: this script and no other."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _numbered(blocks: Iterator[Blocks]) -> Iterator[str]:
    for number, (thumbnail, block) in enumerate(blocks):
        yield f'<script type="text/plain" id="thumbnail-{number}">{thumbnail}</script>\n'
        yield f'<script type="application/json" id="image-{number}">{block}</script>\n'


def _run_data(out: Path, run: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
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
