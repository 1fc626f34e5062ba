"""decode(encode(x)) is x: for what each target can tell apart, and with what it cannot stated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.targets import catalogue
from microtome.targets.heads import perfect_scores

from .shapes import label_images, same_objects, with_whole_interiors


def there_and_back(name, mask, decoding=None, **settings):
    target = catalogue.load(name, settings)
    with collect_warnings():
        encoded = target.encode(mask)
    heads = target.heads(mask.classes, mask.ndim)
    assert set(encoded) == {head.name for head in heads}
    return target.decode(perfect_scores(encoded, heads, mask), **(decoding or {}))


def in_any_dimension(test):
    return pytest.mark.parametrize("ndim", [2, 3])(test)


@in_any_dimension
@given(data=st.data())
def test_interiors_come_back(ndim, data):
    labels = with_whole_interiors(data.draw(label_images(ndim)))
    mask = InstanceMap(labels, axes="zyx"[-ndim:])
    assert same_objects(there_and_back("interior_border", mask).pixels, labels)


@in_any_dimension
@given(data=st.data())
def test_distances_come_back(ndim, data):
    labels = with_whole_interiors(data.draw(label_images(ndim)))
    mask = InstanceMap(labels, axes="zyx"[-ndim:])
    assert same_objects(there_and_back("signed_distance", mask).pixels, labels)
    raw = there_and_back("signed_distance", mask, {"interior": 1.2}, normalise="none")
    assert same_objects(raw.pixels, labels)


@in_any_dimension
@given(data=st.data(), name=st.sampled_from(["interior_border", "signed_distance"]))
def test_objects_that_touch_no_other_need_no_interior(ndim, data, name):
    pieces, _ = ndimage.label(data.draw(label_images(ndim)) > 0)
    labels = pieces.astype(np.int32)
    for number in range(1, labels.max() + 1):
        own = labels == number
        core = own & ndimage.binary_erosion(own, border_value=1)
        if ndimage.label(core, np.ones((3,) * ndim))[1] > 1:
            labels[own] = 0
    if ndim == 3 and ndimage.label(labels > 0, np.ones((3,) * 3))[1] != len(np.unique(labels)) - 1:
        return  # interiors may meet at a corner
    mask = InstanceMap(labels, axes="zyx"[-ndim:])
    assert same_objects(there_and_back(name, mask).pixels, labels)


@in_any_dimension
@given(data=st.data(), centre=st.sampled_from(["mass", "medoid"]))
def test_centres_come_back(ndim, data, centre):
    labels = data.draw(label_images(ndim))
    centres = []
    for number in np.unique(labels[labels > 0]):
        middle = np.argwhere(labels == number).mean(0)
        if any(np.abs(middle - other).max() <= 5 for other in centres):
            labels[labels == number] = 0  # nearer than min_distance and a pixel of each: they may be one
        else:
            centres.append(middle)
    mask = InstanceMap(labels, axes="zyx"[-ndim:])
    if centre == "medoid":
        at = [np.argwhere(labels == n) for n in np.unique(labels[labels > 0])]
        moved = [p[((p - p.mean(0)) ** 2).sum(1).argmin()] for p in at]
        if any(np.abs(a - b).max() <= 4 for k, a in enumerate(moved) for b in moved[:k]):
            return
    assert same_objects(there_and_back("centre_offset", mask, centre=centre, sigma=2).pixels, labels)


@in_any_dimension
@given(data=st.data())
def test_classes_come_back(ndim, data):
    labels = data.draw(label_images(ndim))
    found = np.unique(np.append(labels, [0, 3]))
    table = ClassTable(tuple(ClassEntry(int(v), f"kind {v}", "stuff") for v in found))
    mask = SemanticMap(labels, axes="zyx"[-ndim:], classes=table)
    back = there_and_back("classes", mask, {"values": [int(v) for v in found]})
    np.testing.assert_array_equal(back.pixels, labels)
    assert [(e.value, e.name) for e in back.classes] == [(e.value, e.name) for e in table]


def test_geometry_stays():
    labels = np.zeros((6, 8, 8), np.int32)
    labels[1:5, 1:7, 1:7] = 4
    mask = InstanceMap(labels, axes="zyx", spacing=(2, 1, 1), unit="um", source="a.tif")
    for name in catalogue.names():
        back = there_and_back(name, mask)
        assert (back.axes, back.spacing, back.unit, back.source) == ("zyx", (2, 1, 1), "um", "a.tif")
        assert np.array_equal(back.pixels > 0, labels > 0)


@pytest.mark.parametrize("name", ["interior_border", "signed_distance"])
def test_what_does_not_come_back(name):
    """The exceptions the decoders state, one by one."""
    thin = np.zeros((5, 9), int)
    thin[1:4, 1:5], thin[1:4, 5:7] = 1, 2  # two columns wide, beside a block: all border
    assert len(there_and_back(name, InstanceMap(thin))) == 1
    bell = np.zeros((7, 13), int)
    bell[1:6, 1:6] = bell[1:6, 7:12] = bell[3, 6] = 1  # a dumbbell: its interior is in two pieces
    assert len(there_and_back(name, InstanceMap(bell))) == 2
    apart = np.zeros((5, 9), int)
    apart[1:4, 1:4] = apart[1:4, 5:8] = 1
    assert len(there_and_back(name, InstanceMap(apart))) == 2
    assert len(there_and_back("centre_offset", InstanceMap(apart), sigma=1)) == 1
