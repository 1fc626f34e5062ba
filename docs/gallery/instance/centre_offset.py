"""Centre and offset: each pixel points to its centre

The network is taught where the centres are, as bells of heat, and for each pixel of an object the way to its centre. A pixel
belongs to the centre nearest to where it points. So an object that another one cuts in two comes back as one, which no method
that grows objects from pixel to pixel can do.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter

from microtome import InstanceMap
from microtome.steps import centre_offset, connected_components
from microtome.targets import catalogue
from microtome.targets.heads import perfect_scores

y, x = np.mgrid[:90, :150]
labels = np.zeros((90, 150), np.int32)
for number, (row, column, radius) in enumerate(((28, 28, 16), (52, 44, 20), (40, 104, 26)), 1):
    labels[(np.hypot(y - row, x - column) < radius) & (labels == 0)] = number
labels[np.abs((y - 40) + (x - 104)) < 7] = 4  # a rod over the third, from side to side
truth = InstanceMap(labels)

target = catalogue.load("centre_offset", {"sigma": 4})
encoded = target.encode(truth)
perfect = perfect_scores(encoded, target.heads(truth.classes, 2), truth)
noise = np.random.default_rng(0).normal(0, 1, perfect.pixels.shape)
unsure = perfect.with_pixels((perfect.pixels + gaussian_filter(noise, (1.5, 1.5, 0)) * (0.5, 0.2, 8, 8)).astype(np.float32))
found = centre_offset(unsure)

figure, axes = plt.subplots(1, 4, figsize=(12, 2.2), layout="constrained")
axes[0].imshow(unsure.pixels[..., 0], cmap="gray")
axes[0].set_title("foreground")
axes[1].imshow(unsure.pixels[..., 1], cmap="magma")
axes[1].set_title("heat of the centres")
few = (slice(2, None, 5),) * 2
shown = truth.pixels[few] > 0
axes[2].imshow(truth.pixels > 0, cmap="gray", alpha=0.3)
axes[2].quiver(
    x[few][shown],
    y[few][shown],
    unsure.pixels[..., 3][few][shown],
    unsure.pixels[..., 2][few][shown],
    angles="xy",
    scale_units="xy",
    scale=1,
    width=0.003,
)
axes[2].set_title("where pixels point")
axes[3].imshow(np.ma.masked_equal(found.pixels, 0), cmap="tab10", vmin=1, vmax=10, interpolation="nearest")
axes[3].set_title(f"decoded: {len(found)} objects")
for axis in axes:
    axis.set_axis_off()
plt.show()

# %%
# The third disc lies on both sides of the rod, and the two sides are one object:
pieces = connected_components(InstanceMap((truth.pixels == 3).astype(np.int32)))
sides = [np.bincount(found.pixels[pieces.pixels == piece]).argmax() for piece in (1, 2)]
print(f"the two sides of the disc are objects {sides[0]} and {sides[1]}")

# %%
# `centre` says how warm a peak must be, and `min_distance` how far apart two of them are at least. The rod and the disc have
# centres a few pixels apart: asked for more, the decoder takes them for one.
for distance in (1, 3, 12):
    print(f"min_distance {distance}: {len(centre_offset(unsure, min_distance=distance))} objects")
