"""Train on images of your own making, and follow what happens.

`train` takes any iterable of samples: an image with its truth. Here they are drawn; yours may come from a database or a camera. It gives
events, one after the other: what was chosen and why, how the loss falls, how well the held-out images are segmented, the model.

    python examples/train_in_python.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import microtome
from microtome.learn.training.events import Chosen, Finished, Planned, Stepped, Validated
from microtome.run.bundle import open_bundle


def discs(number: int) -> tuple[microtome.Image, microtome.InstanceMap]:
    """Six noisy discs and which pixel belongs to which."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[:64, :64]
    labels = np.zeros((64, 64), np.int32)
    for label, cell in enumerate(random.permutation(9)[:6], 1):
        row, column = 20 * np.array(divmod(cell, 3)) + 12 + random.integers(-4, 5, 2)
        labels[((y - row) ** 2 + (x - column) ** 2 <= 49) & (labels == 0)] = label
    pixels = np.where(labels > 0, 150, 40) + random.normal(0, 35, labels.shape)
    return microtome.Image(pixels.clip(0, 255).astype(np.uint8)), microtome.InstanceMap(labels)


def samples() -> Iterator[microtome.Sample]:
    """Twelve images, two of each of six plates: plates, not images, are held out."""
    for number in range(12):
        image, truth = discs(number)
        yield microtome.Sample(image, truth, group=f"plate {number // 2}", name=f"discs {number}")


folder = Path(sys.argv[1] if len(sys.argv) > 1 else "train-in-python")
recipe = {"microtome": 1, "train": {
    "network": {"unet": {"depth": 2, "root": 6}}, "scale": 1.0, "window": [64, 64], "batch": 4, "augment": ["flips"],
    "optimiser": {"adamw": {"rate": 0.01}}, "average": 0.9, "budget": {"steps": 40}, "validation": {"every": 20},
}}  # fmt: skip

for event in microtome.train(samples(), out=folder, recipe=recipe):
    match event:
        case Chosen():
            print(*(f"{choice.place}: {choice.reason}" for choice in event.choices if choice.reason != "as you said"), sep="\n")
        case Planned():
            print(f"{event.steps} steps")
        case Stepped() if event.step % 10 == 0:
            print(f"step {event.step:>3}  loss {event.loss:.3f}")
        case Validated():
            print(f"step {event.step:>3}  {event.metric} {event.score:.3f} on {len(event.images)} held-out images")
        case Finished():
            print(f"{event.bundle.name} scores {event.score:.3f} with the weights of step {event.step}")

image, truth = discs(99)
found = microtome.segment(image, open_bundle(event.bundle).recipe).mask
print(f"a new image: {len(found)} of {len(truth)} discs")
