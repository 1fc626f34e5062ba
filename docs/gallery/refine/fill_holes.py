"""Fill holes: what an object encloses is the object

A threshold leaves holes where an object is as dark as the ground: a scratch on a coin, the centre of a nucleus.
Background that an object encloses becomes part of it; a notch that is open to the outside does not. `max_area`
keeps larger holes, where holes are real.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import fill_holes, otsu, rolling_ball

coins = data.coins()[200:, :200]
mask = otsu(rolling_ball(coins, radius=40))

figure, axes = plt.subplots(1, 4, figsize=(10, 1.9), layout="constrained")
for axis, title, picture in zip(
    axes,
    ("as it is", "threshold", "holes filled", "only up to 10 pixels"),
    (coins, mask.pixels, fill_holes(mask).pixels, fill_holes(mask, max_area=10).pixels),
    strict=True,
):
    axis.imshow(picture, cmap="gray")
    axis.set_title(title)
    axis.set_axis_off()
plt.show()
