"""Connected components: from a mask to objects

A mask says which pixels are foreground. Each connected piece of it becomes an object with a number. Whether pixels
that share only a corner are connected is a choice: libraries differ in their default, and thin slanted things fall
apart under one and hold together under the other. Here they hold together unless you ask for
`connectivity="faces"`.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import connected_components, otsu

text = data.text()[30:110, 180:330]
ink = otsu(text, foreground="dark")

figure, axes = plt.subplots(1, 3, figsize=(10, 2.2), layout="constrained")
axes[0].imshow(ink.pixels, cmap="gray")
axes[0].set_title("mask")
for axis, connectivity in zip(axes[1:], ("full", "faces"), strict=True):
    objects = connected_components(ink, connectivity=connectivity)
    shown = np.ma.masked_equal(objects.pixels % 20 + (objects.pixels > 0), 0)
    axis.imshow(shown, cmap="tab20", interpolation="nearest")
    axis.set_title(f"{connectivity}: {len(objects)} objects")
for axis in axes:
    axis.set_axis_off()
plt.show()
