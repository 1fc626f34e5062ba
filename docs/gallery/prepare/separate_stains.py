"""Stains: how much of each lies where

Haematoxylin takes mostly red out of the light, eosin green, DAB blue, but each takes some of all. `separate_stains` solves for the three
amounts at every pixel. A threshold on one of them finds what that stain marks, however dark the others are. This section was not stained
with eosin, and its channel is empty.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome import Image
from microtome.steps import otsu, separate_stains

section = Image(data.immunohistochemistry()[:300, :300], axes="yxc")
stains = separate_stains(section)

figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
axes[0].imshow(section.pixels)
axes[0].set_title("in colour")
for axis, name in zip(axes[1:], stains.channels, strict=True):
    axis.imshow(stains.channel(name).pixels, cmap="gray_r", vmin=0, vmax=1)
    axis.set_title(name)
for axis in axes:
    axis.set_axis_off()
plt.show()

# %%
# Steps that work on one channel take one stain.
brown = otsu(separate_stains(section, stain="dab"))
figure, axes = plt.subplots(1, 2, figsize=(6, 3), layout="constrained")
axes[0].imshow(section.pixels)
axes[0].contour(brown.pixels, [0.5], colors="teal", linewidths=0.8)
axes[1].imshow(brown.pixels, cmap="gray")
for axis in axes:
    axis.set_axis_off()
plt.show()
