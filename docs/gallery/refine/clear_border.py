"""Clear border: leave out what is cut

Objects at the frame are seen in part. Their areas are too small, so for a distribution of areas they are left out;
for a count they should stay. `buffer` also removes those that come near.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import clear_border, connected_components, drop_small, fill_holes, otsu, rolling_ball

coins = data.coins()[60:, 20:350]
objects = drop_small(connected_components(fill_holes(otsu(rolling_ball(coins, radius=40)))), min_area=100)
whole = clear_border(objects)

figure, axes = plt.subplots(1, 3, figsize=(10, 2.6), layout="constrained")
axes[0].imshow(coins, cmap="gray")
axes[0].set_title("as it is")
for axis, found, title in ((axes[1], objects, "all"), (axes[2], whole, "not touching the frame")):
    axis.imshow(np.ma.masked_equal(found.pixels, 0), cmap="viridis", interpolation="nearest")
    axis.set_title(f"{title}: {len(found)}")
for axis in axes:
    axis.set_axis_off()
plt.show()

for title, found in (("all", objects), ("whole ones", whole)):
    areas = np.bincount(found.pixels.ravel())[1:]
    print(f"{title}: median area {np.median(areas[areas > 0]):.0f} pixels")
