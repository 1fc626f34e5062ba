"""Count objects in a folder of images, and compare groups.

The folder made here holds six cuttings of one picture, named as a plate reader names them: the plate is in the file's name, and
`group` finds it there. One image is broken on purpose: the others are counted all the same, and the failure is told.

    python examples/count_a_folder.py FOLDER
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from PIL import Image
from skimage import data

import microtome
from microtome.core.events import Done, Failed

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "count-a-folder")
images = folder / "images"
images.mkdir(parents=True, exist_ok=True)
coins = data.coins()
for number, left in enumerate((0, 60, 120)):
    Image.fromarray(coins[:150, left : left + 240]).save(images / f"plate1_{number}.png")
    Image.fromarray(coins[150:, left : left + 240]).save(images / f"plate2_{number}.png")
(images / "plate2_3.png").write_bytes(b"not a picture")

for event in microtome.run("coins", [images], out=folder / "results", group=r"(plate\d+)", overwrite=True):
    if isinstance(event, Done):
        print(f"{event.image}: {len(event.result.objects)} objects")
    elif isinstance(event, Failed):
        print(f"{event.image}: failed, {event.error}")

print("\nby plate:")
with (folder / "results" / "groups.csv").open(newline="") as file:
    for row in csv.DictReader(file):
        print(f"{row['group']}: {row['images']} images, {row['count']} objects, {float(row['mean_count']):.1f} an image")
