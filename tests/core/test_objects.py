"""Objects that overlap: their numbers, boxes and classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.kernels.run_lengths import encode
from microtome.core.objects import Object, Objects
from microtome.core.outlines import Polygon

SQUARE = np.array([[2.0, 2.0], [2.0, 8.0], [8.0, 8.0], [8.0, 2.0]])
masks = arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7)))


@given(masks)
def test_the_box_of_runs_is_the_smallest_around_the_mask(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    expected = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if mask.any() else (0, 0, 0, 0)
    assert encode(mask).box == expected
    assert encode(mask).area == mask.sum()


def test_the_box_given_stands_before_the_one_around_the_polygons():
    assert Object(1, (Polygon(SQUARE),)).box == (2, 2, 8, 8)
    assert Object(1, (Polygon(SQUARE),), given_box=(0, 0, 9, 9)).box == (0, 0, 9, 9)


def test_classes_are_numbered_by_name_unless_a_table_is_given():
    items = (Object(1, (Polygon(SQUARE),), class_name="wbc"), Object(2, (Polygon(SQUARE),), class_name="rbc"))
    assert [(entry.value, entry.name) for entry in Objects((9, 9), items).classes] == [(1, "rbc"), (2, "wbc")]
    with pytest.raises(InputError, match=r"a\.png: class wbc is not in the class table \(rbc\)"):
        Objects((9, 9), items, "a.png", ClassTable((ClassEntry(7, "rbc"),)))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="two objects have the same number"):
        Objects((9, 9), (Object(1), Object(1)))
    with pytest.raises(InputError, match=r"object 3: its mask is \(2, 2\), the image \(9, 9\)"):
        Objects((9, 9), (Object(3, runs=encode(np.ones((2, 2)))),))
