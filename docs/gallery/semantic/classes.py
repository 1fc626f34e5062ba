"""Classes: the greatest score wins

A network that was taught classes gives each pixel one score for each of them. `classes` takes the greatest, and the first of
equal ones. The layers' names become the classes' names, and `values` says which number each has in the mask.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from skimage import data

from microtome import ScoreMap, SemanticMap
from microtome.core.classes import ClassEntry, ClassTable
from microtome.steps import classes, otsu
from microtome.targets import catalogue
from microtome.targets.heads import perfect_scores

table = ClassTable((ClassEntry(0, "dark"), ClassEntry(1, "grey"), ClassEntry(2, "bright")))
camera = data.camera()[50:350:2, 80:380:2]
truth = SemanticMap(otsu(camera, classes=3).pixels, classes=table)

# %%
# What a network without fault would say, and what one says that sees a little blurred and doubts everything a little:
target = catalogue.load("classes")
perfect = perfect_scores(target.encode(truth), target.heads(table, 2), truth)
noise = np.random.default_rng(0).normal(0, 0.15, perfect.pixels.shape)
unsure = perfect.with_pixels(gaussian_filter(perfect.pixels, (1, 1, 0)) + noise)
found = classes(unsure)

figure, axes = plt.subplots(1, 5, figsize=(12, 2.6), layout="constrained")
axes[0].imshow(camera, cmap="gray")
axes[0].set_title("as it is")
for axis, layer, name in zip(axes[1:4], np.moveaxis(unsure.pixels, -1, 0), unsure.layers, strict=True):
    axis.imshow(layer, cmap="viridis", vmin=0, vmax=1)
    axis.set_title(f"score of {name}")
axes[4].imshow(found.pixels, cmap="gray", interpolation="nearest")
axes[4].set_title("the greatest")
for axis in axes:
    axis.set_axis_off()
plt.show()

for title, scores in (("perfect", perfect), ("unsure", unsure)):
    print(f"{title} scores: {np.mean(classes(scores).pixels == truth.pixels):.1%} of the pixels come back")

# %%
# Of one layer, the score of the foreground, `threshold` decides. A low one misses less and invents more.
bright = ScoreMap(unsure.pixels[..., 2:], axes="yxc", layers=("bright",))
for threshold in (0.3, 0.5, 0.7):
    mask = classes(bright, threshold=threshold).pixels == 1
    real = truth.pixels == 2
    print(f"threshold {threshold}: {np.mean(mask[real]):.1%} of the bright pixels found, {np.mean(~real[mask]):.1%} of those found are not")
