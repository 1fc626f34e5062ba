"""Drop small: specks are not objects

After a threshold most objects by number are specks. Objects of fewer than `min_area` pixels are removed; one of
exactly that many stays. The curve shows why the number is easy to choose here: between specks and coins there is
nothing.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import connected_components, drop_small, fill_holes, otsu, rolling_ball

coins = data.coins()
objects = connected_components(fill_holes(otsu(rolling_ball(coins, radius=40))))
kept = drop_small(objects, min_area=300)

figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained", width_ratios=[1, 1, 0.9])
for axis, found, title in ((axes[0], objects, "all"), (axes[1], kept, "300 pixels or more")):
    axis.imshow(found.pixels > 0, cmap="gray")
    axis.set_title(f"{title}: {len(found)} objects")
    axis.set_axis_off()
areas = np.arange(1, 1500)
axes[2].plot(areas, [(np.bincount(objects.pixels.ravel())[1:] >= area).sum() for area in areas], color="teal")
axes[2].set(xscale="log", xlabel="min_area", ylabel="objects left")
plt.show()
