"""Draw the picture at the head of the README: coins as they are, and with the outlines of the objects found.

Run it from the repository's root when the recipe `coins` changes: python docs/images/make.py
"""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from skimage.segmentation import find_boundaries

import microtome

SCALE = 2
ORANGE = (255, 150, 30)

coins = data.coins()
result = microtome.segment(coins, "coins")
labels = np.kron(result.mask.pixels, np.ones((SCALE, SCALE), np.int32))
picture = np.stack([np.kron(coins, np.ones((SCALE, SCALE), np.uint8))] * 3, axis=-1)
outlined = np.where(find_boundaries(labels, mode="thick")[..., None], np.uint8(ORANGE), picture)
gap = np.full((len(picture), 16, 3), 255, np.uint8)

path = Path(__file__).with_name("coins.png")
Image.fromarray(np.hstack([picture, gap, outlined])).quantize(128).save(path, optimize=True)
print(f"{path.name}: {len(result.mask)} objects")
