"""Adjust: use the whole range of greys

Few pictures use every grey level. `imadjust` lets the darkest and the brightest part of the pixels saturate (`tol`,
here 1 % at each end) and stretches the rest between them; `gamma` below one brightens the middle. It is for
pictures that people look at: a threshold that is chosen from the histogram gains nothing from it.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import imadjust

text = data.text()

figure, axes = plt.subplots(2, 3, figsize=(10, 4), layout="constrained", height_ratios=[2, 1])
for column, (title, picture) in zip(
    axes.T,
    {
        "as it is": text,
        "stretched": imadjust(text).pixels,
        "stretched, gamma 0.5": imadjust(text, gamma=0.5).pixels,
    }.items(),
    strict=True,
):
    column[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
    column[0].set_title(title)
    column[0].set_axis_off()
    column[1].hist(picture.ravel(), bins=64, range=(0, 255), color="0.4")
    column[1].set_yticks([])
plt.show()
