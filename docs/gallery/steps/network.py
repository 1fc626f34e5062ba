"""Network: windows that overlap, so that nobody sees them

A large image does not fit through a network at once. It is cut into windows, and what is said of each is put together again. At
the sides of a window a network sees less of the surroundings and is worse; where windows overlap, each counts less towards its own
sides, and the seams are gone.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from microtome.steps import network

# %%
# The network here was not trained, so that all of it can be said: [`local_contrast.onnx`](local_contrast.onnx) holds one convolution,
# a pixel minus the mean of the 31 x 31 around it, times 0.2, minus 1. Like most networks it takes what lies beyond its window for 0,
# so along the sides it thinks the surroundings dark and the pixel bright.
coins = data.coins()
weights = str(Path(__file__).with_name("local_contrast.onnx"))
options = {"weights": weights, "activation": "sigmoid", "layers": ("bright",), "window": 128}
apart = network(coins, **options, overlap=0)
blended = network(coins, **options, overlap=64)
single = network(coins, **(options | {"window": 400}))

figure, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
axes[0].imshow(coins, cmap="gray")
axes[0].set_title("as it is")
for axis, scores, title in ((axes[1], apart, "windows of 128, overlap 0"), (axes[2], blended, "overlap 64")):
    axis.imshow(scores.pixels[..., 0], cmap="viridis", vmin=0, vmax=1)
    axis.set_title(title)
for axis in axes:
    axis.set_axis_off()
plt.show()

# %%
# At the picture's own frame nothing overlaps, and a rim stays; a network that pads nothing has none, since its windows are cut larger
# by `margin` and mirrored there. Away from the frame, this is how far the scores are from those of one window over everything:
inside = np.s_[16:-16, 16:-16]
for title, scores in (("overlap 0", apart), ("overlap 64", blended)):
    print(f"{title}: {np.abs(scores.pixels - single.pixels)[inside].mean():.4f} a pixel")

# %%
# The grid starts at the image's first pixel and follows from `window` and `overlap` alone. `batch`, how many windows are computed at
# once, is a matter of memory and speed:
one, many = (network(coins, **options, overlap=64, batch=batch) for batch in (1, 12))
print("the same bytes:", one.pixels.tobytes() == many.pixels.tobytes())
