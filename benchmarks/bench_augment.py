"""Augmentation a core against Albumentations, in one run on the same image.

A picture of 512 x 512 x 3, uint8, with its mask: flips, affine (any turn, scale 0.7 to 1.4, shear 5 degrees), elastic deformation, gain,
bias, gamma, contrast and Gaussian noise, each with new random numbers at every call. Albumentations has the same steps, done one after
the other; its elastic field is smoothed noise: once with its default (sigma 50, which is about as smooth as the U-Net's 3 x 3 grid), once
with sigma 10, which costs it less and bends more finely, once with its `approximate`, and once its GridDistortion in place of it, which
is no smooth field but its cheapest. Both sides use one thread. A call is eight samples; seconds are of one call.

Albumentations is not among the project's own packages. Where it is not installed it is named, and then no result is kept:

    python3 -m venv peers
    peers/bin/pip install -e . albumentations==2.0.8
    NO_ALBUMENTATIONS_UPDATE=1 peers/bin/python benchmarks/bench_augment.py [--size 512] [--rounds 10]

A ratio below 1 means that Microtome took less time.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import Any

import cv2
import numpy as np
from compare import Case, compare
from record import record, versions

from microtome.core.kernels.bands import set_threads
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.example import Example
from microtome.learn.augment.randomness import generator

SAMPLES = 8
GEOMETRY = ["flips", "affine", "elastic"]
VALUES = ["gain", "bias", "gamma", "contrast"]


def picture(size: int) -> Example:
    """Soft blobs and noise, with a mask."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (size, size, 3)).astype(np.uint8), (0, 0), 3)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    return Example(image, classes=(image[..., 0] > 128).astype(np.uint8), span=(0.0, 255.0))


def ours(example: Example, steps: list[Any]) -> Callable[[], Any]:
    """Eight samples by a chain."""
    chain, numbers = chain_of(steps), count()

    def call() -> Any:
        return [apply(chain.draw(generator(0, 0, next(numbers)), example.frame), example) for _ in range(SAMPLES)]

    return call


def theirs(example: Example, steps: list[Any]) -> Callable[[], Any]:
    """Eight samples by Albumentations."""
    composed = importlib.import_module("albumentations").Compose(steps)

    def call() -> Any:
        return [composed(image=example.image, mask=example.classes) for _ in range(SAMPLES)]

    return call


def cases(size: int) -> list[Case]:
    """What is compared."""
    a = importlib.import_module("albumentations")
    example = picture(size)
    flips = [a.SquareSymmetry(p=1)]
    affine = [a.Affine(scale=(0.7, 1.4), rotate=(-180, 180), shear=(-5, 5), border_mode=cv2.BORDER_REFLECT_101, p=1)]
    values = [a.RandomBrightnessContrast(p=1), a.RandomGamma(gamma_limit=(70, 150), p=1)]
    noise = [a.GaussNoise(std_range=(0.0, 0.1), p=1)]
    elastic = {
        "elastic, sigma 50": a.ElasticTransform(alpha=300, sigma=50, border_mode=cv2.BORDER_REFLECT_101, p=1),
        "elastic, sigma 10": a.ElasticTransform(alpha=60, sigma=10, border_mode=cv2.BORDER_REFLECT_101, p=1),
        "elastic, approximate": a.ElasticTransform(alpha=300, sigma=50, approximate=True, border_mode=cv2.BORDER_REFLECT_101, p=1),
        "GridDistortion": a.GridDistortion(border_mode=cv2.BORDER_REFLECT_101, p=1),
    }
    everything = ours(example, [*GEOMETRY, *VALUES, "gaussian_noise"])
    return [
        *(("all", name, everything, theirs(example, [*flips, *affine, step, *values, *noise])) for name, step in elastic.items()),
        (
            "flips, affine, elastic",
            "elastic, sigma 10",
            ours(example, GEOMETRY),
            theirs(example, [*flips, *affine, elastic["elastic, sigma 10"]]),
        ),
        ("affine", "Affine", ours(example, ["affine"]), theirs(example, affine)),
        ("values and noise", "brightness, gamma, noise", ours(example, [*VALUES, "gaussian_noise"]), theirs(example, [*values, *noise])),
    ]


def main() -> None:
    """Compare, print the table, keep the numbers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=512)
    options.add_argument("--rounds", type=int, default=10)
    chosen = options.parse_args()
    set_threads(1)
    cv2.setNumThreads(1)
    try:
        peer = version("albumentations")
    except PackageNotFoundError:
        alone = ours(picture(chosen.size), [*GEOMETRY, *VALUES, "gaussian_noise"])
        row = compare(("all", "", alone, lambda: None), chosen.rounds)
        print(f"all: {SAMPLES / row['seconds']:.0f} samples a second on one core")
        print("not installed, so not compared, and no result kept: albumentations (this file's first lines say how to install it)")
        return
    rows = [compare(case, chosen.rounds) for case in cases(chosen.size)]
    print(f"{'':24} {'Albumentations':26} {'ours ms':>8} {'peer ms':>8} {'ours/peer':>10} {'times':>6}")
    for row in rows:
        mine, other = row["seconds"] * 1e3 / SAMPLES, row["peer_seconds"] * 1e3 / SAMPLES
        print(f"{row['case']:24} {row['peer']:26} {mine:8.2f} {other:8.2f} {row['ratio']:10.3f} {1 / row['ratio']:5.1f}x")
    record("augment", {"size": chosen.size, "samples": SAMPLES, "rounds": chosen.rounds,
                       "versions": {**versions(), "albumentations": peer}, "rows": rows})  # fmt: skip


if __name__ == "__main__":
    main()
