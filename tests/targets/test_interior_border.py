"""Interior and border: what is border, and how faulty scores are decoded."""

import numpy as np
import pytest
from scipy import ndimage

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning, collect_warnings
from microtome.core.explain import listen
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.targets.instance.interior_border import encode, interior_border


def squares(*boxes, shape=(12, 20)):
    labels = np.zeros(shape, np.int32)
    for number, (top, bottom, left, right) in enumerate(boxes, 1):
        labels[top:bottom, left:right] = number
    return labels


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("shape", [(30, 40), (9, 10, 12)])
def test_the_border_is_what_an_erosion_takes(width, shape):
    labels = ndimage.label(ndimage.gaussian_filter(np.random.default_rng(1).random(shape), 2) > 0.5)[0].astype(np.int32)
    labels[labels == 2] = 0
    labels[: shape[0] // 2][labels[: shape[0] // 2] > 0] += 70000  # cut across, so that objects touch
    with collect_warnings():
        found = encode(InstanceMap(labels, axes="zyx"[-len(shape) :]), width=width)["interior_border"]
    for number in np.unique(labels[labels > 0]):
        own = labels == number
        assert np.array_equal(found[own] == 1, ndimage.binary_erosion(own, iterations=width, border_value=1)[own])
    assert np.array_equal(found == 0, labels == 0)


def test_objects_without_an_interior_are_told():
    with pytest.warns(MicrotomeWarning, match="1 of 2 objects have no interior"):
        encode(InstanceMap(squares((1, 6, 1, 6), (8, 10, 8, 10))))


def test_classes_are_no_objects():
    with pytest.raises(InputError, match="holds classes, not objects"):
        encode(SemanticMap(np.ones((3, 3), np.uint8)))


def scores(inner, border):
    return ScoreMap(np.stack([1 - inner - border, inner, border], -1), axes="yxc", layers=("background", "interior", "border"))


def test_two_insides_share_the_border_between_them_by_nearness():
    inner = np.zeros((7, 15))
    inner[2:5, 2:5], inner[2:5, 10:13] = 1, 1
    border = np.zeros_like(inner)
    border[1:6, 1:14] = 1
    found = interior_border(scores(inner, border - inner * border)).pixels
    assert (found[1:6, 1:7] == 1).all()
    assert (found[1:6, 8:14] == 2).all()
    assert (found == 0).sum() == 7 * 15 - 5 * 13


def test_settings_move_the_outline_and_the_seeds():
    inner, border = np.zeros((5, 9)), np.zeros((5, 9))
    inner[2, 1:8] = [0.9, 0.9, 0.9, 0.6, 0.9, 0.9, 0.9]
    border[1:4] = 0.4 * (inner[2] == 0) + 0.05
    border[2, 4] = 0.35
    assert len(interior_border(scores(inner, border))) == 1
    apart = interior_border(scores(inner, border), interior=0.7)
    assert len(apart) == 2
    assert len(interior_border(scores(inner, border), interior=0.7, min_interior=4)) == 1  # too small to be seeds: one piece
    wide, narrow = interior_border(scores(inner, border), foreground=0.3), interior_border(scores(inner, border), foreground=0.7)
    assert (wide.pixels > 0).sum() > (narrow.pixels > 0).sum()


def test_an_object_that_is_hardly_told_from_the_background_stays_whole_where_no_border_is():
    inner, border = np.full((5, 9), 0.9), np.full((5, 9), 0.05)
    inner[:, 4] = 0.52
    assert len(interior_border(scores(inner, border), interior=0.8)) == 1
    border[:, 4] = 0.42
    assert len(interior_border(scores(inner, border), interior=0.8)) == 2


def test_an_object_s_score_is_its_mean_foreground():
    inner = np.zeros((3, 6))
    inner[1, 1], inner[1, 4] = 0.9, 0.7
    found = interior_border(scores(inner, np.zeros_like(inner)))
    assert found.object_score == pytest.approx({1: 0.9, 2: 0.7})


def test_layers_are_found_by_name_or_by_place():
    inner = squares((2, 6, 2, 6)) > 0
    stacked = np.stack([~inner, inner, np.zeros_like(inner)], -1).astype(float)
    expected = inner.astype(int)
    for layers, pixels in (
        ((), stacked),
        ((), stacked[..., 1:]),
        (("0", "1", "2"), stacked),
        (("border", "interior"), stacked[..., [2, 1]]),
    ):
        assert np.array_equal(interior_border(ScoreMap(pixels, axes="yxc", layers=layers)).pixels, expected)
    with pytest.raises(InputError, match="the layers are cell, sky; expected background, interior, border"):
        interior_border(ScoreMap(stacked[..., :2], axes="yxc", layers=("cell", "sky")))
    with pytest.raises(InputError, match="the layers are 1 without names"):
        interior_border(ScoreMap(stacked[..., 0]))


def test_nothing_there():
    empty = interior_border(scores(np.zeros((4, 4)), np.zeros((4, 4))))
    assert len(empty) == 0
    assert empty.object_score == {}


def test_a_piece_does_not_feel_its_neighbours():
    """A lone inside close by does not shift the line between two that share a piece."""
    inner, border = np.zeros((9, 15)), np.zeros((9, 15))
    border[1:4, 1:14] = 1
    inner[2, 2], inner[2, 12] = 1, 1
    alone = interior_border(scores(inner, border * (inner == 0))).pixels
    inner[5, 5:9] = 1
    beside = interior_border(scores(inner, border * (inner == 0))).pixels
    assert np.array_equal(alone[:4], beside[:4])


def test_it_shows_its_seeds():
    with listen() as shown:
        interior_border(scores(*(np.eye(4) * k for k in (0.6, 0.2))))
    assert any(item.kind == "markers" for item in shown)
