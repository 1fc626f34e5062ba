"""Signed distance: how deep a pixel lies

The network is taught one number a pixel: the distance to the object's edge, positive inside, negative outside. Where objects
touch there is a valley, since the neighbour counts as outside. What lies deep is one object's inside; from there it is flooded,
deepest first, down to where the distance ends.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

from microtome import InstanceMap
from microtome.steps import signed_distance
from microtome.targets import catalogue
from microtome.targets.heads import perfect_scores

y, x = np.mgrid[:90, :150]
labels = np.zeros((90, 150), np.int32)
for number, (row, column, radius) in enumerate(((28, 28, 16), (52, 44, 20), (40, 100, 22), (62, 124, 14), (18, 136, 12)), 1):
    labels[(np.hypot(y - row, x - column) < radius) & (labels == 0)] = number
truth = InstanceMap(labels)

target = catalogue.load("signed_distance", {"clip": 10})
perfect = perfect_scores(target.encode(truth), target.heads(truth.classes, 2), truth)
noise = np.random.default_rng(0).normal(0, 0.35, perfect.pixels.shape)
unsure = perfect.with_pixels((perfect.pixels + gaussian_filter(noise, (1.5, 1.5, 0))).astype(np.float32))

figure, axes = plt.subplots(1, 4, figsize=(12, 2.2), layout="constrained")
for axis, scores, title in ((axes[0], perfect, "what it is taught"), (axes[1], unsure, "what it says")):
    axis.imshow(scores.pixels[..., 0], cmap="coolwarm", vmin=-1, vmax=1)
    axis.contour(scores.pixels[..., 0], [0], colors="black", linewidths=0.6)
    axis.set_title(title)
for axis, interior in zip(axes[2:], (0.12, 0.5), strict=True):
    found = signed_distance(unsure, interior=interior)
    axis.imshow(np.ma.masked_equal(found.pixels, 0), cmap="tab10", vmin=1, vmax=10, interpolation="nearest")
    axis.set_title(f"interior {interior}: {len(found)} objects")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %%
# The distance was divided by its `clip` of 10 pixels, so a valley one pixel deep is 0.1. Perfect scores need no more than the
# default of 0.12; those of a real network are rough, and the level where each object has one inside is worth tuning.
print(f"perfect scores: {len(signed_distance(perfect))} of {len(truth)} objects")
for interior in (0.12, 0.3, 0.5, 0.7, 0.95):
    print(f"interior {interior}: {len(signed_distance(unsure, interior=interior))} objects")
