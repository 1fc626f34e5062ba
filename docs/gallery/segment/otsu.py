"""Otsu: let the histogram choose the threshold

Of all levels, Otsu's method takes the one whose two classes lie furthest apart, measured by the variance between
them. With `classes=3` there are two thresholds, the best pair. It sees the histogram only: on uneven light it
fails, and wants `rolling_ball` before it.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import otsu

camera = data.camera()
two, three = otsu(camera), otsu(camera, classes=3)
thresholds = {
    "two classes": [int(camera[two.pixels == 0].max())],
    "three classes": [int(camera[three.pixels == value].max()) for value in (0, 1)],
}

figure, axes = plt.subplots(1, 4, figsize=(11, 2.6), layout="constrained", width_ratios=[1, 1.2, 1, 1])
for axis, picture, title in ((axes[0], camera, "as it is"), (axes[2], two.pixels, "two classes"), (axes[3], three.pixels, "three classes")):
    axis.imshow(picture, cmap="gray")
    axis.set_title(title)
    axis.set_axis_off()
axes[1].fill_between(range(256), np.bincount(camera.ravel(), minlength=256), color="0.7")
for levels, colour in zip(thresholds.values(), ("teal", "firebrick"), strict=True):
    for level in levels:
        axes[1].axvline(level, color=colour)
axes[1].set(yticks=[], ylim=(0, 5000), title="histogram")
plt.show()
print(thresholds)
