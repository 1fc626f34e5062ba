"""A step of training on the processor: plain PyTorch in float32 against what `learn/training/precision.py` chooses.

U-Net of width 32 and U-Net on ResNet34 (segmentation-models-pytorch, weights at random), three classes, windows of 256 x 256: forward,
cross-entropy in float32, backward, AdamW. Each side is a process of its own, because memory is tuned for a whole process; they take
turns. Beside the time that passed stands the processor's, all threads together: where other programs share the cores, it is the one to
trust.

    python benchmarks/bench_training_step.py [--batch 4] [--rounds 5] [--threads 2]

A ratio above 1 means that the side took less time than plain PyTorch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from in_turn import in_turn
from record import record, versions
from torch.nn import functional

from microtome.learn.training.precision import autocast, choose, prepared, tuned_memory
from microtome.networks import build

NETWORKS = {
    "U-Net, width 32": ("unet", 1, {"root": 32}),
    "U-Net on ResNet34": ("smp", 3, {"architecture": "unet", "encoder": "resnet34"}),
}
SIDES = ("plain float32", "tuned memory", "+ channels-last, fused AdamW", "+ bfloat16")


def step_of(network: str, side: str, batch: int, threads: int) -> Callable[[], Any]:
    """One step, each side with all that stands before it in the list."""
    torch.set_num_threads(threads)
    stage = SIDES.index(side)
    if stage >= 1:
        tuned_memory()
    name, channels, settings = NETWORKS[network]
    model = build(name, channels_in=channels, outputs={"interior_border": 3}, **settings)
    precision = choose("cpu", "auto" if stage >= 3 else "float32")
    if stage >= 2:
        prepared(model, precision)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, fused=stage >= 2)
    images = torch.randn(batch, 256, 256, channels).movedim(-1, 1)
    images = images if stage >= 2 else images.contiguous()
    truth = torch.randint(0, 3, (batch, 256, 256))

    def step() -> float:
        optimiser.zero_grad()
        with autocast(precision):
            scores = model(images)["interior_border"]
        loss = functional.cross_entropy(scores.float(), truth)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def main() -> None:
    """Compare, print the table, keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    told = parser.parse_args()
    print(choose("cpu").reason)
    print(f"{'':20} {'':30} {'s':>7} {'ratio':>6} {'processor s':>12} {'ratio':>6}")
    rows = []
    for network in NETWORKS:
        took = in_turn({side: (step_of, (network, side, told.batch, told.threads)) for side in SIDES}, told.rounds)
        base = took[SIDES[0]]
        for side, found in took.items():
            ratios = {kind: base[kind] / found[kind] for kind in found}
            print(f"{network:20} {side:30} {found['seconds']:7.3f} {ratios['seconds']:5.2f}x {found['processor_seconds']:12.3f} "
                  f"{ratios['processor_seconds']:5.2f}x", flush=True)  # fmt: skip
            rows.append({"network": network, "side": side, **found, "ratio": ratios["seconds"],
                         "processor_ratio": ratios["processor_seconds"]})  # fmt: skip
    record("training_step", {"batch": told.batch, "rounds": told.rounds, "threads": told.threads, "reason": choose("cpu").reason,
                             "versions": {**versions(), "torch": version("torch")}, "rows": rows})  # fmt: skip


if __name__ == "__main__":
    main()
