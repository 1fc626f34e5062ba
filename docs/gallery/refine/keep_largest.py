"""Keep largest: there is only one

Where the picture holds one organ, one leaf or one animal, everything else the threshold found is not it. `count`
keeps more than one; of equal areas the first stays.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import connected_components, gaussian, keep_largest, otsu

camera = data.camera()
dark = connected_components(otsu(gaussian(camera, sigma=1.0), foreground="dark"))

figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
axes[0].imshow(camera, cmap="gray")
axes[0].set_title("as it is")
for axis, title, found in zip(
    axes[1:],
    ("dark pieces", "the largest", "the 3 largest"),
    (dark, keep_largest(dark), keep_largest(dark, count=3)),
    strict=True,
):
    axis.imshow(np.ma.masked_equal(found.pixels, 0), cmap="viridis", interpolation="nearest")
    axis.set_title(f"{title}: {len(found)}")
for axis in axes:
    axis.set_axis_off()
plt.show()
