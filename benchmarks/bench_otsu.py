"""Otsu's threshold and k-means against OpenCV, scikit-image and scikit-learn, in one run on the same arrays.

Microtome's side is the complete call of the step on an image never seen before: checks, histogram, threshold and mask.
OpenCV's is `threshold(..., THRESH_OTSU)`, which makes its mask too; scikit-image's is `threshold_otsu` alone. k-means
takes as many restarts on both sides. A ratio below 1 means that Microtome took less time.

    python benchmarks/bench_otsu.py [--size 8192] [--rounds 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from compare import Case, compare
from numpy.typing import NDArray
from record import record, versions
from skimage import data, filters
from sklearn.cluster import KMeans

from microtome.core.raster import Image
from microtome.methods.segment.kmeans import kmeans
from microtome.methods.segment.otsu import otsu


def picture(size: int, dtype: Any) -> NDArray[Any]:
    """The camera man, tiled to the size; beyond 8 bits, with noise in the lower ones."""
    small = data.camera()
    repeats = -(-size // small.shape[0])
    eight = np.tile(small, (repeats, repeats))[:size, :size].copy()
    if dtype is np.uint8:
        return eight
    noise = np.random.default_rng(0).integers(0, 256, eight.shape, dtype=np.uint16)
    sixteen = eight * np.uint16(256) + noise
    return sixteen if dtype is np.uint16 else (sixteen / np.float32(65535)).astype(np.float32)


def cases(size: int) -> list[Case]:
    """What is compared: a name, the peer, our call and the peer's."""
    eight, sixteen, floats = (picture(size, dtype) for dtype in (np.uint8, np.uint16, np.float32))
    photo = cv2.resize(data.astronaut(), (1024, 1024), interpolation=cv2.INTER_CUBIC)
    points = photo.reshape(-1, 3).astype(np.float32)

    def ours(restarts: int) -> Callable[[], Any]:
        return lambda: kmeans(Image(photo, axes="yxc"), classes=5, restarts=restarts)

    def theirs(restarts: int) -> Callable[[], Any]:
        return lambda: KMeans(5, n_init=restarts, random_state=0).fit(points)

    return [
        ("otsu uint8", "OpenCV", lambda: otsu(Image(eight)), lambda: cv2.threshold(eight, 0, 1, cv2.THRESH_OTSU)),
        ("otsu uint8", "scikit-image", lambda: otsu(Image(eight)), lambda: filters.threshold_otsu(eight)),
        ("otsu uint16", "scikit-image", lambda: otsu(Image(sixteen)), lambda: filters.threshold_otsu(sixteen)),
        ("otsu float32", "scikit-image", lambda: otsu(Image(floats)), lambda: filters.threshold_otsu(floats)),
        ("kmeans 5 colours, 1 start", "scikit-learn", ours(1), theirs(1)),
        ("kmeans 5 colours, 10 starts", "scikit-learn", ours(10), theirs(10)),
    ]


def main() -> None:
    """Compare, print the table, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=8192)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    rows = [compare(case, min(chosen.rounds, 2) if "10 starts" in case[0] else chosen.rounds) for case in cases(chosen.size)]
    print(f"{'':30} {'peer':14} {'ours ms':>9} {'peer ms':>9} {'ours/peer':>10}")
    for row in rows:
        print(f"{row['case']:30} {row['peer']:14} {row['seconds'] * 1e3:9.1f} {row['peer_seconds'] * 1e3:9.1f} {row['ratio']:10.2f}")
    record("otsu", {"size": chosen.size, "rounds": chosen.rounds, "versions": versions(), "rows": rows})


if __name__ == "__main__":
    main()
