"""Threshold: brighter than this

The simplest segmentation: a pixel is foreground if its value is above `value`. `foreground="dark"` gives the exact
complement, the threshold itself included. Right where the number means something, such as a calibrated density;
where it does not, let `otsu` choose.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import threshold

coins = data.coins()

figure, axes = plt.subplots(1, 4, figsize=(10, 2.3), layout="constrained")
axes[0].imshow(coins, cmap="gray")
axes[0].set_title("as it is")
for axis, value in zip(axes[1:], (80, 107, 150), strict=True):
    axis.imshow(threshold(coins, value=value).pixels, cmap="gray")
    axis.set_title(f"I > {value}")
for axis in axes:
    axis.set_axis_off()
plt.show()

bright, dark = (threshold(coins, value=107, foreground=which).pixels for which in ("bright", "dark"))
print(f"{bright.sum()} pixels bright, {dark.sum()} dark, together {coins.size}")
