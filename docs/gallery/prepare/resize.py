"""Resize: another pixel size

A method is made for objects of some size in pixels; `resize` brings a picture to the pixel size it was made for. Give the spacing as a
length (`"0.5 um"`) where the image knows its own, or in its pixels: 4 makes one pixel of four by four. What is finer than the new pixels
is smoothed away first: without that it turns into patterns that are not there.
"""

import matplotlib.pyplot as plt
import numpy as np

from microtome import Image
from microtome.steps import resize

y, x = np.mgrid[-1:1:400j, -1:1:400j]
rings = Image(np.cos(180 * (x**2 + y**2)) * 0.5 + 0.5, spacing=(0.125, 0.125), unit="um")

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, title, picture in (
    (axes[0], f"{rings.shape[0]} pixels", rings),
    (axes[1], "0.5 um, smoothed first", resize(rings, spacing="0.5 um")),
    (axes[2], "0.5 um, not smoothed", resize(rings, spacing="0.5 um", antialias=False)),
):
    axis.imshow(picture.pixels, cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    axis.set_title(title)
plt.show()
coarse = resize(rings, spacing="0.5 um")
print(coarse.shape, coarse.spacing, coarse.unit)
