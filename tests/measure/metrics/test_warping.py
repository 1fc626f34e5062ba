"""Bending keeps objects, holes and tunnels; what is left is told, and thresholds are tried as ISBI did."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import generate_binary_structure, label
from skimage.measure import euler_number

from microtome.core.errors import InputError, RecipeError
from microtome.measure.metrics.warping import THRESHOLDS, warp, warping, warping_min

shapes = st.one_of(st.tuples(*[st.integers(1, 8)] * 2), st.tuples(*[st.integers(2, 4)] * 3))
pairs = shapes.flatmap(lambda shape: st.tuples(*[arrays(bool, shape)] * 2))
both_ways = st.sampled_from(["full", "faces"])


def topology(mask, connectivity):
    """Objects, pieces of background, and the Euler number, which with the two fixes the tunnels."""
    padded = np.pad(mask, 1)
    objects, ground = (padded.ndim, 1) if connectivity == "full" else (1, padded.ndim)
    return (
        label(padded, generate_binary_structure(mask.ndim, objects))[1],
        label(~padded, generate_binary_structure(mask.ndim, ground))[1],
        euler_number(padded, objects),
    )


@given(pairs, both_ways)
@settings(max_examples=200)
def test_topology_is_kept_and_only_what_differed_is_flipped(pair, connectivity):
    pred, truth = pair
    bent = warp(pred, truth, connectivity=connectivity)
    assert (bent[pred == truth] == truth[pred == truth]).all()
    if truth.ndim == 2 or len(truth) > 1:
        assert topology(bent, connectivity) == topology(truth, connectivity)
    assert 0 <= warping(pred, truth, connectivity=connectivity) <= (pred != truth).mean()
    assert warping(truth, truth, connectivity=connectivity) == 0


@given(pairs.filter(lambda pair: pair[0].ndim == 2), both_ways)
@settings(max_examples=100)
def test_nothing_simple_is_left(pair, connectivity):
    pred, truth = pair
    bent = warp(pred, truth, connectivity=connectivity)
    was = topology(bent, connectivity)
    for place in np.argwhere(bent != pred):
        flipped = bent.copy()
        flipped[tuple(place)] = pred[tuple(place)]
        after = topology(flipped, connectivity)
        assert after != was


def test_a_ball_keeps_its_tunnel():
    ring = np.zeros((5, 7, 7), bool)
    ring[1:4, 1:6, 1:6] = True
    ring[:, 3, 3] = False
    filled = ring.copy()
    filled[1:4, 3, 3] = True
    assert (warp(filled, ring) != filled).sum() == 3  # a tunnel that stays open stays open along all its length
    assert (warp(ring, filled) != ring).sum() == 1  # one that stays shut is shut by one voxel
    moved = np.roll(ring, 1, axis=2)
    assert warping(moved, ring) == 0


def test_a_bent_bar_moves_and_grows_in_space_but_does_not_tear():
    bar = np.zeros((6, 6, 6), bool)
    bar[1, 1, 1:5] = bar[1:5, 1, 4] = True
    for axis in range(3):
        assert warping(np.roll(bar, 1, axis=axis), bar) == 0
    longer, torn = bar.copy(), bar.copy()
    longer[5, 1, 4], torn[1, 1, 2] = True, False
    assert warping(longer, bar) == 0
    assert (warp(torn, bar) != torn).sum() == 1


def test_objects_that_touch_at_a_corner_are_one_or_two():
    truth = np.zeros((6, 6), bool)
    truth[1:3, 1:3] = truth[3:5, 4] = True
    pred = truth.copy()
    pred[3:5, 3] = True  # meets the other one at a corner
    assert warping(pred, truth) == 1 / 36
    assert warping(pred, truth, connectivity="faces") == 0


def test_a_volume_of_one_slice_is_its_slice():
    random = np.random.default_rng(0)
    pred, truth = random.random((2, 1, 20, 30)) < 0.5
    np.testing.assert_array_equal(warp(pred, truth)[0], warp(pred[0], truth[0]))


def test_thresholds_are_tried_and_the_lowest_best_one_is_told():
    truth = np.zeros((5, 9), bool)
    truth[1:4, 1:4] = truth[1:4, 5:8] = True
    scores = np.where(truth, 0.9, 0.05)
    scores[2, 4] = 0.45  # a bridge, until the threshold reaches it
    assert warping_min(scores, truth) == (0, 0.5)
    assert warping_min(scores, truth, thresholds=(0.3, 0.2)) == (1 / 45, 0.2)
    assert THRESHOLDS == (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
    assert warping_min(np.zeros((2, 2)), np.zeros((2, 2))).error == 0


def test_labels_count_as_foreground_and_inputs_stay():
    truth = np.array([[0, 3, 3, 0]])
    truth.flags.writeable = False
    assert warping(np.array([[0, 0, 9, 9]]), truth) == 0


@given(pairs)
@settings(max_examples=30)
def test_any_layout_is_bent_alike(pair):
    pred, truth = pair
    bent = warp(pred, truth)
    for layout in (np.asfortranarray, lambda mask: np.repeat(mask, 2, axis=-1)[..., ::2], lambda mask: mask[::-1].copy()[::-1]):
        np.testing.assert_array_equal(warp(layout(pred), layout(truth)), bent)


def test_no_pixel_is_nan():
    assert math.isnan(warping(np.zeros((0, 3)), np.zeros((0, 3))))


def test_what_cannot_be_bent_is_named():
    a = np.zeros((3, 4), bool)
    with pytest.raises(InputError, match="same pixels"):
        warp(a, a.T)
    with pytest.raises(InputError, match="two axes"):
        warp(a[0], a[0])
    with pytest.raises(RecipeError, match="full, faces"):
        warp(a, a, connectivity="8")
    for thresholds in ((), (0.5, math.nan)):
        with pytest.raises(RecipeError, match="thresholds"):
            warping_min(a.astype(float), a, thresholds=thresholds)
    scores = np.zeros((3, 4))
    scores[1, 2], scores[2, 0] = math.nan, 7
    with pytest.raises(InputError, match=r"2 others, the first nan at \(1, 2\)"):
        warping_min(scores, a)
