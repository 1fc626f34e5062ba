"""Touching and nearest regions: by hand, and pixel by pixel on any mask."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.measure.regions import measure

NAMES = ["neighbours", "touching", "touches_border", "nearest_distance"]


def test_by_hand():
    labels = np.array([[0, 0, 0, 0, 0, 0], [0, 1, 2, 2, 0, 0], [0, 1, 2, 2, 0, 3], [0, 0, 0, 0, 4, 0]])
    table = measure(InstanceMap(labels), None, NAMES)
    assert table["neighbours"].tolist() == [1, 1, 0, 0]  # 2 and 4, and 3 and 4, share a corner and no side
    np.testing.assert_allclose(table["touching"], [2 / 6, 2 / 8, 0, 0])
    assert table["touches_border"].tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(table["nearest_distance_px"], [1.5, 1.5, np.sqrt(2), np.sqrt(2)])


def test_sides_have_the_length_the_spacing_gives_them():
    mask = InstanceMap(np.array([[1, 1], [2, 2]]), spacing=(3.0, 1.0), unit="um")
    table = measure(mask, None, NAMES)
    np.testing.assert_allclose(table["touching"], 2 / (2 + 2 + 3 + 3))  # two sides of 1 um shared; the others are the image's border
    np.testing.assert_allclose(table["nearest_distance_um"], 3)
    np.testing.assert_allclose(table["nearest_distance_px"], 3)


def test_one_region_has_no_nearest():
    table = measure(InstanceMap(np.array([[0, 5, 5]]), spacing=(1.0,), unit="um"), None, NAMES)
    assert np.isnan(table["nearest_distance_px"]).all()
    assert np.isnan(table["nearest_distance_um"]).all()


def test_two_regions_in_one_place_are_no_distance_apart():
    labels = np.pad(np.array([[2]]), 1, constant_values=1)
    assert measure(InstanceMap(labels), None, NAMES)["nearest_distance_px"].tolist() == [0, 0]


def test_background_and_ignored_classes_are_no_neighbours():
    classes = ClassTable((ClassEntry(0, "sky", "background"), ClassEntry(1, "cell"), ClassEntry(2, "void", "ignore"), ClassEntry(3, "fat")))
    table = measure(SemanticMap(np.array([[1, 2, 3, 1, 0]], np.uint8), classes=classes), None, ["neighbours", "touching"])
    assert table["neighbours"].tolist() == [1, 1]
    np.testing.assert_allclose(table["touching"], [1 / 8, 1 / 4])


def by_pixels(labels, spacing):
    """Neighbours and the touching share of each number, a side at a time."""
    sides, shared, beside = {}, {}, {}
    padded = np.pad(labels, 1)
    for place in map(tuple, np.argwhere(padded)):
        me = padded[place]
        for axis, way in itertools.product(range(labels.ndim), (-1, 1)):
            other = padded[tuple(p + way * (k == axis) for k, p in enumerate(place))]
            worth = np.prod(spacing) / spacing[axis]
            sides[me] = sides.get(me, 0) + worth * (other != me)
            shared[me] = shared.get(me, 0) + worth * (other not in (0, me))
            beside.setdefault(me, set()).update({other} - {0, me})
    return [len(beside[k]) for k in sorted(sides)], [shared[k] / sides[k] for k in sorted(sides)]


@pytest.mark.parametrize("ndim", [2, 3])
@settings(max_examples=25, deadline=None)
@given(chosen=st.data())
def test_any_mask(ndim, chosen):
    labels = chosen.draw(arrays(np.int8, st.tuples(*[st.integers(1, 9 - 2 * ndim)] * ndim), elements=st.integers(0, 4)))
    spacing = (2.0, 0.5, 1.0)[-ndim:]
    table = measure(InstanceMap(labels, axes="zyx"[-ndim:], spacing=spacing, unit="um"), None, NAMES)
    neighbours, touching = by_pixels(labels, spacing)
    assert table["neighbours"].tolist() == neighbours
    np.testing.assert_allclose(table["touching"], touching)
