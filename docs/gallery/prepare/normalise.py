"""Normalise: make pictures comparable

The same sample under another exposure has other values. After `normalise` a low percentile of the picture lies at 0
and a high one at 1, so one threshold, or one network, fits both. Percentiles, not minimum and maximum: a single hot
pixel would move those.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import normalise

cell = data.cell()
dim = (cell * 0.4 + 10).astype(np.uint8)

figure, axes = plt.subplots(1, 2, figsize=(10, 3), layout="constrained", sharey=True)
for axis, title, one, other in (
    (axes[0], "as they are", cell, dim),
    (axes[1], "normalised", normalise(cell).pixels, normalise(dim).pixels),
):
    span = (min(one.min(), other.min()), np.percentile(one, 99.9))
    axis.hist(one.ravel(), bins=80, range=span, color="0.7", label="one exposure")
    axis.hist(other.ravel(), bins=80, range=span, histtype="step", color="teal", label="a shorter one")
    axis.set(title=title, xlabel="value", yticks=[])
axes[0].legend()
plt.show()

# %%
# Values outside the percentiles are kept unless `clip` is set; nothing is lost on the way to a measurement.
normal = normalise(cell).pixels
print(f"from {normal.min():.2f} to {normal.max():.2f}, {np.mean(normal > 1):.2%} of the pixels above 1")
