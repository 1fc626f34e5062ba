"""The U-Net of 1,941,105 weights often shown for nuclei, by the settings it is shown with. See README.md beside this file."""

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

from microtome.core.classes import ClassTable
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.regrid import nearest
from microtome.learn.augment.randomness import generator
from microtome.learn.data.dataset import Dataset
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import samples
from microtome.learn.data.split import folds
from microtome.learn.objectives.dense import Dense
from microtome.learn.training.batches import Drawn
from microtome.learn.training.crew import Crew
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.precision import Precision, autocast, choose, prepared, tuned_memory
from microtome.losses.weighted_sum import weighted_sum
from microtome.measure.metrics.evaluate import evaluate
from microtome.methods.segment.connected_components import connected_components
from microtome.networks import build
from microtome.targets.heads import Head

SIDE = 256
HEAD = Head("foreground", ("foreground",), "sigmoid")
NETWORK = {"root": 16, "norm": "none", "activation": "elu", "dropout": (0.1, 0.1, 0.2, 0.2, 0.3)}
NUCLEUS = ClassTable.binary("nucleus")


def main() -> None:
    """Train on four fifths of train, score the fifth, and write ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tuned_memory()
    learned, held = _parts()
    images, truths = _arrays(learned)
    crew = Crew()
    precision = choose(crew.device, "auto")
    network = prepared(build("unet", channels_in=3, outputs={"foreground": 1}, seed=0, **NETWORK).to(crew.device), precision)
    weights = sum(p.numel() for p in network.parameters())
    print(f"{weights:,} weights; {len(images)} pictures to learn from, {sum(map(len, held.values()))} held out; {precision.name}")
    objective = Dense(network, (HEAD,), {"foreground": weighted_sum("bce")})
    adam = {"adamw": {"rate": options.rate, "weight_decay": 0.0}}
    fitting = Fitting(options.steps, options.steps, adam, {"constant": {}}, clip=0.0, average=0.0)
    loop = Loop(objective, network, fitting, precision, crew, Path("unused"))
    began, lines = time.monotonic(), []
    for number in range(options.steps):
        chosen = generator(0, number + 1).choice(len(images), options.batch, replace=False)
        batch = {"image": _tensor(images[chosen], crew.device), "foreground": torch.from_numpy(truths[chosen]).to(crew.device)}
        loss = loop.step(number, [Drawn(batch, ("nuclei",))])["total"]
        if number % options.every == 0 or number == options.steps - 1:
            lines.append({"step": number, "loss": round(loss, 5), "seconds": round(time.monotonic() - began, 1)})
            print(lines[-1], flush=True)
    network.eval()
    scores = {kind: _scores(objective, part, precision, crew.device) for kind, part in held.items()}
    print(scores)
    if options.out:
        told = {**vars(options), "out": options.out.name, "precision": precision.name, "weights": weights, "lines": lines, "scores": scores}
        options.out.write_text(json.dumps(told, indent=1) + "\n")


def _parts() -> tuple[list[Dataset], dict[str, Dataset]]:
    """Four fifths of the groups of each kind of picture, and the fifth."""
    root = os.environ.get("MICROTOME_DATA")
    if not root:
        sys.exit("set MICROTOME_DATA to the folder that holds dsb2018_nuclei (docs/data.md says where it comes from)")
    learned, held = [], {}
    for kind in ("fluorescence", "histology"):
        place = Path(root) / "dsb2018_nuclei"
        data = find_dataset(place / kind, kind="instance", manifest=place / "manifest.csv").part("train")
        first, held[kind] = folds(data, 5, seed=0)[0]
        learned.append(first)
    return learned, held


def _arrays(parts: list[Dataset]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images, truths = [], []
    for part in parts:
        for sample in samples(part):
            images.append(_picture(sample.image.pixels))
            truths.append((nearest(sample.truth.pixels, (SIDE, SIDE)) > 0).astype(np.int64))
    return np.stack(images), np.stack(truths)


def _picture(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """256 x 256, three channels: grey is told three times."""
    small = cv2.resize(np.squeeze(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.repeat(small[..., None], 3, axis=-1) if small.ndim == 2 else small[..., :3]


def _tensor(images: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(images.astype(np.float32) / 255).movedim(-1, 1).to(device)


def _scores(objective: Dense, part: Dataset, precision: Precision, device: torch.device) -> dict[str, float]:
    """At 256 x 256: the pooled IoU of foreground, and ap_50 with each connected piece taken for a nucleus, averaged over images."""
    both, either, found = 0, 0, []
    for sample in samples(part):
        image = _tensor(_picture(sample.image.pixels)[None], device)
        with torch.inference_mode(), autocast(precision):
            on = (objective.network(image)["foreground"][0, 0] > 0).cpu().numpy()
        truth = nearest(sample.truth.pixels, (SIDE, SIDE))
        both, either = both + int((on & (truth > 0)).sum()), either + int((on | (truth > 0)).sum())
        pieces = connected_components(SemanticMap(on.astype(np.uint8), classes=NUCLEUS))
        found.append(evaluate(pieces, InstanceMap(truth), task="instance", metrics=["ap_50"])["ap_50"])
    return {"images": len(found), "iou": round(both / either, 4), "ap_50": round(float(np.mean(found)), 4)}


if __name__ == "__main__":
    main()
