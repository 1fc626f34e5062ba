"""The textbook's encoder-decoder by the textbook's own settings, on CamVid's cars. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from microtome.learn.augment.randomness import generator
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.batches import Drawn
from microtome.learn.training.crew import Crew
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.precision import autocast, choose, prepared, tuned_memory
from microtome.losses.weighted_sum import weighted_sum
from microtome.networks import build
from microtome.targets.heads import Head

CAR = 8
HEAD = Head("car", ("car",), "sigmoid")


def main() -> None:
    """Train, print the loss as the document does, and write ``results/NAME.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batches", type=int, default=500)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bf16"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tuned_memory()
    images, truths = _pictures(options.side)
    order = generator(0).permutation(len(images))
    cut = int(0.8 * len(images))
    train, held = order[:cut], order[cut:]
    crew = Crew()
    precision = choose(crew.device, options.precision)
    sizes = f"{options.side} x {options.side}, batch {options.batch}, {precision.name}"
    print(f"{len(train)} pictures to learn from, {len(held)} held out, {sizes}")
    network = prepared(build("encoder_decoder", channels_in=3, outputs={"car": 1}, seed=0).to(crew.device), precision)
    print(f"{sum(p.numel() for p in network.parameters()):,} weights")
    objective = Dense(network, (HEAD,), {"car": weighted_sum("bce")})
    fitting = Fitting(
        options.batches, options.batches, {"adamw": {"rate": 1e-4, "weight_decay": 0.0}}, {"constant": {}}, clip=0.0, average=0.0
    )
    loop = Loop(objective, network, fitting, precision, crew, Path("unused"))
    began, lines = time.monotonic(), []
    for number in range(options.batches):
        chosen = generator(0, number + 1).choice(train, options.batch, replace=False)
        loss = loop.step(number, [Drawn(_tensors(images, truths, chosen, crew.device), ("CamVid",))])["total"]
        if number % options.every == 0 or number == options.batches - 1:
            network.eval()
            with torch.inference_mode(), autocast(precision):
                part = held[: 2 * options.batch]
                found = [objective.loss(_tensors(images, truths, some, crew.device)).total.item() for some in np.array_split(part, 2)]
            network.train()
            line = {"batch": number, "training loss": round(loss, 5), "validation loss": round(sum(found) / 2, 5)}
            print(", ".join(f"{name}: {value}" for name, value in line.items()), flush=True)
            lines.append({**line, "seconds": round(time.monotonic() - began, 1)})
    if options.out:
        told = {**vars(options), "out": options.out.name, "precision": precision.name, "lines": lines}
        options.out.write_text(json.dumps(told, indent=1) + "\n")


def _pictures(side: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All of CamVid's training pictures at this size, and where cars are: the nearest pixel's class."""
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds camvid (docs/data.md says where it comes from)")
    images, truths = [], []
    for sample in samples(find_dataset(Path(root) / "camvid", kind="semantic").part("train")):
        images.append(cv2.resize(sample.image.pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255)
        labels = cv2.resize(sample.truth.pixels.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
        truths.append((labels == CAR).astype(np.int64))
    return np.stack(images), np.stack(truths)


def _tensors(
    images: NDArray[np.float32], truths: NDArray[np.int64], chosen: NDArray[np.int64], device: torch.device
) -> dict[str, torch.Tensor]:
    return {
        "image": torch.from_numpy(images[chosen]).movedim(-1, 1).to(device),
        "car": torch.from_numpy(truths[chosen]).to(device),
    }


if __name__ == "__main__":
    main()
