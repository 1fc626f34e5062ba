"""Watershed: flood from markers

Markers say roughly where things are: a few pixels in each. The picture is seen as a landscape and flooded from
them, lowest places first; where two waters meet is the border. On the gradient of a picture (`on="gradient"`) the
crests are its edges, so the waters meet there, also where the light is uneven and no single threshold would do.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome import SemanticMap
from microtome.steps import watershed

coins = data.coins()
markers = np.zeros(coins.shape, np.uint8)
markers[coins < 30] = 1  # surely ground
markers[coins > 150] = 2  # surely coin
regions = watershed(coins, markers=SemanticMap(markers), on="gradient")

figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained")
for axis, title in zip(axes, ("as it is", "markers: ground and coin", "where the waters meet"), strict=True):
    axis.imshow(coins, cmap="gray")
    axis.set_title(title)
    axis.set_axis_off()
axes[1].imshow(np.ma.masked_equal(markers, 0), cmap="coolwarm", interpolation="nearest")
axes[2].contour(regions.pixels == 2, [0.5], colors="orange", linewidths=1)
plt.show()
