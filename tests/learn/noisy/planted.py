"""Discs with faults planted in their labels, and a model in folds that judges every pixel by its brightness."""

from __future__ import annotations

import csv

import numpy as np
from onnx import parser
from tests.learn.training.tiny import samples

from microtome.io.images import write
from microtome.io.masks import write_mask
from microtome.run.bundle import write_bundle

FOREGROUND = "f (float[n, 1, y, x] image) => (float[n, 1, y, x] foreground) { k = Constant <value = float {105}> ()\n" \
             "s = Constant <value = float {8}> ()\n d = Sub(image, k)\n foreground = Div(d, s) }"  # fmt: skip
RECIPE = {"microtome": 1, "steps": [
    {"network": {"weights": "main", "activation": "sigmoid", "layers": ["foreground"], "window": 64, "overlap": 0}},
    {"classes": {}}, "connected_components", {"drop_small": {"min_area": 20}},
]}  # fmt: skip


def onnx_of(text):
    return parser.parse_model('<ir_version: 9, opset_import: ["" : 18]> ' + text).SerializeToString()


def sound(count):
    """Name, image and labels of `count` images."""
    return [(one.name.replace(" ", "-"), one.image, one.truth.pixels.copy()) for one in samples(count)]


def faulty(count=12):
    """The labels of `count` images, of which four are wrong: by name what was done, and the sound ones."""
    made = sound(count)
    done = {}
    name, _, labels = made[1]
    labels[labels == 2] = 0
    done[name] = "not labelled"
    name, _, labels = made[4]
    y, x = empty_place(labels)
    labels[y - 4 : y + 5, x - 4 : x + 5] = 90
    done[name] = "not found"
    name, _, labels = made[7]
    labels[:] = np.roll(labels, 4, axis=1)
    labels[:, :4] = 0
    done[name] = "outline"
    name, _, labels = made[10]
    labels[labels == 1] = 3
    done[name] = "split"
    return made, done


def empty_place(labels):
    for y in range(6, 42):
        for x in range(6, 42):
            if not labels[y - 5 : y + 6, x - 5 : x + 6].any():
                return y, x
    raise AssertionError("no room for another object")


def write_data(root, made):
    for name, image, labels in made:
        write(image, root / "images" / f"{name}.png")
        from microtome.core.raster import InstanceMap

        write_mask(InstanceMap(labels), root / "masks" / name)


def write_folds(run, names, folds=3, steps=RECIPE["steps"]):
    for number in range(folds):
        folder = run / f"fold-{number + 1}"
        folder.mkdir(parents=True)
        with (folder / "split.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["name", "group", "split"])
            writer.writerows([name, "", "val" if k % folds == number else "train"] for k, name in enumerate(names))
        write_bundle(folder / "model.zip", {"microtome": 1, "steps": steps}, {"main": onnx_of(FOREGROUND)}, card="discs", facts={})
