"""Watershed: flood from markers

Markers say roughly where things are: a few pixels in each. The picture is seen as a landscape and flooded from
them, lowest places first; where two waters meet is the border. On the gradient of a picture the crests are its
edges, so the waters meet there.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data
from skimage.filters import sobel

from microtome import InstanceMap
from microtome.steps import watershed

coins = data.coins()
edges = sobel(coins)
markers = np.zeros(coins.shape, np.int32)
markers[coins < 30] = 1  # surely ground
markers[coins > 150] = 2  # surely coin
regions = watershed(edges, InstanceMap(markers))

figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained")
axes[0].imshow(edges, cmap="gray")
axes[0].set_title("gradient: the landscape")
axes[1].imshow(coins, cmap="gray")
axes[1].imshow(np.ma.masked_equal(markers, 0), cmap="coolwarm", interpolation="nearest")
axes[1].set_title("markers")
axes[2].imshow(coins, cmap="gray")
axes[2].contour(regions.pixels == 2, [0.5], colors="orange", linewidths=1)
axes[2].set_title("where the waters meet")
for axis in axes:
    axis.set_axis_off()
plt.show()
