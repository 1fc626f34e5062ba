"""The table of regions against scikit-image and connected-components-3d, in one run on the same arrays.

Thousands of blurred discs of several sizes, found by a threshold and numbered. Each side measures the same properties:
`short` is label, area, centroid, box and mean; `full` is what Microtome measures by default; `shared` is every property that both
know (of the moments, each side gives those it has). Microtome's side is the complete call on a mask never seen before.
connected-components-3d counts, boxes and centres, and reads no image. A ratio below 1 means that Microtome took less time;
`full` and `shared` take scikit-image so long that they are run on a quarter.

    python benchmarks/bench_regions.py [--size 4096] [--rounds 5]
"""

from __future__ import annotations

import argparse
from typing import Any

import cc3d
import cv2
import numpy as np
from compare import Case, compare
from numpy.typing import NDArray
from record import record, versions
from skimage.measure import regionprops_table

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import DEFAULT, measure

SHORT = ("area", "centroid", "box", "mean_intensity")
PEER_SHORT = ("label", "area", "centroid", "bbox", "intensity_mean")
PEER_FULL = (*PEER_SHORT, "equivalent_diameter_area", "perimeter_crofton", "axis_major_length", "axis_minor_length", "eccentricity",
             "orientation", "intensity_std", "intensity_min", "intensity_max")  # fmt: skip
SHARED = (*DEFAULT, "extent", "convex_area", "solidity", "feret_max", "euler", "central_moments", "normalised_moments", "hu_moments",
          "inertia", "median_intensity", "weighted_centroid")  # fmt: skip
PEER_SHARED = (*PEER_FULL, "extent", "area_convex", "solidity", "feret_diameter_max", "euler_number", "moments_central",
               "moments_normalized", "moments_hu", "inertia_tensor_eigvals", "intensity_median", "centroid_weighted")  # fmt: skip


def discs(size: int, pitch: int = 35) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """A picture of blurred discs, a few of which touch, and their numbers."""
    rng = np.random.default_rng(0)
    picture = np.full((size, size), 20, np.uint8)
    for y in range(pitch // 2, size - pitch // 2, pitch):
        for x in range(pitch // 2, size - pitch // 2, pitch):
            dy, dx = rng.integers(-6, 7, 2).tolist()
            cv2.circle(picture, (x + dx, y + dy), int(rng.integers(8, 14)), int(rng.integers(120, 230)), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 1)
    _, labels = cv2.connectedComponents((picture > 70).astype(np.uint8), connectivity=4)
    return picture, labels


def cases(size: int) -> list[Case]:
    """What is compared: a name, the peer, our call and the peer's."""
    picture, labels = discs(size)
    small, few = discs(size // 2)

    def short() -> Any:
        return measure(InstanceMap(labels), Image(picture), SHORT)

    return [
        (f"short, {labels.max()} objects", "scikit-image", short, lambda: regionprops_table(labels, picture, properties=PEER_SHORT)),
        (f"short, {labels.max()} objects", "cc3d, no image", short, lambda: cc3d.statistics(labels)),
        (f"full, {few.max()} objects", "scikit-image", lambda: measure(InstanceMap(few), Image(small)),
         lambda: regionprops_table(few, small, properties=PEER_FULL)),
        (f"shared, {few.max()} objects", "scikit-image", lambda: measure(InstanceMap(few), Image(small), SHARED),
         lambda: regionprops_table(few, small, properties=PEER_SHARED)),
    ]  # fmt: skip


def main() -> None:
    """Compare, print the table, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=4096)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    rows = [compare(case, chosen.rounds) for case in cases(chosen.size)]
    print(f"{'':22} {'peer':14} {'ours ms':>9} {'peer ms':>9} {'ours/peer':>10} {'times':>6}")
    for row in rows:
        ours, peer = row["seconds"] * 1e3, row["peer_seconds"] * 1e3
        print(f"{row['case']:22} {row['peer']:14} {ours:9.1f} {peer:9.1f} {row['ratio']:10.3f} {1 / row['ratio']:5.0f}x")
    record("regions", {"size": chosen.size, "rounds": chosen.rounds, "versions": versions(), "rows": rows})


if __name__ == "__main__":
    main()
