"""Euler numbers and holes: figures by hand, and scikit-image and scipy on any mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.measure import euler_number

from microtome.core.raster import InstanceMap
from microtome.measure.regions import measure

RING = np.pad(np.zeros((1, 1), int), 1, constant_values=1)
FIGURES = {
    "pixel": (np.ones((1, 1), int), 1, 0),
    "ring": (RING, 0, 1),
    "eight": (np.concatenate([RING, RING[1:]]), -1, 2),
    "two parts": (np.array([[1, 0, 1]]), 2, 0),
    "parts that touch at a corner": (np.eye(2, dtype=int), 1, 0),
    "a ring of corners shuts a pixel in": (np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), 0, 1),
    "a ring in a ring": (np.pad(np.pad(RING, 1), 1, constant_values=1), 0, 2),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name):
    figure, euler, holes = FIGURES[name]
    table = measure(InstanceMap(figure), None, ["euler", "holes"])
    assert (table["euler"][0], table["holes"][0]) == (euler, holes)


def test_another_object_in_a_hole_leaves_it_a_hole():
    labels = np.pad(np.full((2, 2), 7), 1, constant_values=1)
    assert measure(InstanceMap(labels), None, ["holes"])["holes"].tolist() == [1, 0]


@settings(max_examples=80, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 2)))
def test_any_mask(labels):
    table = measure(InstanceMap(labels), None, ["euler", "holes"])
    for number, euler, holes in zip(table["label"], table["euler"], table["holes"], strict=True):
        assert euler == euler_number(labels == number, 2)
        assert holes == ndimage.label(np.pad(labels != number, 1, constant_values=True))[1] - 1


def solid(shape=(5, 5, 5)):
    return np.ones(shape, int)


def bodies():
    shell, torus, corner = solid(), solid((1, 3, 3)), np.zeros((2, 2, 2), int)
    shell[1:4, 1:4, 1:4] = 0
    torus[0, 1, 1] = 0
    corner[0, 0, 0] = corner[1, 1, 1] = 1
    return [(solid(), 1), (shell, 2), (torus, 0), (corner, 1), (np.stack([corner[0], 0 * corner[0], corner[1]]), 2)]


@pytest.mark.parametrize("number", range(5))
def test_bodies(number):
    body, euler = bodies()[number]
    for turned in (body, body.transpose(1, 2, 0), body.transpose(2, 0, 1)):
        assert measure(InstanceMap(turned, axes="zyx"), None, ["euler"])["euler"].tolist() == [euler]


@settings(max_examples=80, deadline=None)
@given(arrays(np.int8, st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 2)))
def test_any_volume(labels):
    table = measure(InstanceMap(labels, axes="zyx"), None, ["euler"])
    for number, euler in zip(table["label"], table["euler"], strict=True):
        assert euler == euler_number(labels == number, 3)
