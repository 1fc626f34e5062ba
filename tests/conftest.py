"""What every test may ask for: real pictures, labelled image sets, a browser, and a repeatable Hypothesis."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

# The first call of a kernel compiles it, so no example has a deadline. In CI every run tries the same examples.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def picture() -> Callable[[str], NDArray[Any]]:
    """A picture that comes with scikit-image, by name, read-only: ``picture("coins")``. Nothing is downloaded."""
    from skimage import data

    loaded: dict[str, NDArray[Any]] = {}

    def load(name: str) -> NDArray[Any]:
        if name not in loaded:
            pixels = np.asarray(getattr(data, name)())
            pixels.flags.writeable = False
            loaded[name] = pixels
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def coins(picture: Callable[[str], NDArray[Any]]) -> NDArray[np.uint8]:
    """303 x 384, uint8: 24 bright coins on a ground that is lit from the upper left."""
    return picture("coins")


@pytest.fixture(scope="session")
def astronaut(picture: Callable[[str], NDArray[Any]]) -> NDArray[np.uint8]:
    """512 x 512 x 3, uint8, RGB."""
    return picture("astronaut")


@pytest.fixture(scope="session")
def labelled_sets() -> Path:
    """The folder of labelled image sets named by MICROTOME_DATA, laid out as docs/data.md says. Skips where there is none."""
    named = os.environ.get("MICROTOME_DATA")
    if not named:
        pytest.skip("MICROTOME_DATA names no folder of labelled image sets (docs/data.md says which)")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"MICROTOME_DATA is {named}, which is no folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser to look at reports with. Skips where none is installed, but never in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    if os.environ.get("CI"):
        pytest.fail("no chromium: CI must look at reports in a browser (apt-get install chromium)")
    pytest.skip("no chromium to look at reports with (apt-get install chromium)")


@pytest.fixture(scope="session")
def disc_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 pictures of four noisy discs with their truth, two of each of six patients: ``images/p3_7.png``, ``labels/p3_7.png``."""
    import cv2

    from microtome.core.raster import InstanceMap
    from microtome.io.masks import write_mask

    folder = tmp_path_factory.mktemp("discs")
    (folder / "images").mkdir()
    for number in range(12):
        grey, labels = _discs(np.random.default_rng(number))
        cv2.imwrite(str(folder / "images" / f"p{number // 2}_{number}.png"), grey)
        write_mask(InstanceMap(labels), folder / "labels" / f"p{number // 2}_{number}")
    return folder


def _discs(random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    labels = np.zeros((64, 64), np.int32)
    y, x = np.mgrid[:64, :64]
    for number, (top, left) in enumerate(((16, 16), (16, 47), (47, 16), (47, 47)), 1):
        labels[np.hypot(y - top, x - left) < random.uniform(6, 10)] = number
    grey = 60 + 60 * (labels > 0) + random.normal(0, 30, labels.shape)
    return np.clip(grey, 0, 255).astype(np.uint8), labels
