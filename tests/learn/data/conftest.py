"""A folder to write small labelled images into, laid out as people lay them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture


class Folder:
    """Pictures of noise and masks of 12 x 16 pixels, by their path in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seed = 0

    def save(self, name: str, pixels: NDArray[Any], **options: Any) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Picture.fromarray(pixels).save(path, **options)
        return path

    def picture(self, *names: str, shape: tuple[int, ...] = (12, 16)) -> None:
        for name in names:
            self._seed += 1
            self.save(name, np.random.default_rng(self._seed).integers(0, 255, shape, np.uint8))

    def mask(self, *names: str, values: Sequence[Sequence[int]] = ((1, 1, 0, 2), (1, 0, 0, 2))) -> None:
        for name in names:
            self.save(name, np.kron(np.array(values, np.uint8), np.ones((6, 4), np.uint8)))

    def text(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty one."""
    return Folder(tmp_path / "data")
