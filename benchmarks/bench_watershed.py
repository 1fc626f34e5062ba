"""Splitting 10,000 touching discs on 4096 x 4096: threshold, distance, peaks, flood, against scikit-image and SciPy.

The discs lie in 5,000 touching pairs. Both sides get the same uint8 image and end with a label image. The peer is
`threshold_otsu`, `distance_transform_edt`, `peak_local_max` within the labelled mask, and `watershed`.

    python benchmarks/bench_watershed.py [--size 4096] [--rounds 5]
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np
from record import record, versions
from scipy import ndimage as ndi
from skimage import feature, filters, measure, segmentation

import microtome
from microtome.core.raster import Image, InstanceMap
from microtome.measure.metrics.evaluate import evaluate

MIN_DISTANCE = 7


def touching_discs(size: int, pairs: int) -> np.ndarray:
    """Pairs of discs that overlap by a few pixels, on a grid with jitter, bright on a dim, slightly noisy ground."""
    rng = np.random.default_rng(0)
    canvas = np.full((size, size), 40, np.uint8)
    across = int(np.ceil(np.sqrt(pairs)))
    cell = size / across
    for number in range(pairs):
        y, x = ((number // across + 0.5) * cell, (number % across + 0.5) * cell)
        angle = rng.uniform(0, np.pi)
        radius = rng.uniform(9, 12, 2)
        half = (radius.sum() - 3) / 2
        for side, r in zip((-1, 1), radius, strict=True):
            centre = (round(x + side * half * np.cos(angle)), round(y + side * half * np.sin(angle)))
            cv2.circle(canvas, centre, round(r), 180, -1)
    return np.clip(canvas + rng.normal(0, 5, canvas.shape), 0, 255).astype(np.uint8)


def ours(image: Image) -> np.ndarray:
    """Two steps."""
    return microtome.steps.split_touching(microtome.steps.otsu(image), min_distance=MIN_DISTANCE, h=0).pixels


def peer(pixels: np.ndarray) -> np.ndarray:
    """The same in scikit-image and SciPy."""
    mask = pixels > filters.threshold_otsu(pixels)
    distance = ndi.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, min_distance=MIN_DISTANCE, labels=measure.label(mask), exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(-distance, markers, mask=mask)


def peer_without_labels(pixels: np.ndarray) -> np.ndarray:
    """The peer's quicker form: peaks over the whole picture, not piece by piece."""
    mask = pixels > filters.threshold_otsu(pixels)
    distance = ndi.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, min_distance=MIN_DISTANCE, exclude_border=False)
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(-distance, markers, mask=mask)


def main() -> None:
    """Time all in turn; compare what they found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pixels = touching_discs(options.size, 5000 * options.size**2 // 4096**2)
    image = Image(pixels)
    sides = {
        "microtome": lambda: ours(image),
        "scikit-image": lambda: peer_without_labels(pixels),
        "scikit-image, by label": lambda: peer(pixels),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    found = {}
    ours(Image(pixels[:512, :512]))  # kernels are compiled once an installation
    for number in range(options.rounds):
        for name, work in sides.items():
            if name == "scikit-image, by label" and number:
                continue  # far slower; once is enough to see it
            start = time.perf_counter()
            found[name] = work()
            seconds[name].append(time.perf_counter() - start)
    best = {name: min(times) for name, times in seconds.items()}
    counts = {name: int(labels.max()) for name, labels in found.items()}
    agreement = evaluate(InstanceMap(found["microtome"]), InstanceMap(found["scikit-image"]), task="instance")["ap_90"]
    print(f"threshold, distance, peaks, flood: {options.size} x {options.size} (best of {options.rounds})")
    for name in sides:
        print(f"  {name:<24} {best[name]:7.3f} s   {counts[name]} objects   {best[name] / best['microtome']:6.1f}x")
    print(f"  ap_90 of ours against scikit-image's: {agreement:.4f}")
    record("watershed", {"size": options.size, "seconds": seconds, "objects": counts, "ap_90": agreement,
                         "ratio": best["scikit-image"] / best["microtome"], "versions": versions()})  # fmt: skip


if __name__ == "__main__":
    main()
