"""Grey levels side by side: by hand, scikit-image on rectangles, and pair by pair on any region."""

import itertools

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import measure
from microtome.measure.regions.texture import LEVELS

NAMES = ("contrast", "correlation", "asm", "energy", "homogeneity", "entropy")


def of(labels, light):
    axes = "zyx"[-labels.ndim :]
    return measure(InstanceMap(labels, axes=axes), Image(light, axes=axes), ["texture"])


def levels(light):
    light = light.astype(np.float64)
    return np.minimum((light - light.min()) * LEVELS // np.ptp(light), LEVELS - 1).astype(np.uint8)


def test_a_row_by_hand():
    table = of(np.ones((1, 4), int), np.array([[0, 0, 9, 9]]))  # pairs 0-0, 0-31, 31-31 in one direction; the others have none
    found = {name: table[f"glcm_{name}"][0] for name in NAMES}
    expected = {"contrast": 31**2 / 3, "correlation": 1 / 3, "asm": 10 / 36, "energy": np.sqrt(10) / 6,
                "homogeneity": 2 / 3 + 1 / 3 / (1 + 31**2), "entropy": 2 / 3 * np.log(3) + 1 / 3 * np.log(6)}  # fmt: skip
    assert found == pytest.approx(expected)
    assert (table["glcm_low"][0], table["glcm_high"][0]) == (0, 9)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_scikit_image_on_rectangles(dtype):
    rng = np.random.default_rng(0)
    light = (rng.random((40, 60)) * 250 + np.arange(60)).astype(dtype)
    labels = np.zeros((40, 60), int)
    labels[3:20, 5:25], labels[20:38, 5:30], labels[0:40, 40:60] = 4, 2, 9
    table = of(labels, light)
    for row, number in enumerate(table["label"]):
        y, x = np.nonzero(labels == number)
        inside = levels(light)[y.min() : y.max() + 1, x.min() : x.max() + 1]
        matrices = graycomatrix(inside, [1], [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4], LEVELS, symmetric=True, normed=True)
        for name in NAMES:
            theirs = graycoprops(matrices, "ASM" if name == "asm" else name).mean()
            assert table[f"glcm_{name}"][row] == pytest.approx(theirs, rel=1e-10), name


def by_pairs(mask, grey):
    """The features averaged over directions, from matrices filled a pair at a time."""
    means = []
    for step in (s for s in itertools.product((-1, 0, 1), repeat=mask.ndim) if s > (0,) * mask.ndim):
        matrix = np.zeros((LEVELS, LEVELS, 1, 1))
        for place in map(tuple, np.argwhere(mask)):
            other = tuple(p + s for p, s in zip(place, step, strict=True))
            if all(0 <= p < n for p, n in zip(other, mask.shape, strict=True)) and mask[other]:
                matrix[grey[place], grey[other]] += 1
                matrix[grey[other], grey[place]] += 1
        if matrix.any():
            means.append([graycoprops(matrix, "ASM" if name == "asm" else name)[0, 0] for name in NAMES])
    return np.mean(means, axis=0) if means else np.full(len(NAMES), np.nan)


@pytest.mark.parametrize("shape", [(14, 17), (4, 5, 6)])
def test_pairs_are_within_a_region_of_any_form(shape):
    rng = np.random.default_rng(1)
    labels, light = rng.integers(0, 4, shape), rng.integers(0, 256, shape).astype(np.uint8)
    table = of(labels, light)
    for row, number in enumerate(table["label"]):
        expected = by_pairs(labels == number, levels(light))
        np.testing.assert_allclose([table[f"glcm_{name}"][row] for name in NAMES], expected)


def test_one_pixel_has_no_texture_and_equal_levels_are_wholly_alike():
    assert np.isnan([of(np.array([[1]]), np.array([[3]]))[f"glcm_{name}"][0] for name in NAMES]).all()
    flat = of(np.ones((4, 4), int), np.full((4, 4), 3.5))
    assert [flat[f"glcm_{name}"][0] for name in NAMES] == [0, 1, 1, 1, 1, 0]


def test_a_picture_of_nothing_but_nan():
    table = of(np.ones((2, 3), int), np.full((2, 3), np.nan))
    assert all(np.isnan(column).all() for name, column in table.columns.items() if name != "label")
