"""Reading image files: milliseconds for 1024 x 1024, against Pillow, OpenCV and tifffile on the same files.

Run: python benchmarks/bench_reading.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image as Pil
from record import record, versions
from skimage import data

from microtome.io.images import read

ROUNDS = 25


def pictures() -> dict[str, np.ndarray[Any, Any]]:
    """A smooth picture, a noisy one, one of 16 bits and one in colour."""
    rng = np.random.default_rng(0)
    smooth = np.tile(data.camera(), (2, 2))
    noisy = np.clip(smooth.astype(int) + rng.integers(-6, 7, smooth.shape), 0, 255).astype(np.uint8)
    deep = noisy.astype(np.uint16) * 257 ^ rng.integers(0, 200, noisy.shape).astype(np.uint16)
    return {"smooth": smooth, "noisy": noisy, "16 bits": deep, "colour": np.dstack([smooth, noisy, smooth.T])}


def files(folder: Path, name: str, pixels: np.ndarray[Any, Any]) -> dict[str, Path]:
    """The picture as PNG by two writers and as TIFF with three compressions."""
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    made = {}
    if pixels.dtype == np.uint8:
        made["PNG by Pillow"] = folder / f"{name} p.png"
        Pil.fromarray(pixels).save(made["PNG by Pillow"])
    made["PNG by OpenCV"] = folder / f"{name} c.png"
    cv2.imwrite(str(made["PNG by OpenCV"]), bgr)
    for compression in (None, "lzw", "zlib"):
        made[f"TIFF {compression or 'plain'}"] = folder / f"{name} {compression}.tif"
        photometric = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(made[f"TIFF {compression or 'plain'}"], pixels, compression=compression, photometric=photometric)
    return made


def best(readers: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The least time of each, in milliseconds, taken in turns so that a busy machine troubles all alike."""
    least = dict.fromkeys(readers, float("inf"))
    for _ in range(ROUNDS):
        for name, reader in readers.items():
            start = time.perf_counter()
            reader()
            least[name] = min(least[name], 1000 * (time.perf_counter() - start))
    return least


def main() -> None:
    """Print one table and keep it as JSON."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, pixels in pictures().items():
            for kind, path in files(Path(folder), name, pixels).items():
                text = str(path)
                readers: dict[str, Callable[[], Any]] = {
                    "microtome": lambda p=path: read(p),
                    "pillow": lambda p=text: np.asarray(Pil.open(p)),
                    "opencv": lambda p=text: cv2.imread(p, cv2.IMREAD_UNCHANGED),
                }
                if path.suffix == ".tif":
                    readers["tifffile"] = lambda p=text: tifffile.imread(p)
                np.testing.assert_array_equal(read(path).pixels, pixels)
                rows.append({"picture": name, "file": kind, "ms": best(readers)})
    print(f"{'picture':10} {'file':14} {'microtome':>10}   times slower: pillow  opencv  tifffile")
    for row in rows:
        ours = row["ms"]["microtome"]
        ratios = "  ".join(f"{row['ms'].get(peer, float('nan')) / ours:6.2f}" for peer in ("pillow", "opencv", "tifffile"))
        print(f"{row['picture']:10} {row['file']:14} {ours:7.2f} ms   {'':13} {ratios}")
    codecs = {name: version(name) for name in ("pillow", "tifffile", "imagecodecs")}
    record("reading", {"size": [1024, 1024], "rows": rows, "versions": versions() | codecs})


if __name__ == "__main__":
    main()
