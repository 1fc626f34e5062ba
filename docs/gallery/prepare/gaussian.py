"""Gaussian: smooth before you decide

A threshold decides pixel by pixel, so noise becomes specks. A weighted mean over the neighbourhood takes most of
the noise away; too wide, and small things go with it. `sigma` is in pixels, or a length such as `"2 um"` where the
image knows its spacing.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import gaussian

coins = data.coins()[:150, :200]

figure, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
axes[0].imshow(coins, cmap="gray")
axes[0].set_title("as it is")
for axis, sigma in zip(axes[1:], (1.0, 3.0, 8.0), strict=True):
    axis.imshow(gaussian(coins, sigma=sigma).pixels, cmap="gray")
    axis.set_title(f"sigma {sigma:g}")
for axis in axes:
    axis.set_axis_off()
plt.show()
