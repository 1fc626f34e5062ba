"""Runs by scan lines are the painted pixels, and need memory for themselves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import runs_of
from microtome.core.kernels.outlines import fill
from microtome.core.kernels.run_lengths import check, decode
from microtome.core.kernels.scan_lines import scan, scan_rows
from microtome.core.objects import Object
from microtome.core.outlines import Outlines, Polygon

corner = st.tuples(*[st.one_of(st.integers(-3, 14), st.integers(-6, 28).map(lambda n: n / 2), st.floats(-3, 14))] * 2)
rings = st.lists(corner, min_size=1, max_size=9).map(lambda points: np.array(points, np.float64))
polygons = st.builds(Polygon, rings, st.lists(rings, max_size=2).map(tuple))


@given(parts=st.lists(polygons, min_size=1, max_size=3).map(tuple), shape=st.tuples(st.integers(1, 12), st.integers(1, 12)))
@settings(max_examples=300)
def test_the_runs_of_polygons_are_the_pixels_that_painting_gives(parts, shape):
    found = runs_of(Object(1, parts), shape)
    check(found)
    assert (found.counts[1:] > 0).all()
    with collect_warnings():
        np.testing.assert_array_equal(decode(found), fill(Outlines(shape, {1: parts})).pixels > 0)


@given(mask=arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))), top=st.integers(-9, 9), left=st.integers(-9, 9))
def test_runs_along_the_rows_of_a_box_stand_in_their_place(mask, top, left):
    flat = np.concatenate([[False], mask.ravel()])
    counts = np.diff(np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]), [mask.size]]))
    found = scan_rows(counts, mask.shape, top, left, (8, 7))
    check(found)
    expected = np.zeros((27, 27), bool)
    expected[top + 9 : top + 9 + mask.shape[0], left + 9 : left + 9 + mask.shape[1]] = mask
    np.testing.assert_array_equal(decode(found), expected[9:17, 9:16])


@pytest.mark.parametrize("far", [np.nan, np.inf, 1e18, 1e200, 1.7e308])
def test_corners_that_no_image_reaches_are_refused(far):
    ring = np.array([[0.0, 0.0], [0.0, 9.0], [far, 9.0], [9.0, -far]])
    for one in (Polygon(ring), Polygon(ring[:2].repeat(2, axis=0), (ring,))):
        with pytest.raises(InputError, match="not finite, or more than"):
            scan(one, (9, 9))


def test_an_area_larger_than_any_memory_is_measured():
    side = 1 << 17  # 17 thousand million pixels
    triangle = Polygon(np.array([[0.0, 0.0], [0.0, side], [side, 0.0]]))
    assert scan(triangle, (side, side)).area == side * (side - 1) // 2  # centres on the slanted edge lie left of it, and are not inside
    whole = scan_rows(np.array([0, side * side]), (side, side), 0, 0, (side, side))
    assert (whole.area, whole.counts.tolist()) == (side * side, [0, side * side])


def test_an_outline_that_goes_in_and_out_without_end_is_refused():
    side = 1 << 15
    teeth = np.arange(side // 2)[:, None] * [2.0, 2.0, 2.0, 2.0] + [0, 0, 1, 1]
    across = np.broadcast_to([0.0, side, side, 0.0], teeth.shape)
    with pytest.raises(InputError, match="goes in and out more than"):
        scan(Polygon(np.column_stack([teeth.ravel(), across.ravel()])), (side, side))
