"""Adaptive equalisation: contrast everywhere, with a limit

One histogram cannot serve a picture that is bright at one end and dark at the other. Here the picture is cut into a
grid and each cell is equalised by itself, blended with its neighbours; `clip` limits how much a common grey may be
pulled apart, which keeps noise down.
"""

import matplotlib.pyplot as plt
from skimage import data

from microtome.steps import adapthisteq, histeq

page = data.page()
pictures = {
    "as it is": page,
    "one histogram for all": histeq(page).pixels,
    "8 x 8 cells, clip 2": adapthisteq(page).pixels,
    "8 x 8 cells, no limit": adapthisteq(page, clip=None).pixels,
}

figure, axes = plt.subplots(2, 2, figsize=(10, 5.4), layout="constrained")
for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.set_axis_off()
plt.show()
