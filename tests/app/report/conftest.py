"""Runs to report on, written by hand in the form a run leaves them on disk; and a browser to look at the page with."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import write_mask

Mask = InstanceMap | SemanticMap
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@dataclass
class Shot:
    """One image of a run: its pixels (None: it failed), its masks, and what the record says besides."""

    name: str
    pixels: NDArray[Any] | None = None
    masks: dict[str, Mask] = field(default_factory=dict)
    group: str = ""
    explained: Sequence[tuple[str, str, str, dict[str, Any]]] = ()
    more: dict[str, Any] = field(default_factory=dict)


def write_run(folder: Path, shots: Sequence[Shot], **more: Any) -> Path:
    """Write inputs beside OUT, and OUT as a run leaves it."""
    out = folder / "out"
    out.mkdir(parents=True)
    images, objects = [], []
    for shot in shots:
        record, rows = _write_shot(folder, out, shot)
        images.append(record)
        objects += rows
    names = list(dict.fromkeys(["image", "group", "output", "label", *(name for row in objects for name in row)]))
    _write_csv(out / "objects.csv", names, objects)
    counts = [{**{name: i[name] for name in ("group", "status", "seconds", "error")}, "image": i["name"],
               "count": i["outputs"]["mask"]["count"] if i["outputs"] else None} for i in images]  # fmt: skip
    _write_csv(out / "images.csv", ["image", "group", "status", "count", "seconds", "error"], counts)
    run = {"microtome": "0.1.0", "recipe": {"microtome": 1, "steps": ["otsu"]}, "recipe_text": "microtome: 1\nsteps:\n  - otsu\n",
           "recipe_name": "coins", "started": "2026-11-21T05:30:00+00:00", "seconds": 1.25, "executor": "serial", "workers": 1,
           "versions": {"microtome": "0.1.0", "numpy": "2.1.0"}, "machine": {"python": "3.11", "platform": "Linux", "cores": 2},
           "warnings": [], "group": None, "images": images}  # fmt: skip
    (out / "run.json").write_text(json.dumps(run | more), encoding="utf-8")
    return out


def _write_shot(folder: Path, out: Path, shot: Shot) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    source = folder / "in" / shot.name
    record: dict[str, Any] = {
        "name": shot.name, "source": str(source), "group": shot.group, "sha256": "", "status": "failed", "seconds": 0.02, "timings": {},
        "shape": [], "axes": "", "spacing": None, "unit": "px", "outputs": {}, "warnings": [], "error": "cannot be read", "details": "",
        "explain": None,
    }  # fmt: skip
    if shot.pixels is None:
        return record | shot.more, []
    source.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(shot.pixels).save(source)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    outputs, rows = {}, []
    for output, mask in shot.masks.items():
        file = write_mask(mask, _made(out / "masks" / f"{shot.name}.{output}"))
        kind = "instance" if isinstance(mask, InstanceMap) else "semantic"
        count = len(mask) if isinstance(mask, InstanceMap) else None
        classes = [{"value": entry.value, "name": entry.name, "role": entry.role} for entry in mask.classes]
        outputs[output] = {"file": file.relative_to(out).as_posix(), "kind": kind, "count": count, "classes": classes}
        rows += [{"image": shot.name, "group": shot.group, "output": output, **row} for row in _rows(mask, shot.pixels)]
    done = {"status": "done", "error": None, "sha256": sha256, "timings": {"read": 0.001, "1 otsu": 0.004},
            "shape": list(shot.pixels.shape), "axes": "yxc"[: shot.pixels.ndim], "outputs": outputs}  # fmt: skip
    if shot.explained:
        done["explain"] = _write_explained(out, f"explain/{shot.name}.npz", shot.explained)
    return record | done | shot.more, rows


def _rows(mask: Mask, pixels: NDArray[Any]) -> Iterator[dict[str, Any]]:
    grey = np.broadcast_to(pixels if pixels.ndim == 2 else pixels.mean(axis=2), mask.shape)
    flat = mask.pixels.ravel()
    counts, sums = np.bincount(flat), np.bincount(flat, grey.ravel())
    for label in np.flatnonzero(counts):
        if label:
            yield {"label": int(label), "area_px": int(counts[label]), "mean_intensity": float(sums[label] / counts[label])}


def _write_explained(out: Path, file: str, items: Sequence[tuple[str, str, str, dict[str, Any]]]) -> str:
    arrays, meta = {}, []
    for step, kind, about, data in items:
        keys = {name: f"a{len(arrays) + k}" for k, name in enumerate(n for n, v in data.items() if isinstance(v, np.ndarray))}
        arrays |= {key: data[name] for name, key in keys.items()}
        values = {name: value for name, value in data.items() if name not in keys}
        meta.append({"step": step, "kind": kind, "about": about, "arrays": keys, "values": values})
    np.savez(_made(out / file), meta=np.array(json.dumps(meta)), **arrays)
    return file


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_csv(path: Path, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def everything_explained(pixels: NDArray[Any], labels: NDArray[Any]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """One explanation of each kind."""
    counts, levels = np.histogram(pixels, bins=256, range=(0, 256))
    inner = np.pad((labels[1:-1, 1:-1] > 0).astype(float), 1)
    waves = inner * np.abs(np.sin(np.arange(labels.shape[1]) / 9))
    seeds = np.where(np.add.outer(np.arange(labels.shape[0]), np.arange(labels.shape[1])) % 17 == 0, labels, 0)
    return [
        ("2 otsu", "histogram", "Otsu cuts where the two classes' means lie farthest apart.",
         {"counts": counts, "levels": levels[:-1], "thresholds": [107]}),
        ("3 distance", "map", "Each pixel's distance to the background.", {"values": waves}),
        ("4 watershed", "markers", "One marker for each object.", {"labels": seeds}),
        ("5 kmeans", "clusters", "Grey levels gathered around three centres.",
         {"centres": np.array([[52.0], [110.0], [190.0]]), "sizes": np.array([60_000, 30_000, 26_000])}),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    """`write_run`."""
    return write_run


@pytest.fixture(scope="session")
def make_shot() -> type[Shot]:
    """`Shot`."""
    return Shot


@pytest.fixture(scope="session")
def labelled_coins(coins: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The coins, numbered."""
    import cv2

    smooth = cv2.GaussianBlur(coins, (0, 0), 2)
    labels = cv2.connectedComponents((smooth > 110).astype(np.uint8))[1]
    small = np.flatnonzero(np.bincount(labels.ravel()) < 50)
    return np.where(np.isin(labels, small), 0, labels).astype(np.int32)


@pytest.fixture(scope="session")
def run_of_five(
    tmp_path_factory: pytest.TempPathFactory, coins: NDArray[np.uint8], labelled_coins: NDArray[np.int32], astronaut: NDArray[np.uint8]
) -> Path:
    """Five images in two groups: hostile names, two outputs, colour, no object at all, and one that failed."""
    ground, shade = ClassEntry(0, "ground", "background"), ClassEntry(1, "shade", "stuff")
    classes = ClassTable((ground, shade, ClassEntry(2, "light & <b>bright</b>", "stuff")))
    grey = astronaut.mean(axis=2)
    light = SemanticMap((grey > 90).astype(np.uint8) + (grey > 170), classes=classes)
    flipped = np.ascontiguousarray(coins[::-1]), np.ascontiguousarray(labelled_coins[::-1])
    shots = [
        Shot("plate1/<img src=x onerror=alert(1)>.png", coins, {"mask": InstanceMap(labelled_coins)}, "one",
             everything_explained(coins, labelled_coins)),
        Shot("plate1/<!--<script>alert(2).png", flipped[0], {"mask": InstanceMap(flipped[1] * 1000)}, "one",
             more={"warnings": ["</script><script>alert(3)</script> was assumed"]}),
        Shot("plate2/=colours.png", astronaut, {"mask": light, "bright": InstanceMap((grey > 240).astype(np.int32))}, "two"),
        Shot("plate2/empty.png", np.zeros((40, 30), np.uint8), {"mask": InstanceMap(np.zeros((40, 30), np.int32))}, "two"),
        Shot("plate2/broken.png", group="two",
             more={"error": "<img src=x onerror=alert(4)> is no image", "details": "Traceback </pre><script>"}),
    ]  # fmt: skip
    return write_run(tmp_path_factory.mktemp("five"), shots, group=r"(plate\d)", recipe_name="coins & <b>more</b>",
                     warnings=["<img src=x onerror=alert(5)>"])  # fmt: skip


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[[Path], Any]]:
    """Open a report, wait until an image is shown; afterwards, no error was told and nothing was fetched."""
    context = browser.new_context(viewport={"width": 1440, "height": 950})
    told: list[str] = []

    def open_one(path: Path, wait: str = "html[data-shown]") -> Any:
        page = context.new_page()
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("dialog", lambda dialog: told.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: told.append(f"request: {request.url}") if not request.url.startswith("data:") else None)
        page.goto(path.as_uri())
        page.wait_for_selector(wait, state="attached", timeout=20_000)
        told.remove(f"request: {path.as_uri()}")
        return page

    yield open_one
    context.close()
    assert told == []
