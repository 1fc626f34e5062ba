"""Masks in their boxes, and the short ways that give what the long ones give."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import polygons_of, runs_of
from microtome.core.kernels.outlines import fill, trace
from microtome.core.kernels.patches import patch_of, runs_at, union
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object
from microtome.core.outlines import Outlines, Polygon
from microtome.core.raster import InstanceMap

masks = arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))
corners = st.lists(st.tuples(*[st.one_of(st.integers(-3, 10), st.floats(-3, 10))] * 2), min_size=3, max_size=6)


@given(mask=masks)
def test_a_patch_is_the_mask_in_its_smallest_box(mask):
    pixels, top, left = patch_of(encode(mask))
    again = np.zeros_like(mask)
    again[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    np.testing.assert_array_equal(again, mask)
    assert not pixels.size or all(edge.any() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


@given(pixels=masks, top=st.integers(-8, 8), left=st.integers(-8, 8), shape=st.tuples(st.integers(1, 7), st.integers(1, 7)))
def test_runs_at_a_place_are_those_of_the_painted_image(pixels, top, left, shape):
    canvas = np.zeros((40, 40), bool)
    canvas[16 + top : 16 + top + pixels.shape[0], 16 + left : 16 + left + pixels.shape[1]] = pixels
    expected = encode(canvas[16 : 16 + shape[0], 16 : 16 + shape[1]])
    assert runs_at(pixels, top, left, shape).counts.tolist() == expected.counts.tolist()


@given(rings=st.lists(corners, min_size=1, max_size=3))
def test_polygons_are_painted_as_on_the_whole_image(rings):
    polygons = tuple(Polygon(np.array(ring, float)) for ring in rings)
    with collect_warnings():
        expected = encode(fill(Outlines((8, 7), {1: polygons})).pixels)
    assert runs_of(Object(1, polygons), (8, 7)).counts.tolist() == expected.counts.tolist()


@given(mask=masks)
def test_outlines_are_those_of_the_whole_image(mask):
    item = Object(1, runs=encode(mask))
    short, long = polygons_of(item), trace(InstanceMap(mask)).objects.get(1, ())
    assert len(short) == len(long)
    for mine, other in zip(short, long, strict=True):
        for ring, same in zip((mine.outer, *mine.holes), (other.outer, *other.holes), strict=True):
            np.testing.assert_array_equal(ring, same)
    assert runs_of(replace(item, runs=None, polygons=short), mask.shape).counts.tolist() == encode(mask).counts.tolist() or not short


@given(stack=arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))))
def test_a_union_has_what_any_has(stack):
    found = union([encode(mask) for mask in stack])
    np.testing.assert_array_equal(decode(found), stack.any(axis=0))
    assert found.counts.tolist() == encode(stack.any(axis=0)).counts.tolist()
