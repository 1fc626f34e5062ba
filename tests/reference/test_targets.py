"""The catalogue's worked numbers of targets and of what is decoded from them, beside scikit-image's and scipy's."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import find_boundaries
from skimage.segmentation import watershed as skimage_watershed

from microtome import steps
from microtome.core.kernels.distance import distance
from microtome.core.raster import InstanceMap, ScoreMap
from microtome.targets.heads import perfect_scores
from microtome.targets.instance import centre_offset, interior_border, signed_distance
from microtome.targets.weight_map import weight_map

TOUCHING = np.zeros((7, 9), np.int32)  # a 5 x 3 and a 5 x 4 object
TOUCHING[1:6, 1:4], TOUCHING[1:6, 4:8] = 1, 2
MASK = InstanceMap(TOUCHING)


def test_interior_and_border():
    found = interior_border.encode(MASK)["interior_border"]
    assert np.bincount(found.ravel()).tolist() == [28, 9, 26]  # background, interior, border
    assert [int((found[k == TOUCHING] == 1).sum()) for k in (1, 2)] == [3, 6]
    # of int32 scikit-image 0.26 counts 34 outer pixels: its erosion does not hold the largest int32
    counts = [int(find_boundaries(TOUCHING.astype(np.int64), mode=mode).sum()) for mode in ("inner", "outer", "thick")]
    assert counts == [26, 44, 50]
    assert np.array_equal(find_boundaries(TOUCHING, mode="inner"), found == 2)
    assert find_boundaries(TOUCHING, mode="subpixel").shape == (13, 17)


def test_semantic_to_instance():
    assert len(steps.connected_components(TOUCHING > 0)) == 1
    found = interior_border.encode(MASK)["interior_border"]
    markers, count = ndimage.label(found == 1)
    assert count == 2
    deep = ndimage.distance_transform_edt(TOUCHING > 0)
    wrong = skimage_watershed(-deep, markers, mask=TOUCHING > 0)
    assert np.bincount(wrong.ravel())[1:].tolist() == [10, 25]  # on the depth of the foreground
    signed = ndimage.distance_transform_edt(found == 1) - ndimage.distance_transform_edt(found != 1)
    right = skimage_watershed(-signed, markers, mask=TOUCHING > 0)
    assert np.bincount(right.ravel())[1:].tolist() == [15, 20]  # on that of the interior
    scores = perfect_scores({"interior_border": found}, interior_border.heads(MASK.classes, 2), MASK)
    ours = steps.interior_border(scores)
    assert np.array_equal(ours.pixels, TOUCHING)
    assert np.array_equal(ours.pixels, right)


def test_signed_distance():
    square = np.zeros((7, 7), int)
    square[1:6, 1:6] = 1
    found = signed_distance.encode(InstanceMap(square), normalise="none")["distance"]
    assert found[3].tolist() == [-1, 1, 2, 3, 2, 1, -1]
    half = signed_distance.encode(InstanceMap(square), normalise="none", half_pixel=True)["distance"]
    assert half[3].tolist() == [-0.5, 0.5, 1.5, 2.5, 1.5, 0.5, -0.5]


def test_distance_to_any_other_label_and_to_the_background():
    assert distance(TOUCHING, (1.0, 1.0))[3].tolist() == [0, 1, 2, 1, 1, 2, 2, 1, 0]
    assert ndimage.distance_transform_edt(TOUCHING > 0)[3].tolist() == [0, 1, 2, 3, 3, 3, 2, 1, 0]
    found = signed_distance.encode(MASK, normalise="none")["distance"]
    assert found[3].tolist() == [-1, 1, 2, 1, 1, 2, 2, 1, -1]
    assert ndimage.distance_transform_edt(np.ones((3, 3)))[1, 0] == 2.0  # of a full mask scipy measures to nothing


def test_centre_and_offset():
    found = centre_offset.encode(MASK, sigma=2)
    assert found["centre"][3, 4] == pytest.approx(0.754839602, abs=5e-8)  # held in float32
    assert (found["offset"][3, 4] + (3, 4)).tolist() == [3, 5.5]
    assert found["offset"][1, 1].tolist() == [2, 1]
    assert found["centre"][3, 2] == 1


@pytest.mark.parametrize(("d", "expected"), [((1, 1), 9.231163464), ((2, 3), 6.065306597), ((5, 5), 1.353352832), ((10, 10), 0.003354626)])
def test_unet_weight_between_two_objects(d, expected):
    row = np.zeros((1, sum(d) + 1), int)
    row[0, 0], row[0, -1] = 1, 2
    found = weight_map(InstanceMap(row), w0=10, sigma=5, class_weights=(0, 0))[0, d[0]]
    assert found == pytest.approx(expected, rel=3e-7)


def test_unet_weights_of_two_squares():
    labels = np.zeros((9, 9), int)
    labels[2:7, 1:4], labels[2:7, 5:8] = 1, 2
    found = weight_map(InstanceMap(labels))
    assert found[4, 4] == pytest.approx(10.025281111, rel=1e-7)
    assert found[0, 0] == pytest.approx(3.923768062, rel=1e-7)
    assert found[4, 2] == pytest.approx(1.35, rel=1e-7)


def test_a_score_map_without_objects():
    assert len(steps.interior_border(ScoreMap(np.zeros((4, 4, 3)), axes="yxc"))) == 0
