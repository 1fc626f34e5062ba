"""A folder of 100 images of 1024 x 1024, from file to masks and table: Microtome against the same steps in scikit-image.

Both sides use two processes, read the same PNG files, write a 16-bit label PNG for each image and one CSV table.
The peer is written as a careful user would: ndimage's Gaussian and hole filling, `threshold_otsu`,
`distance_transform_edt`, `peak_local_max`, `watershed`, `remove_small_objects`, `regionprops_table`.

    python benchmarks/bench_folder.py [--images 100] [--size 1024] [--rounds 3]
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import record, versions

STEPS = ("gaussian:sigma=1", "otsu", "fill_holes", "split_touching:min_distance=7,h=0", "drop_small:min_area=30")
COLUMNS = ("area", "mean_intensity", "centroid", "box")


def discs(size: int, seed: int) -> np.ndarray:
    """Blurred discs on a dim ground, some touching; about one for every 1,200 pixels."""
    import cv2

    rng = np.random.default_rng(seed)
    canvas = np.full((size, size), 30, np.uint8)
    for _ in range(size * size // 1200):
        y, x = rng.integers(0, size, 2)
        cv2.circle(canvas, (int(x), int(y)), int(rng.integers(6, 12)), int(rng.integers(120, 230)), -1)
    noise = rng.normal(0, 6, canvas.shape)
    return np.clip(cv2.GaussianBlur(canvas, (0, 0), 1.5) + noise, 0, 255).astype(np.uint8)


def peer_image(paths: tuple[Path, Path]) -> list[dict[str, float]]:
    """One image in scikit-image and SciPy."""
    import warnings

    from scipy import ndimage as ndi
    from skimage import feature, filters, io, measure, morphology, segmentation

    source, target = paths
    image = io.imread(source)
    smooth = filters.gaussian(image, 1, preserve_range=True)
    mask = ndi.binary_fill_holes(smooth > filters.threshold_otsu(smooth))
    distance = ndi.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, min_distance=7, labels=measure.label(mask), exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = segmentation.watershed(-distance, markers, mask=mask)
    labels = morphology.remove_small_objects(labels, max_size=29)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        io.imsave(target, labels.astype(np.uint16), check_contrast=False)
    table = measure.regionprops_table(labels, image, properties=("label", "area", "mean_intensity", "centroid", "bbox"))
    return [{"image": source.name, **dict(zip(table, row, strict=True))} for row in zip(*table.values(), strict=True)]


def run_peer(folder: Path, out: Path) -> int:
    """All images on two processes, then one CSV."""
    (out / "masks").mkdir(parents=True)
    pairs = [(path, out / "masks" / path.name) for path in sorted(folder.glob("*.png"))]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        rows = [row for rows in pool.imap(peer_image, pairs) for row in rows]
    with (out / "objects.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def run_ours(folder: Path, out: Path) -> int:
    """The command line, as a user types it, on two processes."""
    steps = [part for step in STEPS for part in ("--step", step)]
    command = [sys.executable, "-m", "microtome.app.cli.main", "segment", str(folder), *steps, "--measure", ",".join(COLUMNS),
               "--out", str(out), "--executor", "processes", "--workers", "2", "--quiet"]  # fmt: skip
    subprocess.run(command, check=True)
    with (out / "objects.csv").open() as file:
        return sum(1 for _ in file) - 1


def main() -> None:
    """Time both in turn and keep the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import cv2

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "images"
        folder.mkdir()
        for number in range(options.images):
            cv2.imwrite(str(folder / f"{number:03}.png"), discs(options.size, number))
        seconds: dict[str, list[float]] = {"microtome": [], "scikit-image": []}
        objects = {}
        for _ in range(options.rounds):
            for name, work in (("microtome", run_ours), ("scikit-image", run_peer)):
                out = Path(scratch) / name
                shutil.rmtree(out, ignore_errors=True)
                start = time.perf_counter()
                objects[name] = work(folder, out)
                seconds[name].append(time.perf_counter() - start)
    best = {name: min(times) for name, times in seconds.items()}
    print(f"{options.images} images of {options.size} x {options.size}, file to table, two processes (best of {options.rounds})")
    for name in best:
        print(f"  {name:<14} {best[name]:7.2f} s   {objects[name]} objects")
    ratio = best["scikit-image"] / best["microtome"]
    print(f"  ratio          {ratio:7.2f}x")
    record(
        "folder",
        {"images": options.images, "size": options.size, "seconds": seconds, "objects": objects, "ratio": ratio, "versions": versions()},
    )


if __name__ == "__main__":
    main()
