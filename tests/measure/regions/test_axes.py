"""The ellipse of second moments: shapes whose axes are known, and spacing that differs by axis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtome.core.raster import InstanceMap
from microtome.measure.regions import measure

AXES = ["major_axis", "minor_axis", "eccentricity", "orientation"]


def ellipse(major, minor, angle, spacing=(1.0, 1.0)):
    """A drawn ellipse, `angle` from the y axis towards the x axis."""
    ny, nx = (int(major / s) + 2 for s in spacing)
    y, x = np.mgrid[-ny : ny + 1, -nx : nx + 1] * np.array(spacing)[:, None, None]
    along, across = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
    return (2 * along / major) ** 2 + (2 * across / minor) ** 2 <= 1


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-1.5, 1.5), step=st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_a_drawn_ellipse_is_read_back_at_any_spacing(angle, step):
    mask = InstanceMap(ellipse(80, 40, angle, (1.0, step)).astype(int), spacing=(1.0, step), unit="um")
    table = measure(mask, None, AXES)
    assert table["major_axis_um"][0] == pytest.approx(80, rel=0.02)
    assert table["minor_axis_um"][0] == pytest.approx(40, rel=0.02)
    assert table["eccentricity"][0] == pytest.approx(np.sqrt(0.75), rel=0.01)
    assert table["orientation_rad"][0] == pytest.approx(angle, abs=0.02)
    assert table["major_axis_px"][0] == pytest.approx(80 / min(1.0, step), rel=0.02)  # pixels of the finest axis


def test_a_straight_line_has_no_width():
    table = measure(InstanceMap(np.eye(9, dtype=int)), None, AXES)
    assert (table["minor_axis_px"][0], table["eccentricity"][0]) == (0, 1)
    assert table["orientation_rad"][0] == pytest.approx(np.pi / 4)
    assert table["major_axis_px"][0] == pytest.approx(4 * np.sqrt(2 * np.var(np.arange(9))))


def test_moments_far_from_the_origin_lose_nothing():
    shape = ellipse(20, 8, 0.3)
    there = np.zeros((80, 60_000), np.uint8)
    there[30 : 30 + shape.shape[0], 59_950 : 59_950 + shape.shape[1]] = shape
    near, far = (measure(InstanceMap(a), None, AXES) for a in (shape.astype(np.uint8), there))
    for name in near.columns:
        np.testing.assert_allclose(far[name], near[name], rtol=1e-12)


def test_a_ball_is_round_and_an_ellipsoid_points_along_its_axis():
    z, y, x = np.mgrid[-12:13, -12:13, -25:26] * np.array([2.0, 1.0, 1.0]).reshape(3, 1, 1, 1)
    body = (z / 10) ** 2 + (y / 12) ** 2 + (x / 24) ** 2 <= 1
    mask = InstanceMap(body.astype(int), axes="zyx", spacing=(2.0, 1.0, 1.0), unit="um")
    table = measure(mask, None, ["major_axis", "middle_axis", "minor_axis", "orientation"])
    assert [round(float(table[f"{name}_axis_um"][0])) for name in ("major", "middle", "minor")] == [48, 24, 20]
    np.testing.assert_allclose([table[f"orientation_{name}"][0] for name in "zyx"], [0, 0, 1], atol=1e-9)
