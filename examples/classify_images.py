"""Train a network to tell whole images apart: an objective, its batches and the loop that all training goes through.

Images lie in a folder of their class's name, FOLDER/CLASS/IMAGE, and have one size. Every fifth of a class is held out.

    python examples/classify_images.py FOLDER RUN
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from microtome.learn.objectives.classify import Classify
from microtome.learn.training.accuracy import Accuracy
from microtome.learn.training.crew import Crew
from microtome.learn.training.events import Validated
from microtome.learn.training.loop import Fitting, Loop
from microtome.learn.training.precision import choose, prepared
from microtome.learn.training.whole_images import WholeImages, read_class_folders
from microtome.networks import build

images, kinds, classes, names = read_class_folders(sys.argv[1])
pixels = images.astype(np.float32) / np.iinfo(images.dtype).max
held = np.arange(len(kinds)) % 5 == 0
learned, judged = (WholeImages(pixels[part], {"kind": kinds[part]}, batch=min(16, int(part.sum()))) for part in (~held, held))

crew = Crew("cpu")
precision = choose(crew.device)
channels = images.shape[3] if images.ndim == 4 else 1
network = prepared(build("encoder_classifier", channels_in=channels, outputs={"kind": len(classes)}, depth=3, root=8), precision)
objective = Classify(network, "kind")
fitting = Fitting(steps=400, every=100, optimiser={"adamw": {"rate": 0.005}}, schedule={"cosine": {}}, average=0.98)
loop = Loop(objective, network, fitting, precision, crew, Path(sys.argv[2]))
for event in loop.run(learned, Accuracy(objective, judged)):
    if isinstance(event, Validated):
        print(f"step {event.step}: {event.score:.0%} of {int(held.sum())} held-out images are right ({len(classes)} classes)")
best = loop.best()  # the network of the best validation, to be asked with objective.probabilities(best, images)
