"""Interior and border: objects that touch, told apart by their rims

A network that only knows foreground sees two touching objects as one. Taught three classes, background, interior and
border, it draws a rim between them. Every interior then becomes an object, and grows over the border until it meets another.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

from microtome import InstanceMap
from microtome.steps import interior_border
from microtome.targets import catalogue
from microtome.targets.heads import perfect_scores

y, x = np.mgrid[:90, :150]
labels = np.zeros((90, 150), np.int32)
for number, (row, column, radius) in enumerate(((28, 28, 16), (52, 44, 20), (40, 100, 22), (62, 124, 14), (18, 136, 12)), 1):
    labels[(np.hypot(y - row, x - column) < radius) & (labels == 0)] = number
truth = InstanceMap(labels)

target = catalogue.load("interior_border", {"width": 2})
perfect = perfect_scores(target.encode(truth), target.heads(truth.classes, 2), truth)

# %%
# The scores of a network that sees a little blurred, with noise, scaled so that the three still sum to one. One interior is cracked,
# and one rim has a bump that looks like an interior.
blurred = gaussian_filter(perfect.pixels, (1, 1, 0))
blurred[20:62, 99:101] = (0, 0.4, 0.6)
blurred[26:30, 7:15] = (0, 0.1, 0.9)
blurred[27:29, 8:10] = (0, 0.9, 0.1)
noisy = (blurred + np.random.default_rng(0).uniform(0, 0.1, blurred.shape)).astype(np.float32)
unsure = perfect.with_pixels(noisy / noisy.sum(-1, keepdims=True))

figure, axes = plt.subplots(1, 4, figsize=(12, 2.2), layout="constrained")
pictures = {
    "what it is taught": perfect.pixels,
    "what it says": unsure.pixels,
    "decoded": interior_border(unsure),
    "tuned": interior_border(unsure, interior=0.3, min_interior=20),
}
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    if isinstance(picture, InstanceMap):
        axis.imshow(np.ma.masked_equal(picture.pixels, 0), cmap="tab10", vmin=1, vmax=10, interpolation="nearest")
        title = f"{title}: {len(picture)} objects"
    else:
        axis.imshow(picture[..., [2, 1, 0]] * (1, 1, 0.6), interpolation="nearest")  # border red, interior green, background blue
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %%
# `interior` decides what is deep enough to be an object's inside: low enough, it bridges the crack. Insides below `min_interior`
# are no objects of their own, and what they lie in goes to a neighbour. `foreground` says how far objects reach.
print(f"perfect scores: {len(interior_border(perfect))} of {len(truth)} objects")
for interior in (0.3, 0.5):
    for least in (1, 20):
        found = interior_border(unsure, interior=interior, min_interior=least)
        print(f"interior {interior}, min_interior {least}: {len(found)} objects")
