"""Polygons, runs and maps of objects say the same area."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.kernels.areas import class_map, instance_map, objects_of, outlines_of, polygons_of, runs_of
from microtome.core.kernels.outlines import fill
from microtome.core.kernels.run_lengths import decode, encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon
from microtome.core.raster import InstanceMap

labels = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(np.int32, s, elements=st.sampled_from([0, 0, 1, 2, 300])))
SQUARE = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])


@given(labels)
def test_a_map_to_objects_and_back(pixels):
    objects = objects_of(InstanceMap(pixels))
    np.testing.assert_array_equal(instance_map(objects).pixels, pixels)
    np.testing.assert_array_equal(fill(outlines_of(objects)).pixels, pixels)
    for item in objects.items:
        np.testing.assert_array_equal(decode(runs_of(Object(1, polygons_of(item)), objects.shape)), pixels == item.number)


def test_classes_and_scores_go_along():
    table = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(4, "rbc"), ClassEntry(9, "wbc")))
    mask = InstanceMap(np.array([[1, 2]]), object_class={1: 9, 2: 4}, object_score={1: 0.5, 2: 0.25}, classes=table)
    objects = objects_of(mask)
    assert [(item.class_name, item.score) for item in objects.items] == [("wbc", 0.5), ("rbc", 0.25)]
    back = instance_map(objects)
    assert (back.object_class, back.object_score, back.classes) == (mask.object_class, mask.object_score, table)
    assert class_map(objects).pixels.tolist() == [[9, 4]]


def test_the_later_object_lies_on_top_and_it_is_told():
    objects = Objects((4, 6), (Object(1, (Polygon(SQUARE),)), Object(2, (Polygon(SQUARE + np.array([0, 2])),))), "a.png")
    with collect_warnings() as said:
        pixels = instance_map(objects).pixels
    assert pixels[0].tolist() == [1, 1, 2, 2, 2, 2]
    assert said == ["a.png: objects overlap in 8 pixels; each pixel went to the later object"]


def test_what_has_no_area_is_left_out_and_told():
    objects = Objects(
        (4, 4), (Object(1, runs=encode(np.eye(4)), crowd=True), Object(2, given_box=(0, 0, 2, 2)), Object(3, (Polygon(SQUARE + 9),)))
    )
    with collect_warnings() as said:
        mask = instance_map(objects)
    assert len(mask) == 0
    assert said[0].startswith("2 of 3 objects are crowds or boxes")
    assert said[1].startswith("1 of 1 objects hold no pixel's centre")
    assert decode(runs_of(objects.items[1], (4, 4))).sum() == 4  # asked for alone, a box is a rectangle


def test_a_map_of_classes_needs_a_class_for_every_object():
    with pytest.raises(InputError, match="object 1 has no class"):
        class_map(Objects((4, 4), (Object(1, (Polygon(SQUARE),)),)))


def test_volumes_have_no_outlines():
    with pytest.raises(InputError, match="take one plane"):
        objects_of(InstanceMap(np.zeros((2, 2, 2), int), axes="zyx"))
