"""Peak memory of one 8192 x 8192 image through the `nuclei` recipe, against the same steps in scikit-image.

Each side runs in a process of its own that reads the file, segments, measures and writes the mask (the recipe's joining
of parts by their neck has no counterpart there and is left out); the operating system says what its largest resident
size was. An empty process with the same imports is the zero line.

    python benchmarks/bench_memory.py [--size 8192]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_folder import discs
from record import record, versions

PEER = """
import sys, warnings
import numpy as np
from scipy import ndimage as ndi
from skimage import exposure, feature, filters, io, measure, morphology, segmentation
source, target = sys.argv[1:]
image = io.imread(source)
low, high = np.percentile(image, (1, 99))
image01 = exposure.adjust_gamma(exposure.rescale_intensity(image, in_range=(low, high), out_range=(0.0, 1.0)), 0.8)
smooth = filters.gaussian(image01, 0.5, preserve_range=True)
mask = ndi.binary_fill_holes(smooth > filters.threshold_otsu(smooth))
distance = ndi.distance_transform_edt(mask)
peaks = feature.peak_local_max(distance, min_distance=5, labels=measure.label(mask), exclude_border=False)
markers = np.zeros(mask.shape, np.int32)
markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
labels = morphology.remove_small_objects(segmentation.watershed(-distance, markers, mask=mask), max_size=29)
table = measure.regionprops_table(labels, image, properties=("label", "area", "mean_intensity", "centroid", "bbox"))
io.imsave(target, labels.astype(np.uint32), check_contrast=False)
"""

EMPTY = {
    "microtome": "import microtome.run.pipeline, microtome.measure.regions, cv2, numba, edt",
    "scikit-image": PEER.split("source, target")[0],
}


def peak(command: list[str]) -> int:
    """The largest resident size of a command's process and its children, in bytes."""
    measured = subprocess.run(
        [sys.executable, "-c", "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:]);"
         "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)", *command],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(measured.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure both and keep the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=8192)
    options = parser.parse_args()
    import cv2

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "large.png"
        cv2.imwrite(str(source), discs(options.size, 0))
        ours = [sys.executable, "-m", "microtome.app.cli.main", "segment", str(source), "--recipe", "nuclei",
                "--measure", "area,mean_intensity,centroid,box", "--out", f"{scratch}/out", "--quiet"]  # fmt: skip
        peers = [sys.executable, "-c", PEER, str(source), f"{scratch}/labels.tif"]
        peaks = {"microtome": peak(ours), "scikit-image": peak(peers)}
        zero = {name: peak([sys.executable, "-c", code]) for name, code in EMPTY.items()}
    print(f"peak memory, one {options.size} x {options.size} uint8 image through the nuclei recipe")
    for name in peaks:
        print(f"  {name:<14} {peaks[name] / 2**20:8.0f} MiB   (imports alone {zero[name] / 2**20:.0f} MiB)")
    ratio = peaks["microtome"] / peaks["scikit-image"]
    print(f"  ratio          {ratio:8.2f}")
    record("memory", {"size": options.size, "peak_bytes": peaks, "imports_bytes": zero, "ratio": ratio, "versions": versions()})


if __name__ == "__main__":
    main()
