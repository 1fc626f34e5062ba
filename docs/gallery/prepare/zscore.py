"""Z-score: values in deviations from the mean

`zscore` takes the mean away and divides by the standard deviation, the way CT and MR volumes come to most networks. Where part of the
picture is not the specimen, such as the black around a brain, `above` leaves it out of both numbers.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import zscore

head = (data.shepp_logan_phantom() * 400).astype(np.int16)
head[head > 0] += np.random.default_rng(0).normal(60, 12, (head > 0).sum()).astype(np.int16)

whole, inside = zscore(head).pixels, zscore(head, above=0).pixels
figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
axes[0].imshow(head, cmap="gray")
axes[0].set_axis_off()
axes[0].set_title("as it is")
for axis, title, values in ((axes[1], "over all pixels", whole), (axes[2], "over pixels above 0", inside)):
    axis.hist(values[head > 0], bins=80, color="0.6")
    axis.axvline(0, color="teal")
    axis.set(title=title, xlabel="deviations from the mean", yticks=[])
plt.show()
print(f"the head itself: mean {whole[head > 0].mean():.2f}, and {inside[head > 0].mean():.2f} with above=0")
