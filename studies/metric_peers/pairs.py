"""What is compared: the catalogue's fixtures, random label maps, and real pictures of nuclei."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage import filters, measure

from microtome.io import read, read_mask

__all__ = ["Labels", "Pair", "fixtures", "random_maps", "real"]

REAL = 5

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Pair:
    """A prediction and its truth, as objects, with a class for every object and a score for every pixel."""

    name: str
    pred: Labels
    truth: Labels
    scores: NDArray[np.float64]

    def classes(self, side: Labels) -> Labels:
        """Background 0, and two classes of objects by their number."""
        return np.where(side > 0, 2 - side % 2, 0).astype(np.int32)


def boxes(shape: tuple[int, int], *corners: tuple[int, int, int, int]) -> Labels:
    """Objects 1, 2, ... from half-open boxes (top, bottom, left, right)."""
    labels = np.zeros(shape, np.int32)
    for number, (top, bottom, left, right) in enumerate(corners, 1):
        labels[top:bottom, left:right] = number
    return labels


def fixtures() -> Iterator[Pair]:
    """The catalogue's: six objects against five, and two squares."""
    truth = boxes((20, 20), (0, 6, 0, 6), (0, 6, 8, 14), (8, 14, 0, 6), (8, 14, 8, 14), (15, 19, 15, 19))
    pred = boxes((20, 20), (0, 6, 0, 6), (0, 6, 9, 14), (8, 14, 0, 3), (8, 14, 3, 6), (8, 14, 10, 18), (16, 18, 2, 6))
    rng = np.random.default_rng(0)
    yield Pair("fixture I", pred, truth, rng.random(truth.shape))
    yield Pair("fixture Q", boxes((12, 12), (2, 8, 2, 8)), boxes((12, 12), (3, 9, 4, 10)), rng.random((12, 12)))


def random_maps(count: int = 20) -> Iterator[Pair]:
    """Blocks of objects, with a third of the pixels redrawn in some of them, so that good and bad pairs occur."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        truth = np.kron(rng.permutation(30).reshape(5, 6) * (rng.random((5, 6)) < 0.7), np.ones((6, 7), int)).astype(np.int32)
        pred = np.roll(truth, rng.integers(-1, 2, 2), (0, 1))
        redrawn = (rng.random(truth.shape) < 0.35) & np.kron(rng.random((5, 6)) < 0.4, np.ones((6, 7), bool))
        pred = np.where(redrawn, rng.permutation(pred.ravel()).reshape(pred.shape), pred)
        yield Pair(f"random {seed}", pred, truth, np.clip(0.5 * (truth > 0) + rng.normal(0.25, 0.2, truth.shape), 0, 1))


def real() -> Iterator[Pair]:
    """Fluorescent nuclei of the 2018 Data Science Bowl, against Otsu's threshold and connected components."""
    root = Path(os.environ.get("MICROTOME_DATA", "")) / "dsb2018_nuclei" / "fluorescence" / "train"
    if not root.is_dir():
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    for path in sorted((root / "images").iterdir())[:REAL]:
        pixels = np.asarray(read(path).pixels, np.float64)
        grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=-1)
        pred = measure.label(grey > filters.threshold_otsu(grey)).astype(np.int32)
        truth = read_mask(root / "labels" / path.name).pixels.astype(np.int32)
        yield Pair(f"nuclei {path.stem[:6]}", pred, truth, grey / grey.max())
