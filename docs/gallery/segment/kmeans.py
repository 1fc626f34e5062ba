"""k-means: as many classes as you name

Pixels are sorted into `classes` groups so that each is near the mean of its group, in grey or in colour. The groups
are classes of values, not objects: two red things are one class. `position` lets places count too, which makes
regions more compact. The same `seed` gives the same result.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome import Image
from microtome.steps import kmeans

coffee = Image(data.coffee()[::2, ::2], axes="yxc")


def painted(mask):
    """Each class in its mean colour."""
    means = np.array([coffee.pixels[mask.pixels == value].mean(axis=0) for value in range(mask.pixels.max() + 1)])
    return means[mask.pixels].astype(np.uint8)


figure, axes = plt.subplots(1, 4, figsize=(11, 2.2), layout="constrained")
axes[0].imshow(coffee.pixels)
axes[0].set_title("as it is")
for axis, classes in zip(axes[1:], (2, 4, 8), strict=True):
    axis.imshow(painted(kmeans(coffee, classes=classes, foreground="all")))
    axis.set_title(f"{classes} classes")
for axis in axes:
    axis.set_axis_off()
plt.show()
