"""Median: specks go, edges stay

Single wrong pixels, from a hot sensor or a scratch, pull a mean towards them. The median of the neighbourhood does
not see them, and an edge stays where it was. The same noise is given to both filters here.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import gaussian, median

coins = data.coins()[:150, :200]
random = np.random.default_rng(0)
specks = np.where(random.random(coins.shape) < 0.08, random.choice([0, 255], coins.shape), coins).astype(np.uint8)

pictures = {
    "8 % of the pixels wrong": specks,
    "gaussian, sigma 1": gaussian(specks, sigma=1.0).pixels,
    "median, size 3": median(specks, size=3).pixels,
    "median, size 9": median(specks, size=9).pixels,
}
figure, axes = plt.subplots(1, 4, figsize=(10, 2.5), layout="constrained")
for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.set_axis_off()
plt.show()
