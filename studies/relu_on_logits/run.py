"""The small U-Net of tf_unet on ISBI 2012, with the ReLU on its logits and without. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from microtome.learn.augment.randomness import generator
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.batches import Drawn
from microtome.learn.training.crew import Crew
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.precision import Precision, autocast, choose, prepared, tuned_memory
from microtome.losses.weighted_sum import weighted_sum
from microtome.networks import build
from microtome.networks.network import Network
from microtome.targets.heads import Head

MARGIN = 20  # what the network's valid convolutions cut off on each side
CLASSES = Head("classes", ("membrane", "interior"), "softmax")


def main() -> None:
    """Train both networks from the same first weights on the same windows, for each seed, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--side", type=int, default=92)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tuned_memory()
    pixels, truths = _sections()
    runs = []
    for seed in range(options.seeds):
        for relu in (True, False):
            print(f"seed {seed}, {'ReLU on the logits' if relu else 'logits as they are'}", flush=True)
            runs.append({"seed": seed, "relu_on_logits": relu, "lines": _trained(pixels, truths, relu, seed, options)})
    if options.out:
        told = {**vars(options), "out": options.out.name, "runs": runs}
        options.out.write_text(json.dumps(told, indent=1) + "\n")


def _sections() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The 20 sections of train between 0 and 1, and 1 where they are interior."""
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds isbi2012 (docs/data.md says where it comes from)")
    sections = list(samples(find_dataset(Path(root) / "isbi2012", kind="semantic").part("train")))
    pixels = np.stack([one.image.pixels.squeeze() for one in sections]).astype(np.float32) / 255
    return pixels, np.stack([one.truth.pixels > 0 for one in sections]).astype(np.int64)


def _trained(
    pixels: NDArray[np.float32], truths: NDArray[np.int64], relu: bool, seed: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Sections 0 to 15 are learnt from, 16 to 19 are looked at."""
    learnt, crew = np.arange(16), Crew()
    precision = choose(crew.device, "auto")
    network = build("tf_unet", channels_in=1, outputs={"classes": 2}, seed=seed, depth=3, root=8, dropout=0.4, relu_on_logits=relu)
    network = prepared(network.to(crew.device), precision)
    objective = Dense(network, (CLASSES,), {"classes": weighted_sum("cross_entropy")})
    adam = {"adamw": {"rate": options.rate, "weight_decay": 0.0}}
    loop = Loop(
        objective,
        network,
        Fitting(options.steps, options.steps, adam, {"constant": {}}, clip=0.0, average=0.0),
        precision,
        crew,
        Path("unused"),
    )
    lines = [_looked_at(network, precision, pixels[16:], truths[16:], 0)]
    for number in range(options.steps):
        draw = generator(seed, number + 1)
        chosen = draw.choice(learnt, options.batch, replace=False)
        batch = _windows(pixels, truths, chosen, draw.integers(0, 512 - options.side + 1, (options.batch, 2)), options.side)
        loop.step(number, [Drawn({name: tensor.to(crew.device) for name, tensor in batch.items()}, ("ISBI 2012",))])
        if (number + 1) % options.every == 0 or number + 1 == options.steps:
            lines.append(_looked_at(network, precision, pixels[16:], truths[16:], number + 1))
            print("  ", ", ".join(f"{name}: {value}" for name, value in lines[-1].items()), flush=True)
    return lines


def _windows(
    pixels: NDArray[np.float32], truths: NDArray[np.int64], chosen: NDArray[np.int64], corners: NDArray[np.int64], side: int
) -> dict[str, Tensor]:
    cuts = [(one, slice(y, y + side), slice(x, x + side)) for one, (y, x) in zip(chosen, corners, strict=True)]
    inner = slice(MARGIN, side - MARGIN)
    return {
        "image": torch.from_numpy(np.stack([pixels[cut][None] for cut in cuts])),
        "classes": torch.from_numpy(np.stack([truths[cut][inner, inner] for cut in cuts])),
    }


def _looked_at(network: Network, precision: Precision, pixels: NDArray[np.float32], truths: NDArray[np.int64], step: int) -> dict[str, Any]:
    """Loss, pixel error, and in what share of pixels no class, or not the true one, is pulled by the loss."""
    network.eval()
    with torch.inference_mode(), autocast(precision):
        logits = network(torch.from_numpy(pixels[:, None]))["classes"].float()
    network.train()
    truth = torch.from_numpy(truths[:, MARGIN:-MARGIN, MARGIN:-MARGIN])
    dead = logits <= 0 if getattr(network, "relu_on_logits", False) else torch.zeros_like(logits, dtype=torch.bool)
    return {
        "step": step,
        "loss": round(torch.nn.functional.cross_entropy(logits, truth).item(), 4),
        "pixel error": round((logits.argmax(1) != truth).float().mean().item(), 4),
        "true class without gradient": round(dead.gather(1, truth[:, None]).float().mean().item(), 4),
        "no gradient at all": round(dead.all(1).float().mean().item(), 4),
    }


if __name__ == "__main__":
    main()
