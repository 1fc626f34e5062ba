"""Object metrics against StarDist, torchmetrics, scikit-image and pycocotools, in one run on the same objects.

About 500 discs on 1024 x 1024, of which 5 % were not found and the others are a few pixels off. Microtome's side is complete: from two
label maps to the ten thresholds of `match_counts`, panoptic quality and AJI. StarDist's is `matching` at the same ten thresholds, which
gives a panoptic quality too, and no AJI; once in one call for all thresholds, its quickest form, and once as a call each. torchmetrics
gives panoptic quality alone. COCO's average precision is of 1,000 images of 640 x 480 with 20 ellipses each in three classes: Microtome's
`Objects` with runs, pycocotools' COCO objects with run lengths, timed from `evaluate` to `summarize`.

The peers are not among the project's own packages. A peer that is not installed is named, and then no result is kept:

    python3 -m venv peers
    peers/bin/pip install -e . stardist==0.9.2 csbdeep torch==2.13.0 torchmetrics==1.9.0 pycocotools==2.0.11
    peers/bin/python benchmarks/bench_object_metrics.py [--size 1024] [--objects 500] [--images 1000] [--rounds 10]

A ratio below 1 means that Microtome took less time.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import math
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cv2
import numpy as np
from compare import Case, compare
from numpy.typing import NDArray
from record import record, versions
from skimage.metrics import contingency_table

from microtome.core.kernels.run_lengths import encode
from microtome.core.objects import Object, Objects
from microtome.measure.metrics.aji import aji
from microtome.measure.metrics.coco_ap import coco_ap
from microtome.measure.metrics.contingency import contingency
from microtome.measure.metrics.matching import THRESHOLDS, match_counts, overlaps
from microtome.measure.metrics.panoptic_quality import panoptic, panoptic_objects, pq

PEERS = {"stardist": "stardist", "torchmetrics": "torchmetrics", "torch": "torch", "pycocotools": "pycocotools"}
HEIGHT, WIDTH, EACH, CLASSES = 480, 640, 20, ("cell", "debris", "nucleus")

Labels = NDArray[np.int32]


def discs(size: int, count: int) -> tuple[Labels, Labels]:
    """The truth, and a prediction of it that is a little off and lacks one in twenty."""
    rng = np.random.default_rng(0)
    truth, pred = np.zeros((size, size), np.int32), np.zeros((size, size), np.int32)
    across = math.ceil(math.sqrt(count))
    cell = size / across
    for number in range(count):
        y, x = (number // across + 0.5) * cell, (number % across + 0.5) * cell
        radius = rng.uniform(0.26, 0.46) * cell
        cv2.circle(truth, (round(x), round(y)), round(radius), number + 1, -1)
        if rng.random() < 0.95:
            dy, dx = rng.normal(0, 0.06 * cell, 2)
            cv2.circle(pred, (round(x + dx), round(y + dy)), round(radius + rng.integers(-3, 4)), number + 1, -1)
    return pred, truth


def ours(pred: Labels, truth: Labels) -> tuple[NDArray[np.float64], float, float]:
    """All of it, from the maps on."""
    found = overlaps(pred, truth)
    return match_counts(found).ap, pq(panoptic_objects(found)), aji(found)


def label_cases(size: int, count: int) -> list[Case]:
    """Two label maps."""
    pred, truth = discs(size, count)
    name = f"10 thresholds + PQ + AJI, {len(np.unique(truth)) - 1} objects"

    def whole() -> Any:
        return ours(pred, truth)

    cases: list[Case] = [
        (f"contingency, {size} x {size}", "scikit-image", lambda: contingency(pred, truth), lambda: contingency_table(truth, pred))
    ]
    if there("stardist"):
        matching = importlib.import_module("stardist.matching").matching
        agree(whole()[0], [one.accuracy for one in matching(truth, pred, thresh=THRESHOLDS)], "StarDist's accuracy at ten thresholds")
        cases += [
            (name, "StarDist, one call", whole, lambda: matching(truth, pred, thresh=THRESHOLDS)),
            (name, "StarDist, ten calls", whole, lambda: [matching(truth, pred, thresh=threshold) for threshold in THRESHOLDS]),
        ]
    if there("torchmetrics") and there("torch"):
        torch = importlib.import_module("torch")
        quality = importlib.import_module("torchmetrics.detection").PanopticQuality
        sides = [torch.from_numpy(np.stack([side > 0, side], -1)[None].astype(np.int64)) for side in (pred, truth)]

        def theirs() -> float:
            return float(quality(things={1}, stuffs={0}, return_per_class=True)(*sides)[0, 0])

        agree([whole()[1]], [theirs()], "torchmetrics' panoptic quality")
        cases += [
            (name, "torchmetrics, PQ", whole, theirs),
            ("PQ alone", "torchmetrics", lambda: pq(panoptic(pred, truth)), theirs),
        ]
    return cases


def coco_case(images: int) -> list[Case]:
    """A set of images whose objects overlap."""
    if not there("pycocotools"):
        return []
    pairs = [scene(np.random.default_rng(number)) for number in range(images)]
    evaluate = pycocotools(pairs)
    found = coco_ap(pairs)
    agree([found.ap, found.ap_50, found.ar_100], evaluate()[[0, 1, 8]], "pycocotools' AP, AP50 and AR100")
    return [(f"COCO AP, {images} images of {EACH}", "pycocotools", lambda: coco_ap(pairs), evaluate)]


def scene(rng: np.random.Generator) -> tuple[Objects, Objects]:
    """Ellipses, and the same ones a little off with a score."""
    pred, truth = [], []
    for number in range(1, EACH + 1):
        centre, axes, angle = rng.integers(0, (WIDTH, HEIGHT)), rng.integers(8, 60, 2), int(rng.integers(0, 180))
        name = CLASSES[int(rng.integers(len(CLASSES)))]
        truth.append(Object(number, runs=encode(ellipse(centre, axes, angle)), class_name=name))
        off = ellipse(centre + rng.integers(-3, 4, 2), axes + rng.integers(-3, 4), angle)
        pred.append(Object(number, runs=encode(off), class_name=name, score=float(rng.random())))
    return Objects((HEIGHT, WIDTH), tuple(pred)), Objects((HEIGHT, WIDTH), tuple(truth))


def ellipse(centre: NDArray[np.int64], axes: NDArray[np.int64], angle: int) -> NDArray[np.uint8]:
    """One filled ellipse."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, tuple(map(int, centre)), tuple(map(int, axes)), angle, 0, 360, 1, -1)
    return mask


def pycocotools(pairs: list[tuple[Objects, Objects]]) -> Callable[[], Any]:
    """The same objects in pycocotools' form, with what of it is timed."""
    coco_module, result_module = importlib.import_module("pycocotools.coco"), importlib.import_module("pycocotools.cocoeval")
    coder = importlib.import_module("pycocotools.mask")

    def entry(item: Object, image: int) -> dict[str, Any]:
        runs = coder.frPyObjects({"size": [HEIGHT, WIDTH], "counts": item.runs.counts.tolist()}, HEIGHT, WIDTH) if item.runs else None
        return {"image_id": image, "category_id": CLASSES.index(item.class_name) + 1, "segmentation": runs}

    truth = [{**entry(item, image), "area": item.runs.area if item.runs else 0, "iscrowd": 0}
             for image, pair in enumerate(pairs) for item in pair[1].items]  # fmt: skip
    pred = [{**entry(item, image), "score": item.score} for image, pair in enumerate(pairs) for item in pair[0].items]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image, "height": HEIGHT, "width": WIDTH} for image in range(len(pairs))],
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)],
            "annotations": [{**one, "id": number} for number, one in enumerate(truth, 1)],
        }
        coco.createIndex()
        results = coco.loadRes(pred)

    def evaluate() -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            result = result_module.COCOeval(coco, results, "segm")
            result.evaluate()
            result.accumulate()
            result.summarize()
        return result.stats

    return evaluate


def agree(mine: Any, theirs: Any, what: str) -> None:
    """Times of two sides that do not give the same numbers say nothing."""
    np.testing.assert_allclose(mine, theirs, rtol=1e-6, err_msg=what)


def there(peer: str) -> bool:
    """Whether a peer is installed."""
    try:
        version(PEERS[peer])
    except PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Compare, print the table, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=1024)
    options.add_argument("--objects", type=int, default=500)
    options.add_argument("--images", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=10)
    chosen = options.parse_args()
    cases = [*label_cases(chosen.size, chosen.objects), *coco_case(chosen.images)]
    slow = ("torchmetrics", "torchmetrics, PQ", "pycocotools")  # seconds a call
    rows = [compare(case, min(chosen.rounds, 3) if case[1] in slow else chosen.rounds) for case in cases]
    print(f"{'':40} {'peer':20} {'ours ms':>9} {'peer ms':>9} {'ours/peer':>10} {'times':>6}")
    for row in rows:
        mine, peer = row["seconds"] * 1e3, row["peer_seconds"] * 1e3
        print(f"{row['case']:40} {row['peer']:20} {mine:9.2f} {peer:9.2f} {row['ratio']:10.3f} {1 / row['ratio']:5.0f}x")
    missing = [peer for peer in PEERS if not there(peer)]
    if missing:
        print(f"not installed, so not compared, and no result kept: {', '.join(missing)} (this file's first lines say how to install them)")
        return
    peers = {package: version(package) for package in PEERS.values()}
    record("object_metrics", {"size": chosen.size, "objects": chosen.objects, "images": chosen.images, "rounds": chosen.rounds,
                              "versions": {**versions(), **peers}, "rows": rows})  # fmt: skip


if __name__ == "__main__":
    main()
