"""A data set small enough to learn in seconds: bright discs on a dark ground."""

from __future__ import annotations

import numpy as np

from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample

TINY = {"microtome": 1, "train": {
    "network": {"unet": {"depth": 2, "root": 4}}, "scale": 1.0, "window": [32, 32], "batch": 4, "augment": ["flips"], "workers": 0,
    "optimiser": {"adamw": {"rate": 0.01}}, "precision": "float32", "device": "cpu", "budget": {"steps": 12},
    "validation": {"every": 4, "pictures": 1}, "average": 0.5, "sampling": {"windows": 16},
}}  # fmt: skip


def recipe(**changes):
    return {"microtome": 1, "train": {**TINY["train"], **changes}}


def discs(seed, count=5, radius=5):
    """On a grid with some disorder: they come near each other, and some touch."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48]
    labels = np.zeros((48, 48), np.int32)
    for number, cell in enumerate(rng.permutation(9)[:count], 1):
        cy, cx = 16 * np.array(divmod(cell, 3)) + 8 + rng.integers(-3, 4, 2)
        labels[((y - cy) ** 2 + (x - cx) ** 2 <= radius**2) & (labels == 0)] = number
    pixels = np.where(labels > 0, 180, 30) + rng.normal(0, 12, labels.shape)
    return Image(pixels.clip(0, 255).astype(np.uint8)), InstanceMap(labels)


def samples(count=8, **options):
    made = []
    for number in range(count):
        image, truth = discs(number, **options)
        made.append(Sample(image, truth, group=f"plate {number}", name=f"image {number}"))
    return made


def semantic_samples(count=8):
    return [
        Sample(one.image, SemanticMap((one.truth.pixels > 0).astype(np.uint8)), group=one.group, name=one.name) for one in samples(count)
    ]
