"""Split touching: one object for each hill

Where objects touch, their mask is one piece. Inside a mask, the distance to the edge rises to a hill for each round
object. The hilltops, at least `min_distance` apart, become markers, and the waters that rise from them meet at the
waist between the objects.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import distance_transform_edt

from microtome import SemanticMap
from microtome.steps import split_touching

y, x = np.mgrid[:90, :150]
mask = np.zeros((90, 150), bool)
for row, column, radius in ((28, 28, 16), (52, 44, 20), (40, 100, 22), (60, 124, 14)):
    mask |= np.hypot(y - row, x - column) < radius

figure, axes = plt.subplots(1, 4, figsize=(11, 2), layout="constrained")
axes[0].imshow(mask, cmap="gray")
axes[0].set_title("mask: 2 pieces")
axes[1].imshow(distance_transform_edt(mask), cmap="viridis")
axes[1].set_title("distance to the edge")
for axis, distance in zip(axes[2:], (7, 40), strict=True):
    objects = split_touching(SemanticMap(mask), min_distance=distance)
    axis.imshow(np.ma.masked_equal(objects.pixels, 0), cmap="tab10", vmin=0, vmax=9, interpolation="nearest")
    axis.set_title(f"min_distance {distance}: {len(objects)} objects")
for axis in axes:
    axis.set_axis_off()
plt.show()
