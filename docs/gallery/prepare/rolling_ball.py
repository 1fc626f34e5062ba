"""Rolling ball: take an uneven background away

A ball rolls under the picture, seen as a landscape. It follows the ground and passes beneath what is narrower than
itself; its upper side is the background, and the rest is the objects. The radius must be larger than any object, or
objects go too.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import rolling_ball

coins = data.coins()

figure, axes = plt.subplots(2, 3, figsize=(10, 5), layout="constrained", height_ratios=[2, 1])
for column, (title, picture) in zip(
    axes.T,
    {
        "as it is": coins,
        "radius 40": rolling_ball(coins, radius=40).pixels,
        "radius 8: too small": rolling_ball(coins, radius=8).pixels,
    }.items(),
    strict=True,
):
    column[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
    column[0].axhline(45, color="teal", linewidth=0.8)
    column[0].set_title(title)
    column[0].set_axis_off()
    column[1].plot(picture[45], color="teal", linewidth=0.8)
    column[1].set(ylim=(0, 255), yticks=[])
plt.show()
