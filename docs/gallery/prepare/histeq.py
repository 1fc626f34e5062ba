"""Histogram equalisation: spread the greys evenly

Each level moves to its place in the cumulative histogram, so common greys are pulled apart and rare ones pushed
together. Details appear in what was flat; so does noise. Compare with `adapthisteq`, which does it piece by piece
and can be held back.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import histeq

moon = data.moon()

figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", width_ratios=[1, 1, 1.1])
for axis, (title, picture) in zip(axes, {"as it is": moon, "equalised": histeq(moon).pixels}.items(), strict=False):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.set_axis_off()
axes[2].hist(moon.ravel(), bins=64, range=(0, 255), color="0.7", label="as it is")
axes[2].hist(histeq(moon).pixels.ravel(), bins=64, range=(0, 255), histtype="step", color="teal", label="equalised")
axes[2].legend()
axes[2].set(yticks=[], xlabel="grey level")
plt.show()
