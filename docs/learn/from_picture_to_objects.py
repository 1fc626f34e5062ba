"""From picture to objects

A threshold is the oldest way to segment and still the first to try. This page takes one picture, 24 coins on a
ground that is lit from the upper left, and follows the numbers from grey levels to a count. On the way the
threshold fails, and it is worth seeing how.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome import steps

coins = data.coins()


def show(*pictures, titles, **options):
    """Draw pictures side by side."""
    axes = plt.figure(figsize=(9, 7.6 / len(pictures)), layout="constrained").subplots(1, len(pictures), squeeze=False)
    for axis, picture, title in zip(axes[0], pictures, titles, strict=True):
        axis.imshow(picture, **({"cmap": "gray"} | options))
        axis.set_title(title)
        axis.set_axis_off()
    plt.show()


# %%
# ## Choosing a level
#
# A pixel `I` belongs to the coins if it is brighter than some level `t`. Otsu's method looks at the histogram only. For each
# `t` it splits the pixels in two classes, those with `I <= t` and those with `I > t`. A class has a *weight* `P`, the fraction
# of all pixels that are in it, and a *mean* `u`. The best level is where
#
#     P1 (u1 - u)² + P2 (u2 - u)²
#
# is largest: the variance *between* the classes. The whole method is ten lines:
levels = np.arange(256)
share = np.bincount(coins.ravel(), minlength=256) / coins.size

weight = np.cumsum(share)  # P1 for every t at once
moment = np.cumsum(share * levels)
overall = moment[-1]
with np.errstate(divide="ignore", invalid="ignore"):
    u1 = moment / weight
    u2 = (overall - moment) / (1 - weight)
    between = weight * (u1 - overall) ** 2 + (1 - weight) * (u2 - overall) ** 2
best = int(np.nanargmax(between))
print(f"t = {best}, variance between the classes {between[best]:.2f}")

# %%
# A mistake that is easy to make, and stands in more than one set of notes, is to write the mean of a class as the sum of
# `i P(i)` over its levels, without dividing by the weight of the class. What is left is no mean, and the level moves:
wrong = weight * (moment - overall) ** 2 + (1 - weight) * ((overall - moment) - overall) ** 2
print(f"with undivided means t = {int(np.argmax(wrong))}")

# %%
# The two curves over the histogram:
figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
axis.bar(levels, share, width=1.0, color="0.75", label="share of pixels")
axis.set(xlabel="grey level", ylabel="share of pixels", xlim=(0, 255))
curves = axis.twinx()
curves.plot(levels, between, color="teal", label=f"between the classes, best at {best}")
curves.plot(levels, wrong / np.nanmax(wrong) * np.nanmax(between), "--", color="firebrick", label="undivided means, scaled")
curves.axvline(best, color="teal", linewidth=0.8)
curves.set_yticks([])
curves.legend(loc="upper right")
plt.show()

# %%
# `steps.otsu` does the same, for every kind of pixel, and gives a mask whose classes have names.
plain = steps.otsu(coins)
print(np.array_equal(plain.pixels, coins > best), [(entry.value, entry.name) for entry in plain.classes])
show(coins, plain.pixels, titles=["the picture", "I > t"])

# %%
# ## Why one level is not enough
#
# The upper left is wrong: there the ground itself is brighter than the darkest coins, so no single level can be right. Count
# the connected parts, and the count looks sensible only because errors cancel; the largest "coin" is lit background.
parts = steps.drop_small(steps.connected_components(steps.fill_holes(plain)), min_area=50)
areas = np.bincount(parts.pixels.ravel())[1:]
print(f"{len(parts)} parts of 50 pixels or more; the largest has {areas.max()} pixels, the median {int(np.median(areas))}")

# %%
# ## Take the ground away first
#
# The light changes slowly, the coins do not. A ball rolled under the picture, larger than any coin, follows the ground and
# passes beneath the coins; subtracting its path leaves them on an even ground. Then one level is enough.
flat = steps.rolling_ball(steps.gaussian(coins, sigma=1.0), radius=40)
mask = steps.fill_holes(steps.otsu(flat))
show(flat.pixels, mask.pixels, titles=["ground taken away", "I > t"])

# %%
# ## From a mask to objects
#
# A mask says which pixels are coin, not which coin. Where coins touch, their mask is one part. Inside it, the distance to the
# edge has one hill for each coin: flooding from the hilltops, the waters meet where the coins touch.
parts = steps.drop_small(steps.split_touching(mask, min_distance=15), min_area=300)
print(f"{len(parts)} parts of 300 pixels or more")

# %%
# One too many: a last bit of lit ground in the upper right corner. It touches the frame, and no coin does, so leaving out what
# touches the frame is right *here*. In a picture where objects are cut by the frame it would not be; that is why it is a step of
# its own, and why a recipe has to say it.
objects = steps.clear_border(parts)
areas = np.bincount(objects.pixels.ravel())[1:]
print(f"{len(objects)} coins, from {areas[areas > 0].min()} to {areas.max()} pixels")

colours = plt.get_cmap("tab20")(np.arange(len(areas) + 1) % 20)[:, :3]
shown = np.where(objects.pixels[..., None] > 0, 0.55 * colours[objects.pixels], 0) + coins[..., None] / 255 * 0.6
show(coins, np.clip(shown, 0, 1), titles=["the picture", f"{len(objects)} coins"])

# %%
# These steps make the recipe `coins`; `microtome recipes coins` prints it. What to try next: a picture with another unevenness
# (`skimage.data.page()`), a smaller ball, or no `split_touching`.
