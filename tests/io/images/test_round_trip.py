"""What is written is read back: same values, dtype, axes and spacing."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.io.images import SUFFIXES, is_image, read, write

SIDES = {"y": st.integers(1, 9), "x": st.integers(1, 9), "z": st.integers(2, 4), "c": st.integers(2, 5)}
TIFF_DTYPES = ["u1", "u2", "f4", "i1", "i2", "i4", "u4", "f8"]


@st.composite
def images(draw, axes, dtypes, channels=None):
    axes = draw(st.sampled_from(axes))
    shape = tuple(channels if letter == "c" and channels else draw(SIDES[letter]) for letter in axes)
    pixels = draw(hnp.arrays(draw(st.sampled_from(dtypes)), shape))
    length = st.floats(0.001, 5000).map(lambda s: float(f"{s:.4g}"))
    spacing = draw(st.none() | st.tuples(*[length] * len(axes.rstrip("c"))))
    return Image(pixels, axes, spacing, "um" if spacing else "px")


def there_and_back(image, suffix):
    with tempfile.TemporaryDirectory() as folder, collect_warnings() as said:
        path = Path(folder) / f"x{suffix}"
        write(image, path)
        back = read(path, axes=image.axes if suffix == ".npy" else None)
        assert [p.name for p in Path(folder).iterdir()] == [path.name]
    return back, said


def assert_same(back, image):
    assert (back.axes, back.pixels.dtype) == (image.axes, image.pixels.dtype)
    assert back.pixels.tobytes() == image.pixels.tobytes()


@settings(max_examples=60, deadline=None)
@given(images(["yx", "yxc", "zyx", "zyxc"], TIFF_DTYPES), st.sampled_from([".tif", ".TIFF", ".ome.tif"]))
def test_tiff(image, suffix):
    back, said = there_and_back(image, suffix)
    assert_same(back, image)
    assert (back.spacing, back.unit, said) == (image.spacing, image.unit, [])


@settings(max_examples=40, deadline=None)
@given(images(["yx", "yxc"], ["u1", "u2"], channels=3))
def test_png(image):
    back, said = there_and_back(image, ".png")
    assert_same(back, image)
    if image.spacing is not None and not said:  # a density in whole pixels a metre
        assert back.spacing == pytest.approx(image.spacing, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(images(["yx", "yxc", "zyx", "zyxc"], ["?", "u1", ">i2", "u8", "f2", "f8"]))
def test_npy(image):
    back, _ = there_and_back(image, ".npy")
    assert back.pixels.tobytes() == image.pixels.astype(back.pixels.dtype).tobytes()


@settings(max_examples=20, deadline=None)
@given(images(["yx"], ["u1", "u2"]))
def test_pgm(image):
    assert_same(there_and_back(image, ".pgm")[0], image)


@settings(max_examples=20, deadline=None)
@given(images(["yxc"], ["u1"], channels=3), st.sampled_from([".ppm", ".bmp", ".webp"]))
def test_colour(image, suffix):
    assert_same(there_and_back(image, suffix)[0], image)


@pytest.mark.parametrize(("spacing", "unit"), [((0.65, 0.65), "um"), ((0.1, 0.2), "um"), ((2.0, 3.0), "mm"), ((325.0, 325.0), "nm")])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".ome.tif"])
def test_decimal_spacing_comes_back_exactly(spacing, unit, suffix):
    scale = {"um": 1, "mm": 1000, "nm": 0.001}[unit]
    back, said = there_and_back(Image(np.zeros((2, 2), np.uint8), spacing=spacing, unit=unit), suffix)
    assert (back.spacing, back.unit, said) == (tuple(s * scale for s in spacing), "um", [])


def test_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"unknown format '\.pgn'; did you mean .*\.png"):
        write(Image(np.zeros((2, 2), np.uint8)), tmp_path / "x.pgn")


def test_suffixes():
    assert all(suffix == suffix.lower() and is_image(f"a{suffix.upper()}") for suffix in SUFFIXES)
    assert not is_image("a.txt")


def test_formats_are_imported_when_met():
    import subprocess
    import sys

    code = "import sys, microtome.io.images; print([m for m in ('PIL', 'tifffile', 'imagecodecs', 'numba', 'cv2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
