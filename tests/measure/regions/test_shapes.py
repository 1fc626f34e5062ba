"""Discs, squares, balls, cubes and rods: how near each number comes to the body's own."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from microtome.core.raster import InstanceMap
from microtome.measure.regions import measure


def of(mask, spacing=(1.0, 1.0, 1.0)):
    spacing = spacing[-mask.ndim :]
    table = measure(InstanceMap(mask.astype(np.int32), axes="zyx"[-mask.ndim :], spacing=spacing, unit="um"), None, ["all"])
    return {name: table[name].tolist()[0] for name in table.columns}


def ball(radius, spacing):
    lines = [(np.arange(-int(radius / s) - 2, int(radius / s) + 3) - shift) * s for s, shift in zip(spacing, (0.3, 0.2, 0.1), strict=False)]
    return sum(line**2 for line in np.meshgrid(*lines, indexing="ij")) <= radius**2


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 1.0), (0.5, 1.0)])
def test_a_disc(spacing):
    found = of(ball(30, spacing), spacing)
    assert found["circularity"] == pytest.approx(1, abs=0.01)
    assert found["roundness"] == pytest.approx(1, abs=0.06)
    assert found["solidity"] > 0.97
    assert found["aspect_ratio"] == pytest.approx(1, abs=0.01)
    assert found["extent"] == pytest.approx(math.pi / 4, rel=0.04)
    assert found["feret_max_um"] == pytest.approx(60, abs=max(spacing))
    assert found["feret_min_um"] == pytest.approx(60, abs=2 * max(spacing))
    assert found["inscribed_radius_um"] == pytest.approx(30, abs=max(spacing))


def test_a_ring_is_as_thick_as_its_wall():
    ring = ball(30, (1.0, 1.0)) & ~np.pad(ball(20, (1.0, 1.0)), 10)
    found = of(ring)
    assert (found["euler"], found["holes"]) == (0, 1)
    assert found["inscribed_radius_um"] == pytest.approx(5, abs=1)
    assert found["solidity"] == pytest.approx((900 - 400) / 900, abs=0.01)
    assert found["circularity"] == pytest.approx((900 - 400) / 50**2, abs=0.01)  # its hole is boundary too


@pytest.mark.parametrize(("spacing", "within"), [((1.0, 1.0, 1.0), 0.01), ((3.0, 1.0, 1.0), 0.02)])
def test_a_ball(spacing, within):
    found = of(ball(15, spacing), spacing)
    assert found["volume_um3"] == pytest.approx(4 / 3 * math.pi * 15**3, rel=within)
    assert found["surface_um2"] == pytest.approx(4 * math.pi * 15**2, rel=within)
    assert found["sphericity"] == pytest.approx(1, abs=within)
    assert found["solidity"] > 0.9  # the drawn hull takes in voxels whose centre lies on its border
    assert found["feret_max_um"] == pytest.approx(30, abs=max(spacing))
    assert found["inscribed_radius_um"] == pytest.approx(15, abs=1)
    assert found["extent"] == pytest.approx(math.pi / 6, rel=0.1)


def test_a_cube():
    found = of(np.pad(np.ones((20, 20, 20), int), 2))
    assert (found["volume_px"], found["solidity"], found["extent"], found["euler"]) == (8000, 1, 1, 1)
    assert found["inscribed_radius_px"] == 10
    assert found["feret_max_px"] == pytest.approx(math.sqrt(20**2 + 19**2 + 19**2))
    assert found["surface_px"] == pytest.approx(2400, rel=0.11)  # along the grid, the worst case of Crofton's formula
    assert found["sphericity"] == pytest.approx((math.pi / 6) ** (1 / 3), rel=0.12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (2.5, 0.5, 0.5)])
def test_a_tilted_rod(spacing):
    """A rod of length 40 and radius 6 with round ends, so that no face lies along the grid."""
    axis = np.array([0.48, 0.6, 0.64])
    places = np.stack(np.meshgrid(*(np.arange(-30, 30, step) for step in spacing), indexing="ij"), axis=-1)
    along = np.clip(places @ axis, -20, 20)
    found = of(np.linalg.norm(places - along[..., None] * axis, axis=-1) <= 6, spacing)
    assert found["volume_um3"] == pytest.approx(math.pi * 36 * 40 + 4 / 3 * math.pi * 6**3, rel=0.01)
    assert found["surface_um2"] == pytest.approx(2 * math.pi * 6 * 40 + 4 * math.pi * 36, rel=0.025)
    assert found["feret_max_um"] == pytest.approx(52, abs=max(spacing))
    assert found["inscribed_radius_um"] == pytest.approx(6, abs=0.8)
    assert found["solidity"] > 0.8  # thin, and a hull of whole voxels is drawn thick
    np.testing.assert_allclose([found[f"orientation_{name}"] for name in "zyx"], axis, atol=0.01)


def test_a_pixel_and_a_wire():
    pixel, wire = of(np.ones((1, 1))), of(np.pad(np.ones((1, 9)), 2))
    assert (pixel["inscribed_radius_px"], pixel["solidity"], pixel["extent"], pixel["euler"]) == (1, 1, 1, 1)
    assert math.isnan(pixel["aspect_ratio"])
    assert math.isnan(wire["aspect_ratio"])
    assert (wire["inscribed_radius_px"], wire["eccentricity"], wire["touches_border"]) == (1, 1, 0)
    assert pixel["circularity"] > 1  # told: not held below 1


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0)])
@settings(max_examples=40, deadline=None)
@given(labels=arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)))
def test_the_inscribed_radius_is_the_greatest_distance(spacing, labels):
    table = measure(InstanceMap(labels, spacing=spacing, unit="um"), None, ["inscribed_radius"])
    expected = [ndimage.distance_transform_edt(np.pad(labels == k, 1), spacing).max() for k in table["label"]]
    np.testing.assert_allclose(table["inscribed_radius_um"], expected, rtol=1e-6)
