"""Outlines along pixel edges: filling what was traced gives the same objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.outlines import fill, trace
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap

labels = arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def rings(outlines):
    return [ring for polygons in outlines.objects.values() for polygon in polygons for ring in (polygon.outer, *polygon.holes)]


def doubled_area(ring):
    y, x = ring.T
    return np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))


def random_maps():
    """Objects with holes, several parts and pixels that touch at corners, at several densities."""
    rng = np.random.default_rng(1)
    for density in (0.3, 0.5, 0.6, 0.7, 0.85, 0.95):
        for shape in ((1, 1), (1, 9), (9, 1), (13, 17), (40, 40)):
            yield (rng.random(shape) < density) * rng.integers(1, 3, shape)
            yield (rng.random(shape) < density).astype(int)


@given(labels)
@settings(max_examples=150)
def test_filling_what_was_traced_gives_the_same_objects(pixels):
    np.testing.assert_array_equal(fill(trace(InstanceMap(pixels))).pixels, pixels)


@pytest.mark.parametrize("pixels", list(random_maps()))
def test_rings_are_closed_simple_and_right_angled(pixels):
    outlines = trace(InstanceMap(pixels))
    np.testing.assert_array_equal(fill(outlines).pixels, pixels)
    for ring in rings(outlines):
        assert len(np.unique(ring, axis=0)) == len(ring), "a ring touches itself"
        along_y, along_x = (np.roll(ring, -1, axis=0) - ring).T
        assert ((along_y == 0) != (along_x == 0)).all()
        assert ((along_y == 0) != (np.roll(along_y, -1) == 0)).all(), "a corner on a straight line"


@pytest.mark.parametrize("pixels", list(random_maps()))
def test_areas_of_rings_add_up_to_pixels(pixels):
    for number, polygons in trace(InstanceMap(pixels)).objects.items():
        for polygon in polygons:
            assert doubled_area(polygon.outer) > 0
            assert all(doubled_area(hole) < 0 for hole in polygon.holes)
        area = sum(doubled_area(ring) for polygon in polygons for ring in (polygon.outer, *polygon.holes)) / 2
        assert area == (pixels == number).sum()


def test_the_square_of_rows_2_to_7_has_corners_2_and_8():
    square = np.zeros((12, 12), int)
    square[2:8, 2:8] = 5
    (polygon,) = trace(InstanceMap(square)).objects[5]
    assert sorted(map(tuple, polygon.outer.tolist())) == [(2, 2), (2, 8), (8, 2), (8, 8)]
    assert polygon.outer.dtype == np.float64
    assert not polygon.holes


def test_pixels_that_meet_at_a_corner_are_two_parts():
    assert len(trace(InstanceMap(np.eye(3, dtype=int))).objects[1]) == 3


def test_a_hole_that_meets_the_outside_at_a_corner_is_a_hole():
    pixels = np.ones((4, 4), int)
    pixels[0, 0] = pixels[1, 1] = 0
    (polygon,) = trace(InstanceMap(pixels)).objects[1]
    assert len(polygon.holes) == 1
    assert len(polygon.outer) == 6


def test_an_island_in_a_hole_has_holes_of_its_own():
    pixels = np.zeros((13, 13), int)
    for edge, value in ((0, 1), (2, 0), (4, 1), (6, 0)):
        pixels[edge : 13 - edge, edge : 13 - edge] = value
    polygons = trace(InstanceMap(pixels)).objects[1]
    assert [len(polygon.holes) for polygon in polygons] == [1, 1]
    assert [np.ptp(polygon.outer[:, 0]) for polygon in polygons] == [13, 5]
    assert [np.ptp(polygon.holes[0][:, 0]) for polygon in polygons] == [9, 1]


def test_class_names_go_along():
    mask = InstanceMap(np.array([[1, 2]]), object_class={1: 1}, classes=ClassTable.binary("nucleus"))
    outlines = trace(mask)
    assert outlines.class_names == {1: "nucleus"}
    back = fill(outlines)
    assert back.classes.name_of(back.object_class[1]) == "nucleus"


def test_empty_map_has_no_outlines():
    outlines = trace(InstanceMap(np.zeros((3, 4), int)))
    assert outlines.shape == (3, 4)
    assert outlines.objects == {}
    assert fill(outlines).pixels.shape == (3, 4)


def test_70000_objects_and_a_comb_of_corners():
    pixels = np.arange(1, 70001).reshape(200, 350)
    np.testing.assert_array_equal(fill(trace(InstanceMap(pixels))).pixels, pixels)
    comb = np.ones((200, 200), int)
    comb[1::2, 1::2] = 0
    assert len(trace(InstanceMap(comb[:-1, :-1])).objects[1][0].holes) == 99 * 99
    np.testing.assert_array_equal(fill(trace(InstanceMap(comb))).pixels, comb)


def test_a_volume_is_refused():
    with pytest.raises(InputError, match="2-D masks"):
        trace(InstanceMap(np.ones((2, 2, 2), int), axes="zyx"))


def polygon_by_definition(ring, shape):
    """Each pixel's centre by counting the edges on its left: slow and plain."""
    inside = np.zeros(shape, bool)
    for row, column in np.ndindex(shape):
        y, x = row + 0.5, column + 0.5
        for (y0, x0), (y1, x1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                inside[row, column] ^= True
    return inside


@given(arrays(np.float64, st.tuples(st.integers(3, 7), st.just(2)), elements=st.integers(-12, 60).map(lambda k: k / 4)))
@settings(max_examples=80)
def test_any_polygon_is_filled_by_pixel_centres(ring):
    with collect_warnings():
        filled = fill(Outlines((9, 11), {1: (Polygon(ring),)}))
    np.testing.assert_array_equal(filled.pixels > 0, polygon_by_definition(ring, (9, 11)))


def test_overlaps_and_vanished_objects_are_told():
    square = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])
    tiny = np.array([[0.1, 0.1], [0.1, 0.2], [0.2, 0.2]])
    with collect_warnings() as warnings:
        mask = fill(Outlines((6, 6), {1: (Polygon(square),), 2: (Polygon(square + 2),), 3: (Polygon(tiny),)}))
    assert mask.pixels[2, 2] == 2
    assert "overlap in 4 pixels" in warnings[0]
    assert "1 of 3 objects" in warnings[1]


@pytest.mark.parametrize("far", [float("nan"), float("inf"), 1e200])
def test_a_corner_from_nowhere_is_refused(far):
    ring = np.array([[0.0, 0.0], [0.0, 4.0], [far, 0.0]])
    with pytest.raises(InputError, match="not finite, or more than"):
        fill(Outlines((9, 9), {1: (Polygon(ring),)}))
