"""Convex hulls and caliper widths: by hand, against scikit-image, and against every pair of points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage import data
from skimage.measure import label, regionprops_table

from microtome.core.raster import InstanceMap
from microtome.measure.regions import measure

FLAT = ["convex_area", "solidity", "feret_max", "feret_min", "feret_angle"]
SOLID = ["convex_volume", "solidity", "feret_max"]


def of(mask, spacing=None):
    mask = np.asarray(mask, np.int32)
    table = measure(InstanceMap(mask, axes="zyx"[-mask.ndim :], spacing=spacing, unit="um"), None, FLAT if mask.ndim == 2 else SOLID)
    return {name: table[name].tolist()[0] for name in table.columns}


def middles(mask, spacing):
    """The middles of all sides (faces) of the pixels, a loop-free second way to the points of the hull."""
    steps = np.concatenate([np.eye(mask.ndim), -np.eye(mask.ndim)]) / 2
    return (np.argwhere(mask)[:, None] + steps).reshape(-1, mask.ndim) * spacing


def test_a_pixel_and_a_line():
    pixel, line = of([[1]]), of([[1, 1, 1, 1, 1]])
    assert (pixel["convex_area_px"], pixel["solidity"], pixel["feret_max_px"], pixel["feret_angle_rad"]) == (1, 1, 1, 0)
    assert pixel["feret_min_px"] == pytest.approx(np.sqrt(0.5))  # the square on its tip that the four middles make
    assert (line["convex_area_px"], line["feret_max_px"], line["feret_min_px"]) == (5, 5, 1)
    assert line["feret_angle_rad"] == pytest.approx(np.pi / 2)
    slanting = of(np.eye(6, dtype=int))
    assert (slanting["convex_area_px"], slanting["solidity"]) == (6, 1)
    assert slanting["feret_max_px"] == pytest.approx(np.hypot(5, 6))


def test_an_l_and_a_rectangle():
    shape = np.zeros((3, 3), int)
    shape[:, 0] = shape[2] = 1
    assert of(shape)["convex_area_px"] == 6  # the pixel in the middle lies on the hull's border
    assert of(shape)["solidity"] == pytest.approx(5 / 6)
    box = of(np.ones((20, 10)))
    assert (box["convex_area_px"], box["feret_min_px"]) == (200, 10)
    assert box["feret_max_px"] == pytest.approx(np.hypot(20, 9))
    assert abs(box["feret_angle_rad"]) == pytest.approx(np.arctan2(9, 20))


def test_flat_bodies_have_a_hull():
    assert (of(np.ones((1, 1, 1)))["convex_volume_px"], of(np.ones((1, 1, 1)))["feret_max_px"]) == (1, 1)
    assert of(np.ones((1, 1, 1)), (3.0, 1.0, 1.0))["feret_max_um"] == 3
    assert (of(np.ones((1, 1, 5)))["convex_volume_px"], of(np.ones((1, 1, 5)))["feret_max_px"]) == (5, 5)
    plate = np.zeros((3, 6, 6), int)
    plate[1, 1:5, 1:4] = 1
    for turned in (plate, plate.transpose(1, 2, 0), plate.transpose(2, 0, 1)):
        assert (of(turned)["convex_volume_px"], of(turned)["solidity"]) == (12, 1)
        assert of(turned)["feret_max_px"] == pytest.approx(np.hypot(4, 2))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 0.5)])
@settings(max_examples=60, deadline=None)
@given(mask=arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any))
def test_widths_are_those_of_all_points(spacing, mask):
    points = middles(mask, spacing)
    found = of(mask, spacing)
    assert found["feret_max_um"] == pytest.approx(pdist(points).max())
    normals = ConvexHull(points).equations[:, :2]
    assert found["feret_min_um"] == pytest.approx(np.ptp(points @ normals.T, axis=0).min())
    along = np.array([np.cos(found["feret_angle_rad"]), np.sin(found["feret_angle_rad"])])
    assert np.ptp(points @ along) == pytest.approx(found["feret_max_um"])


@settings(max_examples=30, deadline=None)
@given(arrays(bool, st.tuples(*[st.integers(1, 5)] * 3)).filter(np.any))
def test_the_width_of_a_body_is_that_of_all_points(mask):
    assert of(mask, (2.0, 1.0, 0.5))["feret_max_um"] == pytest.approx(pdist(middles(mask, (2.0, 1.0, 0.5))).max())


@pytest.mark.parametrize("seed", range(4))
def test_volumes_have_scikit_images_convex_volume(seed):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 12, (5, 6, 4)), np.ones((2, 1, 3), int)) if seed % 2 else rng.integers(0, 40, (9, 12, 10))
    peer = regionprops_table(labels, properties=["area_convex", "solidity"])
    table = measure(InstanceMap(labels, axes="zyx"), None, SOLID)
    np.testing.assert_array_equal(table["convex_volume_px"], peer["area_convex"])
    np.testing.assert_array_equal(table["solidity"], peer["solidity"])


def test_scikit_image_measures_the_drawn_hull_and_is_at_most_a_pixel_longer():
    labels = label(data.coins() > 110)
    theirs = regionprops_table(labels, properties=["feret_diameter_max"])["feret_diameter_max"]
    ours = measure(InstanceMap(labels), None, ["feret_max"])["feret_max_px"]
    assert (ours <= theirs + 1e-9).all()
    assert (theirs <= ours + 1).all()
    assert np.isclose(ours, theirs).mean() > 0.7  # the same where no more pixel centre lies on the hull's border


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.5), (2.0, 1.0)])
@pytest.mark.parametrize("angle", [-1.2, 0.4, 1.0])
def test_a_turned_rod_is_read_back(spacing, angle):
    y, x = np.mgrid[-50:51, -101:102] * np.array(spacing)[:, None, None]
    along, across = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
    found = of((abs(along) <= 40) & (abs(across) <= 8), spacing)
    assert found["feret_max_um"] == pytest.approx(np.hypot(80, 16), abs=2)
    assert found["feret_min_um"] == pytest.approx(16, abs=2)
    assert abs(found["feret_angle_rad"] - angle) == pytest.approx(np.arctan2(16, 80), abs=0.05)  # a diagonal of the rod
    assert found["solidity"] > 0.9  # pixels whose centre lies on the hull's border
