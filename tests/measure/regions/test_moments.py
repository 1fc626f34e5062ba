"""Moments: OpenCV and scikit-image, and shapes whose moments are integrals."""

import cv2
import numpy as np
import pytest
from skimage.measure import regionprops_table

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import measure

BLOB = np.zeros((30, 40), np.uint8)
BLOB[4:20, 6:12] = BLOB[14:20, 6:30] = BLOB[25, 33] = 1


def values(table):
    return {name: table[name].tolist()[0] for name in table.columns}


def test_opencv_names_the_same_moments_x_first():
    theirs = cv2.moments(BLOB, binaryImage=True)
    ours = values(measure(InstanceMap(BLOB), None, ["central_moments", "normalised_moments", "hu_moments"]))
    for order in (2, 3):
        for across in range(order + 1):
            axes, key = "y" * (order - across) + "x" * across, f"{across}{order - across}"
            assert ours[f"central_moment_{axes}_px{order}"] == pytest.approx(theirs[f"mu{key}"])
            assert ours[f"normalised_moment_{axes}"] == pytest.approx(theirs[f"nu{key}"])
    hu = cv2.HuMoments(theirs).ravel()
    hu[6] *= -1  # x before y is a mirror
    np.testing.assert_allclose([ours[f"hu_{number}"] for number in range(1, 8)], hu, rtol=1e-9, atol=1e-16)


def test_a_disc_has_the_invariants_of_a_disc_at_any_spacing():
    for spacing in ((1.0, 1.0), (1.0, 0.25), (3.0, 1.0)):
        y, x = (np.arange(-40 / step, 40 / step + 1) * step for step in spacing)
        mask = InstanceMap((np.add.outer(y**2, x**2) <= 36**2).astype(int), spacing=spacing, unit="um")
        found = values(measure(mask, None, ["hu_moments", "normalised_moments", "inertia"]))
        assert found["hu_1"] == pytest.approx(1 / (2 * np.pi), rel=1e-3)
        assert found["normalised_moment_yy"] == pytest.approx(1 / (4 * np.pi), rel=1e-2)
        assert [found[f"hu_{number}"] for number in range(2, 8)] == pytest.approx([0] * 6, abs=1e-6)
        assert [found["inertia_1_um2"], found["inertia_2_um2"]] == pytest.approx([36**2 / 4] * 2, rel=1e-2)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.5, 0.7)])
def test_moments_of_volumes_are_scikit_images(spacing):
    labels = np.kron(np.random.default_rng(3).integers(0, 6, (3, 4, 5)), np.ones((3, 4, 3), int))
    mask = InstanceMap(labels, axes="zyx", spacing=spacing, unit="um")
    table = measure(mask, None, ["central_moments", "normalised_moments", "inertia"])
    theirs = regionprops_table(labels, properties=["moments_central", "moments_normalized", "inertia_tensor_eigvals"], spacing=spacing)
    assert sum(name.startswith("central_moment") and name.endswith("_px2") for name in table.columns) == 6
    for axes in ("zz", "zy", "xx", "zzz", "zyx", "yyx", "xxx"):
        key = "-".join(str(axes.count(axis)) for axis in "zyx")
        np.testing.assert_allclose(table[f"central_moment_{axes}_um{len(axes)}"], theirs[f"moments_central-{key}"], atol=1e-7)
        # scikit-image counts voxels where the axes are scaled: the ratio is what a voxel's volume makes of it
        step = np.prod(spacing) / min(spacing) ** 3
        ours = table[f"normalised_moment_{axes}"] * step ** (len(axes) / 3)
        np.testing.assert_allclose(ours, theirs[f"moments_normalized-{key}"], atol=1e-9)
    for number in range(3):
        np.testing.assert_allclose(table[f"inertia_{number + 1}_um2"], theirs[f"inertia_tensor_eigvals-{number}"])


def test_weights_pull_the_centroid():
    light = Image(np.array([[1, 0, 3], [0, 0, 0]]), spacing=(2.0, 0.5), unit="um")
    found = values(measure(InstanceMap(np.array([[1, 1, 1], [0, 0, 0]])), light, ["weighted_centroid"]))
    assert (found["weighted_centroid_y_px"], found["weighted_centroid_x_px"], found["weighted_centroid_x_um"]) == (0, 1.5, 0.75)
    even = values(measure(InstanceMap(BLOB), Image(np.full(BLOB.shape, 7)), ["centroid", "weighted_centroid"]))
    assert even["weighted_centroid_y_px"] == pytest.approx(even["centroid_y_px"])
    dark = measure(InstanceMap(BLOB), Image(np.zeros(BLOB.shape)), ["weighted_centroid"])
    assert np.isnan(dark["weighted_centroid_y_px"]).all()


def test_weighted_centroids_of_volumes_are_scikit_images():
    rng = np.random.default_rng(4)
    labels, light = np.kron(rng.integers(0, 4, (3, 4, 5)), np.ones((2, 2, 3), int)), rng.random((6, 8, 15))
    mask = InstanceMap(labels, axes="zyx", spacing=(3.0, 0.5, 0.7), unit="um")
    table = measure(mask, Image(light, axes="zyx"), ["weighted_centroid"])
    theirs = regionprops_table(labels, light, properties=["centroid_weighted"], spacing=(3.0, 0.5, 0.7))
    for k, axis in enumerate("zyx"):
        np.testing.assert_allclose(table[f"weighted_centroid_{axis}_um"], theirs[f"centroid_weighted-{k}"])
