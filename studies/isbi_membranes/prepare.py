"""ISBI 2012 as cells: each piece of interior becomes an object. See README.md beside this file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np


def main() -> None:
    """Write ``OUT/train``, ``OUT/val`` and ``OUT/test``, each with images and labels."""
    root = os.environ.get("MICROTOME_DATA")
    if not root or len(sys.argv) != 2:
        sys.exit("MICROTOME_DATA=/path/to/data python studies/isbi_membranes/prepare.py OUT")
    out = Path(sys.argv[1])
    for part in ("train", "val", "test"):
        source = Path(root) / "isbi2012" / part
        for folder in ("images", "labels"):
            (out / part / folder).mkdir(parents=True, exist_ok=True)
        for image in sorted((source / "images").glob("*.png")):
            interior = cv2.imread(str(source / "labels" / image.name), cv2.IMREAD_GRAYSCALE) > 0
            _, cells = cv2.connectedComponents(interior.astype(np.uint8), connectivity=4)
            shutil.copyfile(image, out / part / "images" / image.name)
            cv2.imwrite(str(out / part / "labels" / image.name), cells.astype(np.uint16))


if __name__ == "__main__":
    main()
