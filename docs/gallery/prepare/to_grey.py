"""To grey: one number for a colour

Most steps work on one channel. `to_grey` weighs red, green and blue as the eye does. Which weights is a choice that
others have made differently: television and OpenCV take one set ("601"), scikit-image another ("709"), and red and
blue things differ most.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome import Image
from microtome.steps import to_grey

picture = Image(data.astronaut(), axes="yxc")
grey = {weights: to_grey(picture, weights=weights).pixels for weights in ("601", "709", "mean")}

figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
axes[0].imshow(picture.pixels)
axes[0].set_title("in colour")
axes[1].imshow(grey["601"], cmap="gray")
axes[1].set_title('"601"')
for axis, weights in zip(axes[2:], ("709", "mean"), strict=True):
    axis.imshow(grey[weights].astype(int) - grey["601"], cmap="coolwarm", vmin=-20, vmax=20)
    axis.set_title(f'"{weights}" less "601"')
for axis in axes:
    axis.set_axis_off()
plt.show()
print("largest difference:", int(np.abs(grey["709"].astype(int) - grey["601"]).max()), "grey levels")
